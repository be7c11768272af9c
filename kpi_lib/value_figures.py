"""What customers are worth: how it is spread over them, and whether the model's prediction of a year ago came true.

Each as sentence, figure and table, from what the scorecard says of them in `about["value"]`.
"""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from kpi_lib.charts import (
    COLOUR,
    INK,
    WIDTH,
    house_style,
    new_axes,
    period_labels,
    present,
    put_title,
    write_number,
)
from kpi_lib.display import Column, Finding, Note, Shown, Table, backed
from kpi_lib.insight import About
from kpi_lib.language import message, speak
from kpi_lib.period import Period
from kpi_lib.scales import set_scale, set_steps
from kpi_lib.units import printed

Found = Mapping[str, Any]
TRACKS = {"customers": "percent", "revenue": "percent", "orders": "count"}  # in which unit each is drawn

_LOST = {  # by whether more were lost than expected
    1: message(
        "Of {customers} customers in {start} the model expected {expected} to be lost by {end}; {actual} were, "
        "{error} more."
    ),
    0: message("Of {customers} customers in {start} the model expected {expected} to be lost by {end}; {actual} were."),
    -1: message(
        "Of {customers} customers in {start} the model expected {expected} to be lost by {end}; {actual} were, "
        "{error} fewer."
    ),
}
_ORDERED = {
    1: message(
        "Of {customers} customers in {start} the model expected {expected} more orders by {end}; {actual} came, "
        "{error} more."
    ),
    0: message(
        "Of {customers} customers in {start} the model expected {expected} more orders by {end}; {actual} came."
    ),
    -1: message(
        "Of {customers} customers in {start} the model expected {expected} more orders by {end}; {actual} came, "
        "{error} fewer."
    ),
}


def spread(found: Found | None, about: About, colour: str = COLOUR) -> list[Shown | Figure]:
    """Return the sentence and the figure of how what customers have paid is spread, or a line that says why not."""
    if cut := _cut(about):
        return [Note(speak(about).say("How value is spread cannot be shown for one {cut}.", cut=cut))]
    if not found:
        return [Note(speak(about).say("How value is spread is not shown: too few customers are known to have bought."))]
    said = spread_in_words(found, about)
    return [Finding(said), backed(histogram(found, about, alt=said, colour=colour), spread_table(found, about))]


def holdout(found: Found | None, about: About, colour: str = COLOUR) -> list[Shown | Figure]:
    """Return the sentence and the figure of what the model predicted and what came, or a line that says why not."""
    if cut := _cut(about):
        return [Note(speak(about).say("The check of the lifetime model cannot be shown for one {cut}.", cut=cut))]
    if not found:
        return [
            Note(
                speak(about).say(
                    "The lifetime model is not checked: that takes a prediction, and a year of history before its year."
                )
            )
        ]
    said = holdout_in_words(found, about)
    return [Finding(said), backed(tracking(found, about, alt=said, colour=colour), holdout_table(found, about))]


def _cut(about: About) -> str:
    """Return the cut of which the report is of one member, in words; nothing when it is of the whole company."""
    return "".join(speak(about).cut(cut) for cut in (about.get("audience") or {}).get("where", ()))


def spread_in_words(found: Found, about: About) -> str:
    """Say what half of the customers have paid less than, and how much the tenth has paid that paid most."""
    to = speak(about)
    return to.say(
        "Half of the {customers} customers who ever bought have paid less than {median} so far; the tenth that paid "
        "most has paid {share} of the whole.",
        customers=to.number(found["customers"]),
        median=_money(found["median"], about),
        share=_share(found["tenths"][-1]["total"], found, about),
    )


def histogram(found: Found, about: About, *, alt: str = "", colour: str = COLOUR) -> Figure:
    """Draw how many customers have paid how much, with the median and the mean; the last bar has no upper end."""
    with house_style():
        to, ax, bars = speak(about), new_axes(2.1), found["bars"]
        width, counts = bars["width"], bars["customers"]
        starts = [bars["start"] + place * width for place in range(len(counts))]
        ends = {0, len(counts) - 1} if bars["start"] < 0 else {len(counts) - 1}
        for place, (start, count) in enumerate(zip(starts, counts, strict=True)):
            ax.bar(
                start, count, width, align="edge", edgecolor="white", linewidth=0.8, facecolor=colour, alpha=0.75,
                **({"hatch": "////"} if place in ends else {}),
            )  # fmt: skip
        ax.set_xlim(starts[0], starts[-1] + width)
        median, mean = (_money(found[name], about) for name in ("median", "mean"))
        _mark(ax, found["median"], to.say("half paid less than {amount}", amount=median), 0.97, "-")
        _mark(ax, found["mean"], to.say("the mean is {amount}", amount=mean), 0.85, (0, (4, 2)))
        ax.set_ylim(0, 1.05 * max(counts))
        set_scale(ax.xaxis, {"unit": "currency"}, about)
        set_scale(ax.yaxis, {"unit": "count"}, about)
        ax.grid(axis="y")
        reading = to.say(
            "customers by what they paid to the end of {period}, less what they got back; hatched: all beyond",
            period=to.period(Period.parse(about["period"])),
        )
        put_title(ax, to.say("What customers have paid so far"), reading, language=to)
        return present(ax.figure, alt, to)


def spread_table(found: Found, about: About) -> Table:
    """Return the tenths of the customers, from those who paid least: from, to, on average and of the whole."""
    to = speak(about)
    heads = [to.say("From"), to.say("To"), to.say("On average"), to.say("Of the whole")]
    lines = [
        [
            to.number(place),
            *(_money(amount, about) for amount in (tenth["low"], tenth["high"], tenth["total"] / tenth["customers"])),
            _share(tenth["total"], found, about),
        ]
        for place, tenth in enumerate(found["tenths"], 1)
    ]
    title = to.say("What {customers} customers have paid so far", customers=to.number(found["customers"]))
    return Table(title, [Column(to.say("Tenth, from the least"), "left"), *map(Column, heads)], lines)


def holdout_in_words(found: Found, about: About) -> str:
    """Say what the model expected a year ago, what came and how far that is off, and whether chance explains it."""
    to, track = speak(about), next(iter(found["tracks"].values()))
    within = track["low"][-1] <= track["actual"][-1] <= track["high"][-1]
    said = [_expected_in_words(found, about)]
    said.append(to.say("Chance alone can explain that.") if within else to.say("That is more than chance explains."))
    if paid := found["tracks"].get("revenue"):
        said.append(
            to.say(
                "Of the {revenue} a month that they paid it expected {expected} to be left; {actual} is.",
                revenue=_money(paid["start"], about),
                expected=_money(paid["expected"][-1], about),
                actual=_money(paid["actual"][-1], about),
            )
        )
    return " ".join(said)


def _expected_in_words(found: Found, about: About) -> str:
    to, (name, track) = speak(about), next(iter(found["tracks"].items()))
    expected, actual = (abs(track["start"] - track[each][-1]) for each in ("expected", "actual"))
    error = round(100 * (actual / expected - 1))
    return to.say(
        (_LOST if name == "customers" else _ORDERED)[(error > 0) - (error < 0)],
        customers=to.number(found["customers"]),
        start=to.period(Period.parse(found["start"])),
        end=to.period(Period.parse(found["periods"][-1])),
        expected=to.number(expected),
        actual=to.number(actual),
        error=to.percent(abs(error), 0),
    )


def tracking(found: Found, about: About, *, alt: str = "", colour: str = COLOUR) -> Figure:
    """Draw what the model predicted as a line with its limits, and what came as dots, a panel for each track."""
    with house_style():
        tracks = found["tracks"]
        figure = Figure(figsize=(WIDTH, 0.8 + 1.3 * len(tracks)), layout="constrained")
        panels = figure.subplots(len(tracks), sharex=True, squeeze=False)[:, 0]
        for ax, (name, track) in zip(panels, tracks.items(), strict=True):
            _panel(ax, name, track, about, colour)
            put_title(ax, *_heads(name, track, found, about), language=speak(about))
        panels[-1].set_xticks(
            range(len(found["periods"]) + 1), period_labels([found["start"], *found["periods"]], speak(about))
        )
        panels[-1].set_xlim(-0.3, len(found["periods"]) + 0.3)
        return present(figure, alt, speak(about))


def holdout_table(found: Found, about: About) -> Table:
    """Return for each period what was predicted, its limits and what came."""
    to, tracks = speak(about), found["tracks"]
    named = {
        "customers": (to.say("Customers predicted"), to.say("Customers there")),
        "revenue": (to.say("Revenue predicted"), to.say("Revenue there")),
        "orders": (to.say("Orders predicted"), to.say("Orders that came")),
    }
    columns, limits = [Column(to.say("By the end of"), "left")], to.say("95% interval")
    for name in tracks:
        columns += map(Column, (named[name][0], limits, named[name][1]))
    lines = []
    for place, period in enumerate(found["periods"]):
        line = [to.period(Period.parse(period))]
        for name, track in tracks.items():
            expected, low, high, actual = (
                _amount(name, track[each][place], about) for each in ("expected", "low", "high", "actual")
            )
            line += [expected, to.say("{low} to {high}", low=low, high=high), actual]
        lines.append(line)
    start = to.period(Period.parse(found["start"]))
    return Table(to.say("What the model of {start} predicted, and what came", start=start), columns, lines)


def _mark(ax: Axes, amount: float, words: str, height: float, style: Any) -> None:
    """Draw a line at an amount and write beside it what it is; one beyond the bars is only written, at their end."""
    low, high = ax.get_xlim()
    if amount <= high:
        ax.axvline(amount, ymax=height + 0.03, color=INK, linewidth=1.3, linestyle=style)
    left = amount <= low + 0.6 * (high - low)
    text: dict[str, Any] = {"va": "center", "ha": "left" if left else "right", "color": INK, "size": 8.5}
    text["path_effects"] = [withStroke(linewidth=2.5, foreground="white")]
    write_number(ax, words, (min(amount, high), height), (4 if left else -4, 0), ("data", "axes fraction"), **text)


def _panel(ax: Axes, name: str, track: Found, about: About, colour: str) -> None:
    whole = track["start"] / 100 if TRACKS[name] == "percent" else 1.0
    before = 100.0 if TRACKS[name] == "percent" else 0.0
    places = range(len(track["actual"]) + 1)
    expected, low, high, actual = (
        [before, *(number / whole for number in track[each])] for each in ("expected", "low", "high", "actual")
    )
    ax.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
    ax.plot(places, expected, color=colour, linewidth=1.7)
    ax.plot(places[1:], actual[1:], "o", color=INK, markersize=4.5)
    texts = {"expected": (expected[-1], colour, 400), "actual": (actual[-1], INK, 700)}
    up = max(texts, key=lambda each: texts[each][0])
    for each, (number, ink, weight) in texts.items():
        words = printed(number, TRACKS[name], language=speak(about))
        offset = (7, 7 if each == up else -7)
        write_number(ax, words, (places[-1], number), offset, "data", va="center", color=ink, weight=weight, size=8.5)
    to = speak(about)
    unit = TRACKS[name]
    set_steps(ax.yaxis, unit, lambda number: printed(number, unit, decimals=0, language=to), whole=True)
    ax.grid(axis="y")


def _heads(name: str, track: Found, found: Found, about: About) -> tuple[str, str, float]:
    """Return a panel's title, how it is to be read (said once) and the room above it."""
    to, start = speak(about), speak(about).period(Period.parse(found["start"]))
    whole = _amount(name, track["start"], about)
    titles = {
        "customers": to.say("Customers still there, of {whole} at the end of {start}", whole=whole, start=start),
        "revenue": to.say("Revenue a month still there, of {whole}", whole=whole),
        "orders": to.say(
            "Orders since {start} of the {customers} customers there were",
            start=start,
            customers=to.number(found["customers"]),
        ),
    }
    marks = [to.say("line: predicted a year ago"), to.say("shaded: 95% interval"), to.say("dots: actual")]
    return titles[name], "" if name == "revenue" else to.semicolon.join(marks), 16


def _amount(name: str, number: float, about: About) -> str:
    return _money(number, about) if name == "revenue" else speak(about).number(number)


def _money(amount: float, about: About) -> str:
    return printed(amount, "currency", about["currency"], language=speak(about))


def _share(amount: float, found: Found, about: About) -> str:
    return speak(about).percent(100 * amount / found["total"], 1)
