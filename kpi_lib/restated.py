"""Numbers that have changed since they were issued: from what to what, and why, where that can be told.

A scorecard keeps `traces` of what its periods were counted from. Those of an issued one are compared with today's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import isclose
from typing import Any

from kpi_lib.about import definitions_of
from kpi_lib.contract import TABLES, instant
from kpi_lib.facts import Data
from kpi_lib.facts.calendar import INSTANT, whole_seconds
from kpi_lib.facts.ticket_history import statuses
from kpi_lib.kpis import registry
from kpi_lib.language import forms, message, speak
from kpi_lib.params import Params
from kpi_lib.period import Period
from kpi_lib.scorecard import STANDING, TREND, Scorecard, data
from kpi_lib.source import Source
from kpi_lib.units import printed

Traces = dict[str, int]

DEFINITION = message("definition changed")
CONFIGURATION = message("configuration changed")
EITHER = message("definition or configuration changed")
PROVISIONAL = message("the number was provisional")
LATE, GONE = message("late rows"), message("rows taken away")
MERGED, REOPENED = message("merged tickets"), message("reopened tickets")
UNKNOWN = message("cause not known")
MOST = 3  # numbers of a period that one cause moved and that have a line each; of more, as many are named in one
LINE = message("Restated since issued: {title}, {period}: {was} issued, {now} now ({cause}).")
SEVERAL = forms(
    "Restated since issued: {count} number of {period} ({cause}), among them {named}.",
    "Restated since issued: {count} numbers of {period} ({cause}), among them {named}.",
)
NAMED = message("{title} ({was} issued, {now} now)")
VERDICTS = {
    "missed": message(
        "{title} of {period} was issued as {was}, which met its target; it is {now} now, which misses it ({cause})."
    ),
    "on_target": message(
        "{title} of {period} was issued as {was}, which missed its target; it is {now} now, which meets it ({cause})."
    ),
}
_SUPPORT = {"tickets", "ticket_events"}  # the state of a ticket comes from both


def restated(issued: Iterable[Scorecard], now: Scorecard) -> list[dict[str, Any]]:
    """Return, as plain data, each issued headline number that is printed otherwise now, oldest period first.

    Only the totals of an issue's own period are compared; `now` has all periods of the same slice. What was
    issued without a number is not restated when there is one.
    """
    found = []
    for then in sorted(issued, key=lambda card: card.period):
        before, today = (_headlines(card, then.period) for card in (then, now))
        for key, was in before.items():
            row = today.get(key)
            if row is not None and was["status"] == "ok" and _differ(was, row, then, now):
                found.append(_restatement(was, row, then, now))
    return found


def lines(restatements: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> list[str]:
    """Return a line for each restatement, but one for many of a period and cause, which names those with a target."""
    to, found = speak(about), []
    alike: defaultdict[tuple[str, tuple[str, ...]], list[Mapping[str, Any]]] = defaultdict(list)
    for each in restatements:
        alike[each["period"], tuple(each["causes"])].append(each)
    for group in alike.values():
        if len(group) > MOST:
            group.sort(key=lambda each: VERDICTS.keys().isdisjoint((each["verdict"], each["verdict_issued"])))
            told = [_said(each, about) for each in group[:MOST]]
            named = to.listed([to.say(NAMED, **said) for said in told])
            found.append(to.many(*SEVERAL, len(group), named=named, period=told[0]["period"], cause=told[0]["cause"]))
        else:
            found += [to.say(LINE, **_said(each, about)) for each in group]
    return found


def verdicts(restatements: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each restatement that turns a target met into one missed or back, for page one."""
    return [
        speak(about).say(VERDICTS[each["verdict"]], **_said(each, about))
        for each in restatements
        if {each["verdict"], each["verdict_issued"]} == set(VERDICTS)
    ]


def noted(card: Scorecard, source: Source, params: Params, issued: Iterable[Scorecard]) -> Scorecard:
    """Return the scorecard with what has changed since `issued`, and what a later one will compare with it.

    That is `restated`, and `traces` with the `code` of each declaration, in what the scorecard says about itself.
    """
    periods = Period.parse(card.period).trailing(TREND)
    kept = {"traces": traces(data(source, params, periods))}
    return with_restated(Scorecard(card.frame, card.about | kept), issued)


def with_restated(card: Scorecard, issued: Iterable[Scorecard]) -> Scorecard:
    """Return the scorecard with what has changed since `issued`; without traces, no cause in the data is told."""
    coded = Scorecard(card.frame, card.about | {"code": definitions_of(registry())})
    return Scorecard(card.frame, coded.about | {"restated": restated(issued, coded)})


def traces(data: Data) -> dict[str, Traces]:
    """Return by period what a later extract is compared with: its rows by table, and its merged and reopened tickets.

    Of customers, subscriptions and transactions all rows up to the period's end count. A ticket is reopened in the
    period that it was created in and in that of the resolution before.
    """
    import ibis

    counted = [_rows(data, name) for name in data.tables]
    if data.has("tickets"):
        counted.append(_merged(data))
    if data.has("tickets") and data.has("ticket_events"):
        counted.append(_reopened(data))
    frame = (ibis.union(*counted) if len(counted) > 1 else counted[0]).to_pandas().set_index("what")
    return {
        period: {str(what): int(rows) for what, rows in frame[f"period_{place}"].fillna(0).items()}
        for place, (period, _, _) in enumerate(data.calendar.bounds)
    }


def _rows(data: Data, name: str) -> Any:
    rows, table = data.table(name), TABLES[name]
    at = instant(rows, table) if table.event_time else rows["period_start"].cast(INSTANT)
    return _by_period(data, rows, name, whole_seconds(at), since=name not in STANDING)


def _merged(data: Data) -> Any:
    tickets = data.table("tickets")
    rows = tickets.filter(tickets.merged_into_id.notnull())
    return _by_period(data, rows, "merged", whole_seconds(rows.created_at))


def _reopened(data: Data) -> Any:
    import ibis

    rows, tickets = statuses(data), data.table("tickets")
    earlier = ibis.window(group_by="ticket_id", order_by="number", preceding=(None, 1))
    rows = rows.mutate(resolved_at=rows.resolution.ifelse(rows["at"], ibis.null(INSTANT)).max().over(earlier))
    created = tickets.select("created_at", of_ticket="ticket_id")
    rows = rows.filter(rows.reopening).inner_join(created, rows.ticket_id == created.of_ticket)
    return _by_period(data, rows, "reopened", whole_seconds(rows.created_at), whole_seconds(rows.resolved_at))


def _by_period(data: Data, rows: Any, what: str, *at: Any, since: bool = True) -> Any:
    """Count the rows of which one of the instants lies in each period, or, not `since` its start, before its end."""
    import ibis

    counts = {}
    for place, (_, start, end) in enumerate(data.calendar.bounds):
        within = [((each < end) & (each >= start) if since else each < end).fill_null(False) for each in at]
        counts[f"period_{place}"] = ibis.or_(*within).sum().cast("int64")
    return rows.aggregate(**counts).mutate(what=ibis.literal(what))


def _headlines(card: Scorecard, period: str) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Return the totals of a period's headline numbers, by address and slice."""
    return {(row["kpi"], row["audience"]): row for row in card.headlines(period).to_dict("records")}


def _differ(was: Mapping[str, Any], row: Mapping[str, Any], then: Scorecard, now: Scorecard) -> bool:
    """Whether a number is printed otherwise, by more than the arithmetic of machines."""
    if row["status"] != "ok":
        return True
    same = isclose(was["value"], row["value"], rel_tol=1e-9, abs_tol=1e-12)
    return not same and _printed(was, then.about) != _printed(row, now.about)


def _printed(row: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    value = float(row["value"]) if row["status"] == "ok" else None
    return printed(value, row["unit"], about["currency"], language=speak(about))


def _restatement(was: Mapping[str, Any], row: Mapping[str, Any], then: Scorecard, now: Scorecard) -> dict[str, Any]:
    return {
        "kpi": row["kpi"],
        "title": now.about["kpis"].get(row["kpi"], row)["title"],
        "period": row["period"],
        "was": _printed(was, then.about | {"language": now.about.get("language", "en")}),
        "now": _printed(row, now.about),
        "value_issued": float(was["value"]),
        "value": float(row["value"]) if row["status"] == "ok" else None,
        "verdict_issued": was["verdict"],
        "verdict": row["verdict"],
        "issued_as_of": then.about["as_of"],
        "causes": causes(was, row, then, now) or [UNKNOWN],
    }


def causes(was: Mapping[str, Any], row: Mapping[str, Any], then: Scorecard, now: Scorecard) -> list[str]:
    """Return why a number is another than it was, as far as both scorecards tell."""
    causes = [*_of_meaning(was, row, then.about, now.about)]
    if was["provisional"]:
        return [*causes, PROVISIONAL]
    before, today = (card.about.get("traces", {}).get(row["period"], {}) for card in (then, now))
    if not before:
        return causes
    declared = now.about["kpis"][row["kpi"]]["needs"]
    needs = {table for need in declared for table in need.split(" or ")}
    needs |= _SUPPORT if needs & _SUPPORT else set()
    more = {what: today.get(what, 0) - before.get(what, 0) for what in {*before, *today}}
    tables = [more.get(table, 0) for table in needs]
    told = {
        LATE: any(rows > 0 for rows in tables),
        GONE: any(rows < 0 for rows in tables),
        MERGED: bool(needs & _SUPPORT) and more.get("merged", 0) > 0,
    }
    causes += [cause for cause, holds in told.items() if holds]
    may_count = "ticket_events" in declared or (bool(needs & _SUPPORT) and not causes)  # not all look at resolutions
    return [*causes, REOPENED] if may_count and more.get("reopened", 0) > 0 else causes


def _of_meaning(
    was: Mapping[str, Any], row: Mapping[str, Any], then: Mapping[str, Any], now: Mapping[str, Any]
) -> list[str]:
    """Return what has changed of a number's meaning: its code, the values it reads, or how the tables are read."""
    codes = [about.get("code", {}).get(row["kpi"]) for about in (then, now)]
    causes = []
    if None not in codes and codes[0] != codes[1]:
        causes.append(DEFINITION)
    elif was["definition"] != row["definition"]:
        causes.append(EITHER if None in codes else CONFIGURATION)
    mappings = [
        {file: digest for file, digest in about["inputs"]["files"].items() if file.endswith(".sql")}
        for about in (then, now)
    ]
    settings = [
        (about["time_zone"], about["currency"], mapping) for about, mapping in zip((then, now), mappings, strict=True)
    ]
    if settings[0] != settings[1] and CONFIGURATION not in causes:
        causes.append(CONFIGURATION)
    return causes


def _said(restatement: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, str]:
    language = speak(about)
    return {
        "title": language.named(restatement["title"]),
        "period": language.period(Period.parse(restatement["period"])),
        "was": restatement["was"],
        "now": restatement["now"],
        "cause": language.listed([language.say(cause) for cause in restatement["causes"]]),
    }
