"""The data page: what the numbers were counted from, whether that can be trusted, and where it comes from."""

import json
from collections import defaultdict
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pandas as pd

from kpi_lib import provenance, restated
from kpi_lib.captions import short
from kpi_lib.contract import PLANNED
from kpi_lib.display import Column, Table
from kpi_lib.insight import About
from kpi_lib.language import speak
from kpi_lib.localise import told
from kpi_lib.params import Params
from kpi_lib.parts import count
from kpi_lib.period import Period, parse_instant
from kpi_lib.units import NONE


def data_page(headlines: pd.DataFrame, about: About, params: Params, kpis: Iterable[str] = ()) -> Table:
    """Return per table the rows read and left out, then what was not counted, checks and provenance.

    With `kpis`, it is confined to these and to the tables that they are counted from. The names of tables and columns
    are those of the contract in every language.
    """
    if heads := {kpi.partition(".")[0] for kpi in kpis}:
        headlines, about = headlines[headlines["kpi"].isin(heads)], _confined(about, heads)
    to, there = speak(about), [table for table in about["tables"] if table["present"]]
    columns = [
        Column(to.say("Table"), "left"), Column(to.say("Rows read")), Column(to.say("Left out, and why"), "left"),
        Column(to.say("First")), Column(to.say("Last")),
    ]  # fmt: skip
    rows = [
        [
            table["table"],
            count(table["rows"], to),
            to.joined(f"{told(reason, to)}: {to.number(rows)}" for reason, rows in table["dropped"].items() if rows)
            or to.say("none"),
            _day(table["first"], about),
            _day(table["last"], about),
        ]
        for table in there
    ]
    return Table(
        to.say("Data behind {period}", period=to.period(Period.parse(about["period"]))),
        columns,
        rows,
        [
            *_planned(about),
            *_excluded(headlines, about),
            *_checks(about),
            *_identities(about),
            *restated.lines(about.get("restated", ()), about),
            *_provenance(about, params),
        ],
    )


def _confined(about: About, heads: set[str]) -> About:
    """Return what is said of some KPIs and of the tables that they, or companions of theirs, are counted from."""
    kpis = [said for kpi, said in about["kpis"].items() if kpi.partition(".")[0] in heads]
    read = {one.partition(".")[0] for said in kpis for name in said.get("reads", ()) for one in name.split(" or ")}
    parts = {part: [each for each in about[part] if each["table"] in read] for part in ("tables", "checks")}
    turned = [each for each in about.get("restated", ()) if each["kpi"].partition(".")[0] in heads]
    return {**about, **parts, "restated": turned}


def _planned(about: About) -> list[str]:
    """Say which tables reach beyond the extract because their rows are planned."""
    as_of = parse_instant(about["as_of"])
    ahead = [table for table in about["tables"] if table["table"] in PLANNED and table["last"]]
    return [
        speak(about).say(
            "{table}: planned rows are entered ahead, to {day}.", table=each["table"], day=_day(each["last"], about)
        )
        for each in ahead
        if parse_instant(each["last"]) > as_of
    ]


def _excluded(headlines: pd.DataFrame, about: About) -> list[str]:
    """Say which rows the definitions leave out of which numbers, those with the same exclusions together."""
    alike: defaultdict[tuple[tuple[str, int], ...], list[str]] = defaultdict(list)
    for row in headlines.to_dict("records"):
        if reasons := sorted(json.loads(row["excluded"]).items()):
            alike[tuple(reasons)].append(short(row["kpi"], about))
    to = speak(about)
    return [
        to.say(
            "Not counted in {kpis}: {reasons}.",
            kpis=to.joined(kpis),
            reasons=to.joined(f"{told(reason, to)} {to.number(rows)}" for reason, rows in reasons),
        )
        for reasons, kpis in alike.items()
    ]


def _checks(about: About) -> list[str]:
    to, said = speak(about), []
    for check in about["checks"]:
        rows = to.many("{count} row", "{count} rows", check["rows"])
        if check.get("examples"):
            examples = to.joined(map(str, check["examples"][:3]))
            rows = to.say("{rows}, for example {examples}", rows=rows, examples=examples)
        said.append(f"{check['table']}: {told(check['message'], to)} ({rows}).")
    return said or [to.say("Every check of the tables passed.")]


def _identities(about: About) -> list[str]:
    """Say whether the numbers agree with each other."""
    to, known = speak(about), about["identities"]
    if known["broken"]:
        return [
            to.say("These numbers do not agree with each other: {which}.", which=told(said, to))
            for said in known["broken"]
        ]
    if not known["checked"]:
        return []
    return [
        to.many(
            "The numbers agree with each other in the {count} way that can be checked.",
            "The numbers agree with each other in all {count} ways that can be checked.",
            known["checked"],
        )
    ]


def _provenance(about: About, params: Params) -> list[str]:
    to, absent = speak(about), [table["table"] for table in about["tables"] if not table["present"]]
    extract = to.say(
        "Extract of {moment} ({zone}); source {source}; version {version}.",
        moment=to.moment(parse_instant(about["as_of"]).astimezone(ZoneInfo(about["time_zone"]))),
        zone=about["time_zone"],
        source=params.source.name,
        version=about["version"],
    )
    not_fresh = to.say(
        "The extract's time is that of the latest event in the data, so how fresh the data is cannot be told."
    )
    of_slice = [
        to.say("The rows read and left out are those of the whole company, not of one {cut} alone.", cut=to.cut(cut))
        for cut in (about.get("audience") or {}).get("where", ())
    ]
    return [
        *of_slice,
        *([to.say("Tables that are not there: {tables}.", tables=to.joined(absent))] if absent else []),
        extract,
        *([not_fresh] if about["as_of_source"] == "latest" else []),
        _made_with(about, params),
        *([to.say("Sample data: the company is invented.")] if about["sample"] else []),
    ]


def _made_with(about: About, params: Params) -> str:
    to, commit = speak(about), provenance.commit(params.project)
    known = commit.removesuffix(provenance.CHANGED)
    at = to.say("commit {hash}", hash=known) if known == commit else to.say("commit {hash} + changes", hash=known)
    software = to.joined([*([at] if commit else []), *provenance.versions()])
    given = {"software": software, "hash": provenance.fingerprint(about.get("inputs", {}))}
    return to.say("Made with {software}; fingerprint of the data {hash}.", **given)


def _day(instant: str | None, about: About) -> str:
    """Return the company's local day of an instant."""
    if not instant:
        return NONE
    return speak(about).day(parse_instant(instant).astimezone(ZoneInfo(about["time_zone"])).date(), short=True)
