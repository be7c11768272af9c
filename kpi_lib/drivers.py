"""Why a number moved: how much of a change its parts brought, and how much their weights.

A number whose parts add up to it is the mean of their values, weighted by what each is measured on. Kitagawa (1955)
splits its change: that of values at the mean of both periods' weights (*rate*), and that of weights at the mean of both
periods' values (*mix*). A member's mix part is taken against the middle of the total: more weight on a member counts
for what that member is above or below the rest. A member of one period only has changed its weight, not its value.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kpi_lib.language import message, speak
from kpi_lib.period import Period
from kpi_lib.units import SECONDS, UNITS, difference, printed, rounded

About = Mapping[str, Any]
Row = Mapping[str, Any]

CHANCE = message("The change lies within the margin of error of the two numbers, so its parts may be chance.")
WHY = message("Most of the change on {period}: {member} ({amount}).")
_MOVED = {1: message("{title} rose by {amount} on {period}"), -1: message("{title} fell by {amount} on {period}")}
_REVERSED = {  # by the way of the total
    1: message("{moved} although every {cut} fell: {shift}."),
    -1: message("{moved} although every {cut} rose: {shift}."),
}
_WITHIN = {
    1: message("changes within each {cut} added {amount}"),
    -1: message("changes within each {cut} took away {amount}"),
    0: message("changes within each {cut} changed nothing"),
}
_MIX = {
    1: message("the mix by {cut} added {amount}"),
    -1: message("the mix by {cut} took away {amount}"),
    0: message("the mix by {cut} changed nothing"),
}
_SHIFTS = {  # by whether the member's values are above the total's, and whether its weight grew
    (True, True): message("the weight of {member}, where values are higher, grew from {before} to {now}"),
    (True, False): message("the weight of {member}, where values are higher, shrank from {before} to {now}"),
    (False, True): message("the weight of {member}, where values are lower, grew from {before} to {now}"),
    (False, False): message("the weight of {member}, where values are lower, shrank from {before} to {now}"),
}


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

    def signed(self, amount: float, about: About) -> str:
        """Return a part with its sign, `+1.4`; percentages are in points."""
        shown = printed(amount, self._part_unit, about["currency"], decimals=self._decimals, language=speak(about))
        return speak(about).signed("+", shown) if self._shown(amount) > 0 else shown

    @property
    def is_within_margin(self) -> bool:
        """Whether the interval of the difference (Zou and Donner 2008) covers zero, so that it may be chance."""
        rise = self.now["value"] > self.before["value"]
        ends = ("low", "high") if rise else ("high", "low")
        far = [abs(row[end] - row["value"]) for row, end in zip((self.now, self.before), ends, strict=True)]
        return bool(abs(self.now["value"] - self.before["value"]) <= math.hypot(*far))  # without limits: not known

    def sentence(self, about: About) -> str:
        """Say where the change came from, and whether it may be chance."""
        said = self._where_from(about)
        return f"{said} {speak(about).say(CHANCE)}" if self._way and self.is_within_margin else said

    def _where_from(self, about: About) -> str:
        """Name rate and mix and the member that did most; a total that moved against all of its parts says why."""
        language, title, cut = speak(about), self.now["title"], speak(about).cut(self.cut)
        before = language.seen_from(*(Period.parse(row["period"]) for row in (self.now, self.before)))
        within, mix = (self._brought(*each, about) for each in ((_WITHIN, self.rate), (_MIX, self.mix)))
        parts = language.say("{within} and {mix}", within=within, mix=mix)
        if not self._way:
            return language.say("{title}: unchanged from {period}; {parts}.", title=title, period=before, parts=parts)
        amount = self._amount(self.change, self.now["unit"], about)
        given = {"moved": language.say(_MOVED[self._way], title=title, amount=amount, period=before), "cut": cut}
        if self.is_reversed:
            return language.say(_REVERSED[self._way], **given, shift=self._shift(about))
        if self.is_against_its_parts:
            given |= {"parts": parts, "shift": self._shift(about)}
            return language.say("{moved} only through the mix by {cut}: {parts}; {shift}.", **given)
        if lead := self._lead(about):
            return language.say("{moved}: {parts}; {lead}.", **given, parts=parts, lead=lead)
        return language.say("{moved}: {parts}.", **given, parts=parts)

    @property
    def leader(self) -> Row | None:
        """The member that brought at least half of a change that is beyond the margin of error, if one did."""
        most = self._most
        if most is None or not self._way or self.is_within_margin:
            return None
        return most if most["together"] * self._way >= abs(self.change) / 2 else None

    def why(self, about: About) -> str:
        """Name the leader in a sentence."""
        assert self.leader
        before = speak(about).seen_from(*(Period.parse(row["period"]) for row in (self.now, self.before)))
        amount = self.signed(self.leader["together"], about)
        return speak(about).say(WHY, member=self._named(self.leader, about), period=before, amount=amount)

    @property
    def _most(self) -> Row | None:
        """The member that did most for the total's way, of those that are measured on cases enough."""
        known = self.parts[self.parts["sure"]]
        return None if known.empty else known.loc[(known["together"] * self._way).idxmax()].to_dict()

    @property
    def _way(self) -> int:
        return _sign(self._shown(self.change))

    @property
    def _part_unit(self) -> str:
        """The unit that parts are said in: of percentages points."""
        return "points" if self.now["unit"] == "percent" else str(self.now["unit"])

    @property
    def _decimals(self) -> int | None:
        step = _step(self.now, self.before)
        return None if self.now["unit"] in SECONDS else max(0, round(-math.log10(step)))

    def _shown(self, amount: float) -> float:
        step = _step(self.now, self.before)
        return round(amount / step) * step

    def _amount(self, amount: float, unit: str, about: About) -> str:
        return difference(abs(amount), unit, about["currency"], decimals=self._decimals, language=speak(about))

    def _brought(self, words: Mapping[int, str], amount: float, about: About) -> str:
        given = {"cut": speak(about).cut(self.cut), "amount": self._amount(amount, self._part_unit, about)}
        return speak(about).say(words[_sign(self._shown(amount))], **given)

    def _named(self, part: Row, about: About) -> str:
        """Return a member's name, with that of the cut where it would be read as a number: `hour 14`."""
        language = speak(about)
        name = language.member(self.cut, part["member"])
        return language.say("{cut} {member}", cut=language.cut(self.cut), member=name) if name[:1].isdigit() else name

    def _lead(self, about: About) -> str:
        """Name the member that did most."""
        most = self._most
        if most is None or self._shown(most["together"]) * self._way <= 0:
            return ""
        given = {"member": self._named(most, about), "amount": self.signed(most["together"], about)}
        return speak(about).say("{member} brought most ({amount})", **given)

    def _shift(self, about: About) -> str:
        """Name the member whose weight did most for the total's way."""
        most = self.parts.loc[(self.parts["mix"] * self._way).idxmax()].to_dict()
        grew = most["weight"] > most["weight_before"]
        before, now = (printed(most[name], "percent", language=speak(about)) for name in ("weight_before", "weight"))
        words = _SHIFTS[(self._way > 0) == grew, grew]
        return speak(about).say(words, member=self._named(most, about), before=before, now=now)


def decompose(frame: pd.DataFrame, kpi: str, cut: str, period: Period, about: About) -> Drivers | str:
    """Return what moved a KPI since the period before, by the members of a cut, or in words why that cannot be told."""
    language = speak(about)
    now, before = (_total(frame, kpi, each) for each in (period, period.previous))
    periods = {"before": language.period(period.previous), "now": language.period(period)}
    if now is None:
        return language.say("{kpi} has no number for {now}.", kpi=kpi, **periods)
    given = {"title": now["title"], "cut": language.cut(cut)}
    if before is None or now["status"] != "ok" or before["status"] != "ok":
        return language.say(
            "{title}: there are not two numbers, of {before} and {now}, to compare.", **given, **periods
        )
    if now["provisional"]:
        return language.say(
            "{title}: provisional ({anchor}); what moved it can be told when it is final.",
            **given,
            anchor=about["kpis"][now["kpi"]]["anchor"],
        )
    if str(now["method"]).startswith("Kaplan-Meier"):
        return language.say(
            "{title}: estimated over all cases together, those still open too, so that the numbers by {cut} do not "
            "add up to it and its change has no parts.",
            **given,
        )
    if pd.isna(now["denominator"]):
        return language.say(
            "{title}: a plain count or amount has no mix; its numbers by {cut} show what changed.", **given
        )
    members = _members(frame, kpi, cut, period)
    if members.empty or not all(_adds_up(members, total, end) for total, end in ((now, ""), (before, "_before"))):
        return language.say(
            "{title}: the numbers by {cut} do not add up to the total, so its change has no parts by {cut}.", **given
        )
    return Drivers(cut, now, before, _as_printed(_split(members, now, before), now, before))


def why(frame: pd.DataFrame, kpi: str, cuts: Sequence[str], period: Period, about: About) -> str:
    """Return in a sentence which member of any of the cuts brought most of a change; nothing where none stands out."""
    frame = frame[frame["kpi"] == kpi]
    found = [decompose(frame, kpi, cut, period, about) for cut in cuts]
    led = [(abs(moved.leader["together"]), moved) for moved in found if isinstance(moved, Drivers) and moved.leader]
    return max(led, key=lambda each: each[0])[1].why(about) if led else ""


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
