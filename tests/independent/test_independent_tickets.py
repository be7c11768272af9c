"""The desk's tickets, computed a second time from the sample company's files."""

import json

import pandas as pd
import pytest
from by_hand import Curve, agree, cost_of_each, kaplan_meier, mean, quantile, ratio, share
from known import Known, bounds, by_day, members, within

MONTHS = pytest.mark.parametrize("month", ["2024-04", "2024-05"])
KINDS = ("channel", "type", "priority", "team", "segment")
WORKING_DAYS = {"2024-04": 21, "2024-05": 20}  # without Easter Monday; without 1, 9 and 20 May
MINUTE = 60.0


def waiting(tickets: pd.DataFrame, until: pd.Series, otherwise: pd.Series) -> Curve:
    """How long tickets waited `until` something; where it never came they were watched until `otherwise`."""
    seconds = (until.fillna(otherwise) - tickets["created_at"]).dt.total_seconds()
    return kaplan_meier(seconds, until.notna())


def median(curve: Curve) -> dict[str, float]:
    return quantile(curve, 0.5, MINUTE)


@MONTHS
def test_ticket_volume(known: Known, row, card, month: str) -> None:
    contacts = known.contacts(month)
    agree(row("ticket_volume", month), {"value": len(contacts), "n": len(contacts)})
    for member, rows in members(contacts, "channel", "segment", "type", "weekday", "hour", "weekday_hour"):
        agree(row("ticket_volume", month, **member), {"value": len(rows)})
    for member, rows in members(contacts, "channel"):
        share_of_all = {"value": 100 * len(rows) / len(contacts), "numerator": len(rows), "denominator": len(contacts)}
        agree(row("tickets_by_channel", month, **member), share_of_all)
    days = WORKING_DAYS[month]
    agree(row("ticket_volume.per_working_day", month), {"value": len(contacts) / days, "denominator": days})
    calls = known.calls[within(known.calls["offered_at"], month) & known.calls["ticket_id"].isna()]
    given_up = int((calls["outcome"] == "abandoned_queue").sum())
    agree(row("ticket_volume.offered", month), {"value": len(contacts) + given_up})


@MONTHS
def test_excluded_tickets_are_counted_by_reason(known: Known, row, month: str) -> None:
    rows = known.all_tickets[within(known.all_tickets["created_at"], month)]
    expected = rows["dropped"].value_counts().to_dict()
    expected["not initiated by a customer"] = int((rows["dropped"].isna() & (rows["initiated_by"] != "customer")).sum())
    assert json.loads(row("ticket_volume", month)["excluded"]) == expected


@MONTHS
def test_changed_channel(known: Known, row, month: str) -> None:
    tickets, messages = known.created(month), known.events[known.events["kind"] == "customer_message"]
    own = messages["ticket_id"].map(tickets["channel"])
    wrote = messages.loc[own.notna() & messages["channel"].notna() & (messages["channel"] != own), "ticket_id"]
    called = known.calls["ticket_id"].map(tickets["channel"])
    called = known.calls.loc[called.notna() & (known.calls["channel"] != called), "ticket_id"]
    agree(row("tickets_by_channel.switched", month), share(tickets.index.to_series().isin(set(wrote) | set(called))))


@MONTHS
def test_first_response_time(known: Known, row, month: str) -> None:
    tickets = known.created(month)
    tickets = tickets[~tickets["live"]]

    def curve(rows: pd.DataFrame) -> Curve:
        return waiting(rows, rows["first_reply_at"], rows["resolved_at"].fillna(known.as_of))

    agree(row("first_response_time", month), median(curve(tickets)))
    agree(row("first_response_time.p90", month), quantile(curve(tickets), 0.9, MINUTE))
    agree(row("first_response_time.mean", month), mean(curve(tickets), 30, MINUTE))
    for member, rows in members(tickets, *KINDS):
        agree(row("first_response_time", month, **member), median(curve(rows)))
    never = tickets["first_reply_at"].isna() & tickets["resolved_at"].notna()
    agree(row("first_response_time.never_answered", month), share(never))


@MONTHS
def test_first_response_time_by_month_of_reply(known: Known, row, month: str) -> None:
    tickets = known.tickets[within(known.tickets["first_reply_at"], month) & ~known.tickets["live"]]
    tickets = tickets[tickets["initiated_by"] == "customer"]
    curve = waiting(tickets, tickets["first_reply_at"], tickets["created_at"])
    agree(row("first_response_time.by_reply_month", month), median(curve))


@MONTHS
def test_resolution_time(known: Known, row, month: str) -> None:
    tickets = known.created(month)
    asked = pd.Series(known.as_of, index=tickets.index)
    whole = waiting(tickets, tickets["resolved_at"], asked)
    agree(row("resolution_time", month), median(whole))
    agree(row("resolution_time.p90", month), quantile(whole, 0.9, MINUTE))
    agree(row("resolution_time.mean", month), mean(whole, 30, MINUTE))
    agree(row("resolution_time.first", month), median(waiting(tickets, tickets["first_resolved_at"], asked)))
    done = tickets[tickets["resolved_at"].notna()]
    agree(row("resolution_time.resolved_only", month), median(waiting(done, done["resolved_at"], done["created_at"])))
    for member, rows in members(tickets, *KINDS):
        curve = waiting(rows, rows["resolved_at"], asked[rows.index])
        agree(row("resolution_time", month, **member), median(curve))
        agree(row("resolution_time.p90", month, **member), quantile(curve, 0.9, MINUTE))


@MONTHS
def test_resolution_time_without_waiting_for_the_customer(known: Known, row, month: str) -> None:
    tickets, changes = known.created(month), known.statuses
    end = tickets["resolved_at"].fillna(known.as_of)
    pending = changes.assign(until=changes.groupby("ticket_id")["at"].shift(-1))
    pending = pending[(pending["to_value"] == "pending") & pending["ticket_id"].isin(tickets.index)]
    stop = pending["ticket_id"].map(end)
    lasted = (pending["until"].fillna(known.as_of).clip(upper=stop) - pending["at"]).dt.total_seconds().clip(lower=0)
    seconds = (end - tickets["created_at"]).dt.total_seconds()
    seconds -= lasted.groupby(pending["ticket_id"]).sum().reindex(tickets.index).fillna(0)
    agree(row("resolution_time.net_of_pending", month), median(kaplan_meier(seconds, tickets["resolved_at"].notna())))


@MONTHS
def test_first_contact_resolution(known: Known, row, month: str) -> None:
    tickets = known.first_contacts
    resolved = tickets[within(tickets["resolved_at"], month) & (tickets["replies"] > 0)]
    agree(row("first_contact_resolution.one_touch", month), share(resolved["one"]))
    told = resolved[resolved["customer_id"].notna()]
    agree(row("first_contact_resolution", month), share(told["one"] & ~told["back"], told["customer_id"]))
    for member, rows in members(told, "channel", "type", "team"):
        solved = share(rows["one"] & ~rows["back"], rows["customer_id"])
        agree(row("first_contact_resolution", month, **member), solved)
    created = tickets[within(tickets["created_at"], month) & tickets["customer_id"].notna()]
    created = created[~(created["resolved_at"] + pd.Timedelta(days=7) > known.as_of)]
    agree(
        row("first_contact_resolution.of_created", month),
        share(created["one"] & ~created["back"] & created["resolved_at"].notna()),
    )


@MONTHS
def test_open_cases(known: Known, row, month: str) -> None:
    start, end = bounds(month)
    stock, changes = known.stock(end), known.statuses
    agree(row("open_cases", month), {"value": len(stock)})
    for member, rows in members(stock, "status", *KINDS):
        agree(row("open_cases", month, **member), {"value": len(rows)})
    happened = changes[within(changes["at"], month)]
    created = int(within(known.valid["created_at"], month).sum())
    net = created + int(happened["reopens"].sum()) - int(happened["ends"].sum())
    agree(row("open_cases.net_flow", month), {"value": net})
    assert net == len(stock) - len(known.stock(start))
    more = pd.concat([known.valid["created_at"], changes.loc[changes["reopens"], "at"]])
    days = pd.date_range(start, end, freq="D")[1:]
    each = [int((more < day).sum()) - int((changes.loc[changes["ends"], "at"] < day).sum()) for day in days]
    agree(row("open_cases.daily_mean", month), {"value": sum(each) / len(days), "denominator": len(days)})


@MONTHS
def test_resolution_rate(known: Known, row, month: str) -> None:
    tickets = known.created(month)
    soon = tickets["resolved_at"] - tickets["created_at"] <= pd.Timedelta(days=30)
    agree(row("resolution_rate", month), share(soon))
    for member, rows in members(tickets, *KINDS):
        agree(row("resolution_rate", month, **member), share(soon[rows.index]))
    resolved = known.resolved(month)
    done = by_day(resolved.loc[resolved["initiated_by"] == "customer", "resolved_at"], month)
    agree(row("resolution_rate.throughput", month), ratio(done, by_day(tickets["created_at"], month), scale=100))
    assigned = known.events.loc[known.events["kind"] == "assign", "ticket_id"]
    agree(row("resolution_rate.of_assigned", month), share(soon[tickets.index.isin(assigned)]))


@MONTHS
def test_escalation_rate(known: Known, row, month: str) -> None:
    tickets, events = known.created(month), known.events
    rows = events[(events["kind"] == "escalate") & events["ticket_id"].isin(tickets.index)]
    level = rows["to_value"].astype(int)
    first, soon = level.groupby(rows["ticket_id"]).min(), rows["at"] - rows["ticket_id"].map(tickets["created_at"])
    reached = level[soon <= pd.Timedelta(days=14)].groupby(rows["ticket_id"]).max().reindex(tickets.index).fillna(0)
    began = (first - 1).reindex(tickets.index).fillna(tickets["tier"])  # `tier` is where a ticket is now
    agree(row("escalation_rate", month), share(reached > 0))
    for member, rows in members(tickets, *KINDS):
        agree(row("escalation_rate", month, **member), share((reached > 0)[rows.index]))
    agree(row("escalation_rate.level_2", month), share((reached >= 2)[began < 2]))
    agree(row("escalation_rate.level_3", month), share((reached >= 3)[began < 3]))
    agree(row("escalation_rate.level_2_to_3", month), share((reached >= 3)[(reached >= 2) | (began == 2)]))


@MONTHS
def test_tickets_given_up_by_the_customer(known: Known, row, month: str) -> None:
    tickets, changes = known.created(month), known.statuses
    last = changes[changes["ends"]].groupby("ticket_id").last().reindex(tickets.index)
    silent = tickets["resolved_at"].notna() & (last["actor"] == "system") & (last["before"] == "pending")
    agree(row("abandonment_rate.tickets", month), share(silent))


@MONTHS
def test_handle_time_of_tickets(known: Known, row, month: str) -> None:
    resolved = known.resolved(month)
    worked = known.events.groupby("ticket_id")["handle_seconds"].sum(min_count=1).reindex(resolved.index).dropna()
    worked = worked.astype(float)
    expected = ratio(worked, pd.Series(1.0, index=worked.index)) | {"n": len(worked)}
    agree(row("average_handle_time.tickets", month), expected)


@MONTHS
def test_cost_per_ticket(known: Known, row, month: str) -> None:
    spent = known.spent(month, "support")
    created, resolved = known.created(month)["created_at"], known.resolved(month)["resolved_at"]
    agree(row("cost_per_ticket", month), cost_of_each(spent, by_day(created, month)))
    agree(row("cost_per_ticket.resolved", month), cost_of_each(spent, by_day(resolved, month)))


@MONTHS
def test_tickets_answered_within_target(known: Known, row, month: str) -> None:
    tickets, targets = known.created(month), {"email": 480 * MINUTE, "chat": 2 * MINUTE}
    tickets = tickets[tickets["channel"].isin(targets) & ~tickets["live"]]
    end = tickets["first_reply_at"].fillna(tickets["resolved_at"]).fillna(known.as_of)
    waited = (end - tickets["created_at"]).dt.total_seconds() / tickets["channel"].map(targets)
    answered = tickets["first_reply_at"].notna()

    def within_target(rows: pd.Series) -> dict[str, float]:
        curve = kaplan_meier(waited[rows], answered[rows])
        return dict(zip(("value", "low", "high"), curve.at(1.0), strict=True)) | curve.counts

    agree(row("service_level.tickets", month), within_target(answered | True))
    for channel in targets:
        agree(row("service_level.tickets", month, channel=channel), within_target(tickets["channel"] == channel))
