"""Why a number moved: how much of a change its parts brought, and how much their weights.

A number whose parts add up to it is the mean of their values, weighted by what each is measured on. Kitagawa (1955)
splits its change: values changed at the weights of both periods' middle (*rate*), weights changed at the middle of both
periods' values (*mix*). A member's mix part is taken against the middle of the total: more weight on a member counts
for what that member is above or below the rest. A member of one period only has changed its weight, not its value.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kpi_lib.period import Period
from kpi_lib.units import NONE, SECONDS, UNITS, difference, printed, rounded

Row = Mapping[str, Any]

CHANCE = " The change lies within the margin of error of the two numbers, so its parts may be chance."


@dataclass(frozen=True)
class Drivers:
    """A change and its parts as printed: members add up to `rate` and `mix`, and these to `change`.

    `parts` has a row a member, largest part first: `member, before, now` (values), `weight_before, weight` (percent),
    `rate, mix, together`, `sure` (False where there are too few cases in one of the periods).
    """

    cut: str
    now: Row
    before: Row
    parts: pd.DataFrame

    @property
    def change(self) -> float:
        """The change of the total, which is the difference of the two numbers as printed."""
        return self.rate + self.mix

    @property
    def rate(self) -> float:
        """What the members' own values brought."""
        return float(self.parts["rate"].sum())

    @property
    def mix(self) -> float:
        """What the members' weights brought."""
        return float(self.parts["mix"].sum())

    @property
    def is_reversed(self) -> bool:
        """Whether every member's value moved, as printed, the other way than the total."""
        steps = [_sign(_printed_change(row["now"], row["before"], self.now)) for row in self.parts.to_dict("records")]
        return len(steps) > 1 and bool(self._way) and all(step == -self._way for step in steps)

    @property
    def is_against_its_parts(self) -> bool:
        """Whether the members' own values alone would have moved the total the other way."""
        return bool(self._way) and _sign(self._shown(self.rate)) == -self._way

    def signed(self, amount: float, currency: str) -> str:
        """Return a part with its sign, `+1.4`; percentages are in points."""
        unit = self.now["unit"]
        shown = printed(amount, "points" if unit == "percent" else unit, currency, decimals=self._decimals)
        return f"+{shown}" if self._shown(amount) > 0 else shown

    @property
    def is_within_margin(self) -> bool:
        """Whether the interval of the difference (Zou and Donner 2008) covers zero, so that it may be chance."""
        rise = self.now["value"] > self.before["value"]
        ends = ("low", "high") if rise else ("high", "low")
        far = [abs(row[end] - row["value"]) for row, end in zip((self.now, self.before), ends, strict=True)]
        return bool(abs(self.now["value"] - self.before["value"]) <= math.hypot(*far))  # without limits: not known

    def sentence(self, currency: str) -> str:
        """Say where the change came from, and whether it may be chance."""
        return self._where_from(currency) + (CHANCE if self._way and self.is_within_margin else "")

    def _where_from(self, currency: str) -> str:
        """Name rate and mix and the member that did most; a total that moved against all of its parts says why."""
        title, cut, before = self.now["title"], _words(self.cut), _name(self.before, self.now)
        if not self._way:
            return f"{title}: unchanged from {before}; {self._both(currency)}."
        moved = f"{title} {_went(self._way)} by {self._amount(self.change, currency)} on {before}"
        if self.is_reversed:
            return f"{moved} although every {cut} {_went(-self._way)}: {self._shift()}."
        if self.is_against_its_parts:
            return f"{moved} only through the mix by {cut}: {self._both(currency)}; {self._shift()}."
        return f"{moved}: {self._both(currency)}{self._lead(currency)}."

    @property
    def _way(self) -> int:
        return _sign(self._shown(self.change))

    @property
    def _decimals(self) -> int | None:
        step = _step(self.now, self.before)
        return None if self.now["unit"] in SECONDS else max(0, round(-math.log10(step)))

    def _shown(self, amount: float) -> float:
        step = _step(self.now, self.before)
        return round(amount / step) * step

    def _amount(self, amount: float, currency: str) -> str:
        return difference(abs(amount), self.now["unit"], currency, decimals=self._decimals)

    def _both(self, currency: str) -> str:
        cut = _words(self.cut)
        said = {f"changes within each {cut}": self.rate, f"the mix by {cut}": self.mix}
        return " and ".join(f"{part} {self._brought(amount, currency)}" for part, amount in said.items())

    def _brought(self, amount: float, currency: str) -> str:
        way = _sign(self._shown(amount))
        amount_said = self._amount(amount, currency).replace("percentage point", "point")
        return f"{'added' if way > 0 else 'took away'} {amount_said}" if way else "changed nothing"

    def _named(self, part: Row) -> str:
        """Return a member's name, with that of the cut where it would be read as a number: `hour 14`."""
        name = str(part["member"])
        return f"{_words(self.cut)} {name}" if name[:1].isdigit() else name

    def _lead(self, currency: str) -> str:
        """Name the member that did most for the total's way, if it is measured on cases enough."""
        known = self.parts[self.parts["sure"]]
        if known.empty:
            return ""
        most = known.loc[(known["together"] * self._way).idxmax()].to_dict()
        leads = self._shown(most["together"]) * self._way > 0
        return f"; {self._named(most)} brought most ({self.signed(most['together'], currency)})" if leads else ""

    def _shift(self) -> str:
        """Name the member whose weight did most for the total's way."""
        most = self.parts.loc[(self.parts["mix"] * self._way).idxmax()].to_dict()
        grew = most["weight"] > most["weight_before"]
        level = "higher" if (self._way > 0) == grew else "lower"
        weights = [printed(most[name], "percent") for name in ("weight_before", "weight")]
        return f"the weight of {self._named(most)}, where values are {level}, {'grew' if grew else 'shrank'} from " + (
            " to ".join(weights)
        )


def decompose(frame: pd.DataFrame, kpi: str, cut: str, period: Period) -> Drivers | str:
    """Return what moved a KPI since the period before, by the members of a cut, or in words why that cannot be told."""
    now, before = (_total(frame, kpi, each) for each in (period, period.previous))
    if now is None:
        return f"{kpi} has no number for {period.label}."
    title, by = now["title"], _words(cut)
    if before is None or now["status"] != "ok" or before["status"] != "ok":
        return f"{title}: there are not two numbers, of {period.previous.label} and {period.label}, to compare."
    if now["provisional"]:
        return f"{title}: provisional ({now['anchor']}); what moved it can be told when it is final."
    if str(now["method"]).startswith("Kaplan-Meier"):
        why = "estimated over all cases together, those still open too"
        return f"{title}: {why}, so that the numbers by {by} do not add up to it and its change has no parts."
    if pd.isna(now["denominator"]):
        return f"{title}: a plain count or amount has no mix; its numbers by {by} show what changed."
    members = _members(frame, kpi, cut, period)
    if members.empty or not all(_adds_up(members, total, end) for total, end in ((now, ""), (before, "_before"))):
        return f"{title}: the numbers by {by} do not add up to the total, so its change has no parts by {by}."
    return Drivers(cut, now, before, _as_printed(_split(members, now, before), now, before))


def leaves(rows: Sequence[Row]) -> bool:
    """Tell whether numbers add up as steps: each that shall be high is what those taken away before it leave."""
    level = rows[0]["value"]
    for row in rows[1:]:
        if row["better"] == "lower":
            level -= row["value"]
        elif not math.isclose(row["value"], level, rel_tol=1e-6, abs_tol=0.005):
            return False
    return bool(rows[-1]["better"] != "lower" and rows[0]["better"] != "lower")


def adding_up(parts: Sequence[float], total: float, step: float) -> list[float]:
    """Round parts to steps so that they add up to a total: what was cut off most is rounded up first."""
    steps = [part / step for part in parts]
    whole = [math.floor(number + 1e-9) for number in steps]
    each, rest = divmod(round(total / step) - sum(whole), len(whole))
    order = sorted(range(len(whole)), key=lambda place: round(whole[place] - steps[place], 9))
    extra = {place: each + (rank < rest) for rank, place in enumerate(order)}
    return [(number + extra[place]) * step + 0.0 for place, number in enumerate(whole)]


def _total(frame: pd.DataFrame, kpi: str, period: Period) -> Row | None:
    rows = frame[(frame["kpi"] == kpi) & frame["cut"].isna() & (frame["period"] == str(period))]
    return None if rows.empty else {str(name): value for name, value in rows.iloc[0].items()}


def _members(frame: pd.DataFrame, kpi: str, cut: str, period: Period) -> pd.DataFrame:
    """Return value, weight (0 to 1) and whether there are cases enough, of each member in both periods."""
    rows = frame[(frame["kpi"] == kpi) & (frame["cut"] == cut)]
    ends = []
    for each, end in ((period, ""), (period.previous, "_before")):
        of = rows[rows["period"] == str(each)].set_index("member")
        size = of["denominator"].fillna(0)
        known = pd.DataFrame({"value": of["value"], "weight": size / size.sum(), "few": of["status"] == "small_sample"})
        ends.append(known[size > 0].add_suffix(end))
    return ends[0].join(ends[1], how="outer")


def _adds_up(members: pd.DataFrame, total: Row, end: str) -> bool:
    made = (members[f"value{end}"] * members[f"weight{end}"]).sum()
    return math.isclose(made, total["value"], rel_tol=1e-9, abs_tol=1e-9)


def _split(members: pd.DataFrame, now: Row, before: Row) -> pd.DataFrame:
    values = [members["value_before"], members["value"]]
    first, last = values[0].fillna(values[1]), values[1].fillna(values[0])
    weights = members[["weight_before", "weight"]].fillna(0.0)
    middle = (now["value"] + before["value"]) / 2
    return pd.DataFrame(
        {
            "member": members.index,
            "before": values[0],
            "now": values[1],
            "weight_before": 100 * weights["weight_before"],
            "weight": 100 * weights["weight"],
            "rate": weights.mean(axis=1) * (last - first),
            "mix": ((first + last) / 2 - middle) * (weights["weight"] - weights["weight_before"]),
            "sure": ~members[["few", "few_before"]].eq(True).any(axis=1),
        }
    )


def _as_printed(parts: pd.DataFrame, now: Row, before: Row) -> pd.DataFrame:
    """Round the parts so that they add up to the change that is printed."""
    step = _step(now, before)
    change = _printed_change(now["value"], before["value"], now)
    totals = adding_up([parts["rate"].sum(), parts["mix"].sum()], change, step)
    for name, total in zip(("rate", "mix"), totals, strict=True):
        parts[name] = adding_up(parts[name].tolist(), total, step)
    parts["together"] = parts["rate"] + parts["mix"]
    order = parts["together"].abs().sort_values(ascending=False, kind="stable").index
    return parts.loc[order].reset_index(drop=True)


def _printed_change(now: float, before: float, row: Row) -> float:
    ends = [rounded(value, row["unit"]) for value in (now, before)]
    return 0.0 if None in ends else ends[0] - ends[1]  # type: ignore[operator]


def _step(*rows: Row) -> float:
    """Return the smallest step between two printed values of this size."""
    unit, values = rows[0]["unit"], [abs(row["value"]) for row in rows]
    if scale := SECONDS.get(unit):
        seconds = min(values) * scale
        return (3600 if seconds >= 86400 else 60 if seconds >= 3600 else 1) / scale
    if unit == "count":
        return 0.1
    return 1.0 if unit == "currency" and min(values) >= 1000 else 10.0 ** -UNITS[unit].decimals


def _sign(number: float) -> int:
    return 0 if abs(number) < 1e-9 else 1 if number > 0 else -1


def _went(way: int) -> str:
    return "rose" if way > 0 else "fell"


def _words(cut: str) -> str:
    return cut.replace("_", " ")


def _name(before: Row, now: Row) -> str:
    year = Period.parse(now["period"]).first_day.year
    return Period.parse(before["period"]).label.removesuffix(f" {year}") or NONE
