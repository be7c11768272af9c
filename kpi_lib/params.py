"""params/*.yaml as validated models: an unknown key or an impossible value is an error with file and line."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from kpi_lib.errors import ParamsError, UnknownNameError, did_you_mean

Days = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
INTERNAL = ("path", "lines", "connection_as_written")  # fields that are no keys of a file
LOGOS = (".svg", ".png", ".jpg", ".jpeg")
CONTRAST = 4.5  # of text with its ground, at least: WCAG 2.2, criterion 1.4.3
Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone such as Europe/Berlin") from None
    return name


class Section(BaseModel):
    """A part of a params file, which has no other keys than these."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ParamsFile(Section):
    """A file of params that knows where each of its keys stands."""

    path: Path = Field(exclude=True)
    lines: dict[tuple[str | int, ...], int] = Field({}, exclude=True, repr=False)

    def where(self, *key: str | int) -> str:
        """Return file and line of a key, for a message that says where to mend it."""
        return _where(self.path, self.lines, key)


class Notebook(Section):
    """A notebook of the book, in the order of report.yaml, with parameters of its own."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    parameters: dict[str, Any] = {}


class Hours(Section):
    """When the desk is staffed, in the company's time zone."""

    days: list[Days] = ["mon", "tue", "wed", "thu", "fri"]
    open: str = Field("09:00", pattern=r"^\d\d:\d\d$")
    close: str = Field("18:00", pattern=r"^\d\d:\d\d$")
    holidays: str | None = None

    @model_validator(mode="after")
    def _open_before_close(self) -> "Hours":
        for name, clock in (("open", self.open), ("close", self.close)):
            if not clock <= "24:00" or clock[3:] > "59":
                raise ValueError(f"{name}: {clock} is no time of a day from 00:00 to 24:00")
        if self.open >= self.close:
            raise ValueError(f"the desk opens at {self.open} and must close later that day, not at {self.close}")
        return self


class Thresholds(Section):
    """The lines that definitions draw; a KPI sees only those it declares."""

    short_abandon_seconds: float = Field(5, ge=0)
    service_level_seconds: dict[str, Positive] = {"phone": 20, "chat": 60}
    reply_target_minutes: dict[str, Positive] = {"email": 480, "chat": 2}
    backlog_hours: Positive = 72
    first_contact_days: int = Field(7, ge=0)
    repeat_contact_days: int = Field(30, ge=0)
    resolution_days: int = Field(30, ge=1)
    escalation_days: int = Field(14, ge=0)
    survey_response_days: int = Field(14, ge=0)
    agent_target_minutes: Positive = 10
    payment_grace_days: int = Field(0, ge=0)
    recurring_tickets: int = Field(3, ge=2)
    minimum_cell: int = Field(5, ge=1)
    full_time_hours: Positive = 40
    top_scores: dict[int, float] = {5: 4, 7: 6, 10: 9, 100: 75}
    trunks: int | None = Field(None, ge=1)


class Acquisition(Section):
    """How acquisition spend is matched with the customers it won."""

    lag_months: int = Field(0, ge=0)
    paid_channels: list[str] = ["search", "social", "display"]
    marketing_categories: list[str] = ["media", "salary", "software"]


class CustomerValue(Section):
    """Which lifetime model is the headline, how far it looks and how it discounts."""

    model: Literal["subscription", "purchases", "realised"] = "subscription"
    horizon_months: int = Field(36, ge=1, le=240)
    annual_discount: Fraction = 0.12


class Target(Section):
    """A bound on a KPI; `basis` is the length of period it was set for."""

    at_least: float | None = None
    at_most: float | None = None
    between: tuple[float, float] | None = None
    basis: Literal["month", "quarter", "year"] | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> "Target":
        if sum(bound is not None for bound in (self.at_least, self.at_most, self.between)) != 1:
            raise ValueError("a target has exactly one of at_least, at_most, between")
        if self.between and self.between[0] > self.between[1]:
            raise ValueError("between goes from low to high")
        return self


class Brand(Section):
    """The company's two colours and its logo on pages."""

    colour: str = Field("#1f4e79", pattern=r"^#[0-9a-fA-F]{6}$")
    accent: str = Field("#b5541c", pattern=r"^#[0-9a-fA-F]{6}$")
    logo: Path | None = None

    @field_validator("colour", "accent")
    @classmethod
    def _readable_on_white(cls, colour: str) -> str:
        if (ratio := _contrast_with_white(colour)) >= CONTRAST:
            return colour
        channels = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
        darker = ("#" + "".join(f"{channel * part // 255:02x}" for channel in channels) for part in range(254, -1, -1))
        enough = next(shade for shade in darker if _contrast_with_white(shade) >= CONTRAST)
        raise ValueError(
            f"{colour!r} is too pale for text on white: a contrast of {ratio:.2f}, where {CONTRAST} is the least "
            f"- did you mean {enough!r}?"
        )


def _contrast_with_white(colour: str) -> float:
    """Return the contrast of a colour with white, from 1 to 21, as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (luminance + 0.05)


class Params(ParamsFile):
    """params/report.yaml: the company and everything its report can be told."""

    company: str = Field(min_length=1)
    time_zone: Annotated[str, AfterValidator(_zone)]
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    language: Literal["en", "ar", "fa", "ru"] = "en"
    source: Path
    reports: Path
    records: Path
    notebooks: list[Notebook] = Field(min_length=1)
    hours: Hours = Hours()
    thresholds: Thresholds = Thresholds()
    acquisition: Acquisition = Acquisition()
    fx: dict[str, Positive] = {}
    customer_value: CustomerValue = CustomerValue()
    targets: dict[str, Target] = {}
    brand: Brand = Brand()

    @property
    def project(self) -> Path:
        """The folder that holds `params/` and `notebooks/`."""
        return next((up for up in self.path.parents if (up / "notebooks").is_dir()), self.path.parent)

    def get(self, dotted: str) -> Any:
        """Return the value at a dotted path such as `thresholds.short_abandon_seconds`."""
        value: Any = self
        for name in dotted.split("."):
            if name not in (there := _fields(type(value), ())):
                raise UnknownNameError(f"params have no {dotted!r}{did_you_mean(name, there)}")
            value = getattr(value, name)
        return value


class Freshness(Section):
    """How many hours before the end of a period a table may have its last row, until that is told or stops a report."""

    warn_after_hours: Positive | None = None
    error_after_hours: Positive | None = None

    @model_validator(mode="after")
    def _warned_first(self) -> "Freshness":
        if self.warn_after_hours is None and self.error_after_hours is None:
            raise ValueError("give warn_after_hours, error_after_hours or both")
        if None not in (self.warn_after_hours, self.error_after_hours) and (
            self.warn_after_hours > self.error_after_hours  # type: ignore[operator]
        ):
            raise ValueError("warn_after_hours is no more than error_after_hours")
        return self


class SourceParams(ParamsFile):
    """params/sources/NAME.yaml: where the tables come from and when they were extracted."""

    connection: str = "duckdb://"
    as_of: str | dict[Literal["table", "column"], str]
    sample: bool = False
    tables: dict[str, str] = Field(min_length=1)
    checks: dict[str, Annotated[str, Field(pattern=r"\.sql$")]] = {}
    freshness: dict[str, Freshness] = {}
    connection_as_written: str = Field("", exclude=True)  # with its ${NAME}s, for messages

    @model_validator(mode="after")
    def _fresh_tables_are_there(self) -> "SourceParams":
        if unknown := next((name for name in self.freshness if name not in self.tables), None):
            raise ValueError(f"freshness: there is no table {unknown!r} above{did_you_mean(unknown, self.tables)}")
        return self


def load(path: str | Path = "params/report.yaml") -> Params:
    """Read the company's configuration; relative paths in it are relative to the file."""
    found = find(path)
    params = validated(Params, found)
    relative = {name: found.parent / getattr(params, name) for name in ("source", "reports", "records")}
    brand = params.brand.model_copy(update={"logo": _logo(params)})
    _check_country(params)
    names = [notebook.name for notebook in params.notebooks]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise ParamsError(f"notebook {repeated!r} is listed twice", where=params.where("notebooks"))
    resolved = {name: value.resolve() for name, value in relative.items()}
    return params.model_copy(update=resolved | {"brand": brand})


def _logo(params: Params) -> Path | None:
    if params.brand.logo is None:
        return None
    logo = (params.path.parent / params.brand.logo).resolve()
    if not logo.is_file() or logo.suffix not in LOGOS:
        message = f"brand.logo: {_short(logo)} is no file that ends in {', '.join(LOGOS)}"
        raise ParamsError(message, where=params.where("brand", "logo"))
    return logo


def _check_country(params: Params) -> None:
    if (country := params.hours.holidays) is None:
        return
    import holidays

    try:
        holidays.country_holidays(country)
    except NotImplementedError:
        hint = did_you_mean(country, holidays.list_supported_countries())
        message = f"hours.holidays: no country {country!r} (two capital letters, such as DE){hint}"
        raise ParamsError(message, where=params.where("hours", "holidays")) from None


def load_source(path: str | Path) -> SourceParams:
    """Read where the tables come from; `${NAME}` is taken from the environment.

    A table that ends in a file's suffix is a remote address, such as s3://, or a path, relative to this file, or, when
    it starts with a variable whose value is relative, to the folder where the command was typed.
    """
    found = find(path)
    source = validated(SourceParams, found)
    tables = {name: _place(source, "tables", name, text) for name, text in source.tables.items()}
    checks = {name: _place(source, "checks", name, text) for name, text in source.checks.items()}
    connection = expand(source.connection, where=source.where("connection"))
    told = {"tables": tables, "checks": checks, "connection": connection, "connection_as_written": source.connection}
    return source.model_copy(update=told)


def default(dotted: str) -> Any:
    """Return what a value of report.yaml is when it is left out."""
    section, _, name = dotted.partition(".")
    return getattr(Params.model_fields[section].default, name)


def find(path: str | Path) -> Path:
    """Return the absolute path of a params file, looked for from the working folder upwards."""
    given = Path(path).expanduser()
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / given).is_file():
            return (folder / given).resolve()
    beside = given.parent.glob(f"*{given.suffix}") if given.is_absolute() else ()
    hint = did_you_mean(given.name, [path.name for path in beside]) if given.is_absolute() else ""
    looked = "" if given.is_absolute() else f" in {Path.cwd()} or a folder above it"
    raise ParamsError(f"no file {str(given)!r}{looked}{hint}")


def expand(text: str, *, where: str) -> str:
    """Replace `${NAME}` by the environment's value; one that is not set is a ParamsError naming it."""

    def value(found: re.Match[str]) -> str:
        if not (text := os.environ.get(found[1], "")):
            raise ParamsError(f"the environment variable {found[1]} is not set", where=where)
        return text

    return re.sub(r"\$\{(\w+)\}", value, text)


def read_yaml(path: Path) -> tuple[Any, dict[tuple[str | int, ...], int]]:
    """Return a file's data and the line of each key; a key that stands twice is an error."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{_short(path)}:{mark.line + 1}" if mark else _short(path)
        raise ParamsError(f"not readable as YAML: {getattr(error, 'problem', None) or error}", where=where) from None
    lines: dict[tuple[str | int, ...], int] = {}
    _note_lines(node, (), lines, path)
    return data, lines


Model = TypeVar("Model", bound=ParamsFile)


def validated(model: type[Model], path: Path) -> Model:
    """Return a file of params as a model; what does not fit it is an error with file and line."""
    data, lines = read_yaml(path)
    if not isinstance(data, dict):
        raise ParamsError("expected keys and values", where=_short(path))
    for name in data:
        if name in INTERNAL or not isinstance(name, str):
            raise ParamsError(f"unknown key {name!r}", where=_where(path, lines, (name,)))
    if model is SourceParams and hasattr(data.get("as_of"), "isoformat"):  # YAML reads instants; they need an offset
        data["as_of"] = data["as_of"].isoformat()
    try:
        return model(**data, path=path, lines=lines)
    except ValidationError as error:
        raise _readable(error, model, path, lines) from None


def _readable(error: ValidationError, model: type[BaseModel], path: Path, lines: dict) -> ParamsError:
    problem = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    location, message = tuple(problem["loc"]), problem["msg"].removeprefix("Value error, ")
    name = ".".join(map(str, location))
    if problem["type"] == "extra_forbidden":
        message = f"unknown key {name!r}" + did_you_mean(str(location[-1]), _fields(model, location[:-1]))
    elif problem["type"] == "missing":
        message = f"{name!r} is missing"
    else:
        given = problem.get("input")
        message = f"{name}: {message[:1].lower()}{message[1:]}" + (
            f", got {given!r}" if not isinstance(given, (dict, BaseModel)) and repr(given) not in message else ""
        )
    return ParamsError(message, where=_where(path, lines, location))


def _fields(model: Any, location: tuple) -> list[str]:
    """Return the accepted keys of the model at `location`."""
    for part in location:
        annotation = (
            model.model_fields[part].annotation
            if isinstance(part, str) and hasattr(model, "model_fields") and part in model.model_fields
            else model
        )
        model = next(
            (a for a in (annotation, *getattr(annotation, "__args__", ())) if hasattr(a, "model_fields")), annotation
        )
    return [name for name in getattr(model, "model_fields", {}) if name not in INTERNAL]


def _note_lines(node: Any, key: tuple, lines: dict, path: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            here = (*key, int(name.value) if name.tag.endswith(":int") else name.value)
            if here in lines:
                raise ParamsError(
                    f"key {name.value!r} stands twice", where=f"{_short(path)}:{name.start_mark.line + 1}"
                )
            lines[here] = name.start_mark.line + 1
            _note_lines(value, here, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            lines[(*key, position)] = value.start_mark.line + 1
            _note_lines(value, (*key, position), lines, path)


def _where(path: Path, lines: dict, key: tuple) -> str:
    while key and key not in lines:
        key = key[:-1]
    return f"{_short(path)}:{lines[key]}" if key else _short(path)


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _place(source: SourceParams, section: str, name: str, text: str) -> str:
    expanded = expand(text, where=source.where(section, name))
    if "://" in expanded or not re.search(r"\.(parquet|csv|tsv|json|jsonl|ndjson|sql)(\.gz|\.zst)?$", expanded):
        return expanded
    base = Path.cwd() if text.startswith("${") else source.path.parent
    return str(base / Path(expanded).expanduser())
