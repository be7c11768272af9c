"""Support operations, topics: what is asked about, and what comes back."""

from typing import TYPE_CHECKING, Any

from kpi_lib.estimate import ByMember, Count, Distinct, Estimator, PerMember, Share
from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.kpi import kpi
from kpi_lib.period import Period

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

USUAL_PERIODS = 3
FALSE_ALARMS = 0.05
CUTS = ("channel", "type", "product", "team", "segment")
RECURRING = ("thresholds.recurring_tickets",)


@kpi(fact="tickets_created", unit="percent", better="none", title="Tickets by type")
def tickets_by_type(ticket: Any) -> ByMember:
    """The share of tickets that are of each type.

    Formula: 100 valid customer-initiated tickets of the type / all of them; those without a type are one
    more row.
    Source: S2 §9.
    Differs from: tools that leave tickets without a type out; a type that is corrected later changes the month.
    """
    return ByMember(Count(ticket), cut="type")


@kpi(fact="tickets_created", unit="count", better="lower", cuts=CUTS, params=RECURRING)
def recurring_incidents(ticket: Any, *, recurring_tickets: int) -> Estimator:
    """How many problems were behind {recurring_tickets} tickets or more of the period, from two customers or more.

    Formula: different problems with {recurring_tickets} or more valid customer-initiated tickets created in the period;
    a ticket that is linked to no problem is about its type and product.
    Source: S2 §13.
    Differs from: lists of problem records, which have those that nobody asked about again.
    """
    return Distinct(cluster="problem", of=_recurring(ticket, recurring_tickets))


@kpi(
    companion="recurring_incidents.share",
    fact="tickets_created",
    unit="percent",
    better="lower",
    cuts=CUTS,
    params=RECURRING,
    title="Tickets about recurring problems",
)
def recurring_share(ticket: Any, *, recurring_tickets: int) -> Estimator:
    """The share of tickets that are about a problem that recurs: {recurring_tickets} tickets or more in the period."""
    return Share(_recurring(ticket, recurring_tickets), of=ticket.every)


@kpi(
    companion="recurring_incidents.unlinked",
    fact="tickets_created",
    unit="percent",
    better="lower",
    cuts=CUTS,
    title="Tickets linked to no problem",
)
def unlinked(ticket: Any) -> Estimator:
    """The share of tickets that nobody has linked to a problem; the more, the less is known of what recurs."""
    return Share(~ticket.linked, of=ticket.every)


@kpi(
    fact="tickets_resolved",
    unit="percent",
    better="lower",
    cuts=("channel", "type", "team", "segment"),
    horizon="thresholds.repeat_contact_days",
    known="customer_id",
)
def repeat_contact_rate(ticket: Any) -> Estimator:
    """The share of resolved tickets whose customer asked again about the same within {repeat_contact_days} days.

    Formula: 100 followed by another ticket of the same customer and type within {repeat_contact_days} days / valid
    customer-initiated tickets resolved in the period.
    Source: S2 §14.
    Differs from: counts of customers with several tickets, who may have asked about different things.
    """
    return Share(ticket.next_contact_at.notnull(), of=ticket.by_customer, cluster="customer_id")


@kpi(
    companion="repeat_contact_rate.seven_days",
    fact="tickets_resolved",
    unit="percent",
    better="lower",
    cuts=("channel", "type", "team", "segment"),
    horizon="thresholds.first_contact_days",
    params=("thresholds.first_contact_days",),
    known="customer_id",
    title="Asked again soon",
)
def repeated_soon(ticket: Any, *, first_contact_days: int) -> Estimator:
    """The share of resolved tickets whose customer asked again about the same within {first_contact_days} days."""
    since = whole_seconds(ticket.next_contact_at) - whole_seconds(ticket.resolved_at)
    soon = (since <= first_contact_days * 86400).fill_null(False)
    return Share(soon, of=ticket.by_customer, cluster="customer_id")


@kpi(
    companion="repeat_contact_rate.contacts_per_customer",
    fact="contacts",
    unit="ratio",
    better="lower",
    cuts=("segment", "country"),
    known="customer_id",
    title="Requests of a customer",
)
def contacts_per_customer(contact: Any) -> Estimator:
    """How many requests a customer made who made any: tickets and answered calls."""
    return PerMember(cluster="customer_id", of=contact.answered)


@kpi(fact="tickets_created", unit="percent", better="none", title="Most common issues")
def most_common_issues(ticket: Any) -> ByMember:
    """The share of tickets that are about each topic: their type, or the problem of one without a type.

    Formula: 100 valid customer-initiated tickets about the topic / all of them.
    Source: S3 l.20, S3 l.24.
    Differs from: tag counts, where a ticket with two tags counts twice.
    """
    return ByMember(Count(ticket), cut="issue")


@kpi(
    companion="most_common_issues.rank",
    fact="tickets_created",
    unit="count",
    better="none",
    model=True,
    table="issue",
    title="Rank of an issue",
)
def rank_of_issue(tickets: "pd.DataFrame") -> "pd.DataFrame":
    """The place of each topic by its tickets, 1 the most, and the places that chance alone could have given it.

    Formula: limits are the middle 95 % of its ranks in 2,000 seeded draws of as many tickets from the same shares.
    """
    import numpy as np
    from scipy.stats import rankdata

    from kpi_lib.ranking import DRAWS, TAILS, seeded

    counts = _by_issue(tickets)
    totals = counts.sum(axis=1).to_numpy(float)[:, None]
    numbers = counts.to_numpy(float)
    value = np.where(numbers > 0, rankdata(-numbers, method="min", axis=1), np.nan)
    low, high = value.copy(), value.copy()
    for place, total in enumerate(totals[:, 0]):
        if total:
            drawn = seeded("most common issues").multinomial(int(total), numbers[place] / total, DRAWS)
            places = rankdata(-drawn, method="min", axis=1)
            limits = np.quantile(places, TAILS, axis=0, method="inverted_cdf")
            low[place], high[place] = np.minimum(limits[0], value[place]), np.maximum(limits[1], value[place])
    sizes = {"numerator": numbers, "denominator": totals, "n": totals}
    return _laid(counts, value=value, low=low, high=high, **sizes, method="multinomial bootstrap")


@kpi(
    companion="most_common_issues.change",
    fact="tickets_created",
    unit="percent",
    better="none",
    model=True,
    table="issue",
    title="Change of an issue",
)
def change_of_issue(tickets: "pd.DataFrame") -> "pd.DataFrame":
    """By how many percent the tickets about a topic differ from the mean of the three periods before.

    Formula: exact conditional test of two Poisson counts for each topic, and over the topics of a period the procedure
    of Benjamini and Hochberg, which keeps false alarms to 5 % of the changes that it names.
    """
    import numpy as np

    from kpi_lib.intervals import over, signal_bar

    counts = _by_issue(tickets)
    before = counts.shift(1).rolling(USUAL_PERIODS).sum().to_numpy()
    known = (_inside(counts).shift(1).rolling(USUAL_PERIODS).sum() == USUAL_PERIODS).to_numpy()
    over_yet = counts.index.map(tickets.attrs["complete"]).to_numpy(bool)
    enough = (known & over_yet)[:, None]
    numbers, usual = counts.to_numpy(float), before / USUAL_PERIODS
    value = np.where(enough, 100 * (over(numbers, usual) - 1), np.nan)
    tail = _p_values(numbers, numbers + before, 1 / (USUAL_PERIODS + 1))
    said = tail <= np.array([[signal_bar(row, FALSE_ALARMS)] for row in tail])
    test = "exact Poisson test, Benjamini-Hochberg 5 %"
    method = np.where(said, f"{test}: a change", f"{test}: within chance")
    return _laid(
        counts,
        value=value,
        numerator=numbers,
        denominator=usual,
        n=numbers + before,
        status=_status(value, enough),
        method=np.where(
            enough,
            method,
            np.where(over_yet, f"the {USUAL_PERIODS} periods before are needed", "not over yet")[:, None],
        ),
    )


@kpi(
    companion="most_common_issues.twelve_months",
    fact="tickets_created",
    unit="percent",
    better="none",
    model=True,
    table="issue",
    title="Issues of twelve months",
)
def issues_of_twelve_months(tickets: "pd.DataFrame") -> "pd.DataFrame":
    """The share of each topic in the tickets of the twelve months up to the period's end; it shows rare topics."""
    import numpy as np

    from kpi_lib.intervals import over, wilson

    counts = _by_issue(tickets)
    window = 12 // Period.parse(counts.index[0]).months
    year = counts.rolling(window).sum().to_numpy()
    enough = (_inside(counts).rolling(window).sum() == window).to_numpy()[:, None]
    total = year.sum(axis=1, keepdims=True)
    value = np.where(enough, 100 * over(year, np.broadcast_to(total, year.shape)), np.nan)
    low, high = (np.where(enough, 100 * limit, np.nan) for limit in wilson(year, total))
    sizes = {"numerator": year, "denominator": total, "n": total}
    method = np.where(enough, "Wilson", "fewer than twelve months in the trend up to here")
    return _laid(counts, value=value, low=low, high=high, **sizes, status=_status(value, enough), method=method)


def _recurring(ticket: Any, least: int) -> Any:
    return ((ticket.problem_tickets >= least) & ticket.problem_is_of_several).fill_null(False)


def _by_issue(tickets: "pd.DataFrame") -> "pd.DataFrame":
    """Return the tickets about each issue: a row a period, oldest first, and a column an issue."""
    counts = tickets.pivot(index="period", columns="member", values="tickets")
    return counts.reindex(tickets.attrs["periods"]).fillna(0)


def _inside(counts: "pd.DataFrame") -> "pd.Series":
    """Return 1 for each period from the first with a ticket on: an empty one after it is a true zero."""
    return counts.sum(axis=1).gt(0).cummax().astype(int)


def _laid(counts: "pd.DataFrame", **columns: Any) -> "pd.DataFrame":
    """Return a row a period and issue with these columns, each given in the shape of `counts`."""
    import numpy as np
    import pandas as pd

    index = pd.MultiIndex.from_product([counts.index, counts.columns], names=["period", "member"])
    wide = {name: np.broadcast_to(given, counts.shape).ravel() for name, given in columns.items()}
    return pd.DataFrame(wide, index=index).reset_index()


def _status(value: "np.ndarray", enough: "np.ndarray") -> "np.ndarray":
    import numpy as np

    return np.where(enough, np.where(np.isnan(value), "undefined", "ok"), "not_estimable")


def _p_values(count: "np.ndarray", of: "np.ndarray", share: float) -> "np.ndarray":
    """Return how likely a count so far off is, on either side, among `of` tickets that fall here with this chance."""
    import numpy as np
    from scipy.special import bdtr, bdtrc

    whole = np.nan_to_num(of).astype(int)
    fewer, more = bdtr(count, whole, share), np.where(count > 0, bdtrc(np.maximum(count - 1, 0), whole, share), 1.0)
    return np.where(of > 0, np.minimum(2 * np.minimum(fewer, more), 1.0), np.nan)
