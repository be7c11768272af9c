"""The sections of params/report.yaml: what each may say, and what cannot be right in it."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from kpi_lib.defaults import ACQUISITION, CUSTOMER_VALUE, THRESHOLDS
from kpi_lib.errors import PeriodError
from kpi_lib.period import Period

Days = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CONTRAST = 4.5  # of text with its ground, at least: WCAG 2.2, criterion 1.4.3
Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


def printable(text: str) -> str:
    """Return a text that stands in one line; anything else is a ValueError. Persian words hold non-joiners."""
    if not text.replace("\N{ZERO WIDTH NON-JOINER}", "").isprintable():
        raise ValueError("no line break, tab or other control character can stand here")
    return text


def _day(given: Any) -> date:
    """Return a day of YAML or of ISO text; a number could be taken for seconds and is refused."""
    try:
        return given if type(given) is date else date.fromisoformat(given)
    except (TypeError, ValueError):
        raise ValueError("a day is written like 2024-03-04") from None


def _month(given: Any) -> Period:
    try:
        month = Period.parse(given)
    except PeriodError:
        month = None
    if month is None or month.months > 1:
        raise ValueError("a month is written like 2024-03")
    return month


class Section(BaseModel):
    """A part of a params file, which has no other keys than these."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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

    short_abandon_seconds: float = Field(THRESHOLDS["short_abandon_seconds"], ge=0)
    service_level_seconds: dict[str, Positive] = THRESHOLDS["service_level_seconds"]
    reply_target_minutes: dict[str, Positive] = THRESHOLDS["reply_target_minutes"]
    backlog_hours: Positive = THRESHOLDS["backlog_hours"]
    first_contact_days: int = Field(THRESHOLDS["first_contact_days"], ge=0)
    repeat_contact_days: int = Field(THRESHOLDS["repeat_contact_days"], ge=0)
    resolution_days: int = Field(THRESHOLDS["resolution_days"], ge=1)
    escalation_days: int = Field(THRESHOLDS["escalation_days"], ge=0)
    survey_response_days: int = Field(THRESHOLDS["survey_response_days"], ge=0)
    agent_target_minutes: Positive = THRESHOLDS["agent_target_minutes"]
    payment_grace_days: int = Field(THRESHOLDS["payment_grace_days"], ge=0)
    recurring_tickets: int = Field(THRESHOLDS["recurring_tickets"], ge=2)
    minimum_cell: int = Field(THRESHOLDS["minimum_cell"], ge=1)
    full_time_hours: Positive = THRESHOLDS["full_time_hours"]
    top_scores: dict[int, float] = THRESHOLDS["top_scores"]
    trunks: int | None = Field(THRESHOLDS["trunks"], ge=1)


class Acquisition(Section):
    """How acquisition spend is matched with the customers it won."""

    lag_months: int = Field(ACQUISITION["lag_months"], ge=0)
    paid_channels: list[str] = ACQUISITION["paid_channels"]
    marketing_categories: list[str] = ACQUISITION["marketing_categories"]


class CustomerValue(Section):
    """Which lifetime model is the headline, how far it looks and how it discounts."""

    model: Literal["subscription", "purchases", "realised"] = CUSTOMER_VALUE["model"]
    horizon_months: int = Field(CUSTOMER_VALUE["horizon_months"], ge=1, le=240)
    annual_discount: Fraction = CUSTOMER_VALUE["annual_discount"]


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


class Event(Section):
    """What is known to have happened on a day or in a month, `until` another or not; marked on trends, or on all."""

    day: Annotated[date, BeforeValidator(_day)] | None = None
    month: Annotated[Period, BeforeValidator(_month)] | None = None
    until: date | Period | None = None
    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(printable)
    ]
    kpis: list[str] | None = Field(None, min_length=1)

    @field_validator("until", mode="before")
    @classmethod
    def _of_the_same_kind(cls, until: Any, info: ValidationInfo) -> date | Period | None:
        return until if until is None else _day(until) if info.data.get("day") else _month(until)

    @model_validator(mode="after")
    def _at_one_time(self) -> "Event":
        if (self.day is None) == (self.month is None):
            raise ValueError("an event has exactly one of day, month")
        if self.last < self.first:
            raise ValueError("until is no earlier than what it ends")
        return self

    @property
    def first(self) -> date:
        """The first day of it."""
        return self.day or self.month.first_day  # type: ignore[union-attr]

    @property
    def last(self) -> date:
        """The last day of it."""
        end = self.until or self.day or self.month
        return end.last_day if isinstance(end, Period) else end  # type: ignore[return-value]


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
