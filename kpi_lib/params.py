"""params/*.yaml as validated models: an unknown key or an impossible value is an error with file and line."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from kpi_lib.disclosure import variable
from kpi_lib.errors import ParamsError, UnknownNameError, did_you_mean
from kpi_lib.period import Period
from kpi_lib.settings import (
    Acquisition,
    Brand,
    CustomerValue,
    Event,
    Hours,
    Notebook,
    Positive,
    Section,
    Target,
    Thresholds,
)

KINDS, PACKED = "parquet|csv|tsv|json|jsonl|ndjson", r"(?:\.gz|\.zst)?"
FILE = re.compile(rf"\.({KINDS}|sql){PACKED}$")
VARIABLE = re.compile(r"\$\{(\w+)\}")
INTERNAL = ("path", "lines", "connection_as_written")  # fields that are no keys of a file
MOST_KEYS = 100_000  # of a file
LOGOS = (".svg", ".png", ".jpg", ".jpeg")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone such as Europe/Berlin") from None
    return name


class ParamsFile(Section):
    """A file of params that knows where each of its keys stands."""

    path: Path = Field(exclude=True)
    lines: dict[tuple[str | int, ...], int] = Field({}, exclude=True, repr=False)

    def where(self, *key: str | int) -> str:
        """Return file and line of a key, for a message that says where to mend it."""
        return _where(self.path, self.lines, key)


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
    fx: dict[str, Positive] = Field({})
    customer_value: CustomerValue = CustomerValue()
    targets: dict[str, Target] = Field({})
    events: tuple[Event, ...] = ()
    brand: Brand = Brand()

    @property
    def project(self) -> Path:
        """The folder that holds `params/` and `notebooks/`."""
        return next((up for up in self.path.parents if (up / "notebooks").is_dir()), self.path.parent)

    def notebook(self, name: str) -> Path:
        """Return the file of a notebook."""
        return self.project / "notebooks" / f"{name}.ipynb"

    @property
    def has_hours(self) -> bool:
        """Whether the company has said when its desk is open, were it in the words of the defaults."""
        return "hours" in self.model_fields_set

    def commentary(self, period: Period) -> Path | None:
        """Return the file with the analysts' words: `periods/2024-05.md`, or `2024-05.ru.md` in Russian."""
        own = "" if self.path.stem == "report" else self.path.stem  # other configurations may lie in the same folder
        folder = self.path.parent / "periods" / own
        paths = (folder / f"{period}.{self.language}.md", folder / f"{period}.md")
        return next((each for each in paths if each.is_file()), None)

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
    checks: dict[str, Annotated[str, Field(pattern=r"\.sql$")]] = Field({})
    freshness: dict[str, Freshness] = Field({})
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


def find(path: str | Path) -> Path:
    """Return the absolute path of a params file, looked for from the working folder upwards."""
    given = Path(path).expanduser()
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / given).is_file() and (folder == Path.cwd() or not _anybodys(folder, folder / given)):
            return (folder / given).resolve()
    beside = given.parent.glob(f"*{given.suffix}") if given.is_absolute() else ()
    hint = did_you_mean(given.name, [path.name for path in beside]) if given.is_absolute() else ""
    looked = "" if given.is_absolute() else f" in {Path.cwd()} or a folder above it"
    raise ParamsError(f"no file {str(given)!r}{looked}{hint}")


def _anybodys(folder: Path, file: Path) -> bool:
    """Whether somebody else may have put a file into a folder that all may write to, such as /tmp."""
    return bool(folder.stat().st_mode & 0o002) and file.stat().st_uid not in (0, os.getuid())


def expand(text: str, *, where: str) -> str:
    """Replace `${NAME}` by the environment's value; one that is not set is a ParamsError naming it."""

    def value(found: re.Match[str]) -> str:
        if not (text := variable(found[1])):
            raise ParamsError(f"the environment variable {found[1]} is not set", where=where)
        return text

    return VARIABLE.sub(value, text)


def read_yaml(path: Path) -> tuple[Any, dict[tuple[str | int, ...], int]]:
    """Return a file's data and the line of each key; a key that stands twice is an error."""
    try:
        text = path.read_text(encoding="utf-8")
        try:
            node, data = _parsed(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # ten times as fast
        except yaml.YAMLError:
            node, data = _parsed(text, yaml.SafeLoader)  # which says more clearly what is wrong
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{_short(path)}:{mark.line + 1}" if mark else _short(path)
        raise ParamsError(f"not readable as YAML: {getattr(error, 'problem', None) or error}", where=where) from None
    lines: dict[tuple[str | int, ...], int] = {}
    _note_lines(node, (), lines, path, ())
    return data, lines


def _parsed(text: str, loader: Any) -> tuple[Any, Any]:
    return yaml.compose(text, Loader=loader), yaml.load(text, Loader=loader)


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


def _note_lines(node: Any, key: tuple, lines: dict, path: Path, above: tuple) -> None:
    if node in above or len(lines) > MOST_KEYS:  # by its *names a file may hold itself, or much more than it shows
        raise ParamsError("a *name of YAML repeats too much", where=_where(path, lines, key))
    above = (*above, node)
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            here = (*key, int(name.value) if name.tag.endswith(":int") and name.value.isdecimal() else name.value)
            if here in lines:
                raise ParamsError(
                    f"key {name.value!r} stands twice", where=f"{_short(path)}:{name.start_mark.line + 1}"
                )
            lines[here] = name.start_mark.line + 1
            _note_lines(value, here, lines, path, above)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            lines[(*key, position)] = value.start_mark.line + 1
            _note_lines(value, (*key, position), lines, path, above)


def _where(path: Path, lines: dict, key: tuple) -> str:
    while key and key not in lines:
        key = key[:-1]
    return f"{_short(path)}:{lines[key]}" if key else _short(path)


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _place(source: SourceParams, section: str, name: str, text: str) -> str:
    expanded = expand(text, where=source.where(section, name))
    if "://" in expanded or not FILE.search(expanded):
        return expanded
    base = Path.cwd() if text.startswith("${") else source.path.parent
    return str(base / Path(expanded).expanduser())
