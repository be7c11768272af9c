"""Support operations, live contacts: whether calls and chats are answered, how soon, and how long they take."""

import math
from typing import Any

from kpi_lib.estimate import Count, Estimator, Mean, Share, by_channel
from kpi_lib.kpi import kpi
from kpi_lib.lifetime import Estimate
from kpi_lib.waiting import Lasting

CUTS = ("channel", "queue", "weekday", "hour")
SHORT = "thresholds.short_abandon_seconds"
LEVEL = "thresholds.service_level_seconds"


@kpi(fact="calls_offered", unit="percent", better="higher", cuts=(*CUTS, "weekday_hour"), params=(SHORT, LEVEL))
def service_level(call: Any, *, short_abandon_seconds: float, service_level_seconds: dict[str, float]) -> Estimator:
    """The share of calls and chats that were answered within their channel's target.

    Formula: 100 answered within the target / (offered - abandoned within {short_abandon_seconds} seconds); a call whose
    time in the queue is not known is left out.
    Source: S1 B5.
    Differs from: Genesys, which keeps those who hung up at once among the offered, and Cisco, which has three
    treatments of abandoned calls: `service_level.all_offered`, `.answered_only` and `.ignore_short`.
    """
    in_time = _in_time(call, service_level_seconds)
    return Share(
        call.answered & in_time,
        of=_targeted(call, service_level_seconds) & _lasting(call, short_abandon_seconds),
        cluster="day",
    )


@kpi(
    companion="service_level.answered_only",
    fact="calls_offered",
    unit="percent",
    better="higher",
    params=(LEVEL,),
    title="Service level of answered calls",
)
def service_level_answered_only(call: Any, *, service_level_seconds: dict[str, float]) -> Estimator:
    """The share of answered calls and chats that were answered within the target; abandoned ones are ignored."""
    in_time = _in_time(call, service_level_seconds)
    return Share(in_time, of=call.answered & _targeted(call, service_level_seconds), cluster="day")


@kpi(
    companion="service_level.ignore_short",
    fact="calls_offered",
    unit="percent",
    better="higher",
    params=(LEVEL,),
    title="Service level, early abandons ignored",
)
def service_level_ignore_short(call: Any, *, service_level_seconds: dict[str, float]) -> Estimator:
    """The share answered within the target, when those abandoned within the target are left out."""
    in_time = _in_time(call, service_level_seconds)
    of = _targeted(call, service_level_seconds) & (call.answered | ~in_time)
    return Share(call.answered & in_time, of=of, cluster="day")


@kpi(
    companion="service_level.all_offered",
    fact="calls_offered",
    unit="percent",
    better="higher",
    params=(LEVEL,),
    title="Service level of all offered",
)
def service_level_all_offered(call: Any, *, service_level_seconds: dict[str, float]) -> Estimator:
    """The share of all offered calls and chats, every abandoned one included, that were answered within the target."""
    in_time = _in_time(call, service_level_seconds)
    return Share(call.answered & in_time, of=_targeted(call, service_level_seconds), cluster="day")


@kpi(fact="calls_offered", unit="percent", better="lower", cuts=CUTS, params=(SHORT,))
def abandonment_rate(call: Any, *, short_abandon_seconds: float) -> Estimator:
    """The share of calls and chats that the customer gave up in the queue; giving up at once is not counted at all.

    Formula: 100 (abandoned - short) / (offered - short); short is abandoned within {short_abandon_seconds} seconds.
    Source: S4 S8.
    Differs from: support desks in MetricNet's surveys, which count every abandoned call, however short; see
    `abandonment_rate.all`. Talkdesk leaves short ones out, as here.
    """
    return Share(~call.answered, of=_lasting(call, short_abandon_seconds), cluster="day")


@kpi(
    companion="abandonment_rate.all",
    fact="calls_offered",
    unit="percent",
    better="lower",
    title="Abandonment, short ones included",
)
def abandonment_rate_all(call: Any) -> Estimator:
    """The share of all offered calls and chats that were abandoned, however soon."""
    return Share(~call.answered, of=call.every, cluster="day")


@kpi(companion="abandonment_rate.patience", fact="calls_offered", unit="seconds", better="none", title="Patience")
def patience(call: Any) -> Estimator:
    """The time after which half of the customers would have given up, had nobody answered.

    Formula: Kaplan-Meier median of the time to abandon; an answered call was still waiting.
    """
    return Lasting(call.waited, finished=~call.answered)


@kpi(fact="calls_offered", unit="seconds", better="lower", cuts=CUTS, params=(SHORT,), title="Wait in the queue")
def wait_time(call: Any, *, short_abandon_seconds: float) -> Estimator:
    """The mean time that customers waited in the queue, those who gave up included.

    Formula: seconds in the queue / calls and chats answered or abandoned in it; abandoned within
    {short_abandon_seconds} seconds are left out, waits of 0 seconds are not.
    Source: S4 S9, S1 B7.
    Differs from: tools that average over answered calls alone, which look better the sooner customers give up; the time
    on hold during a call is `average_handle_time.hold`.
    """
    return Mean(call.waited, of=_lasting(call, short_abandon_seconds), cluster="day")


def _wait(name: str, title: str) -> Any:
    return kpi(
        companion=f"wait_time.{name}",
        fact="calls_offered",
        unit="seconds",
        better="lower",
        cuts=("channel", "queue"),
        params=(SHORT,),
        title=title,
    )


@_wait("median", "Wait in the queue, median")
def wait_median(call: Any, *, short_abandon_seconds: float) -> Estimator:
    """The time that half of the customers waited at most, those who gave up included."""
    return Lasting(call.waited, of=_lasting(call, short_abandon_seconds))


@_wait("p90", "Wait in the queue, nine in ten")
def wait_p90(call: Any, *, short_abandon_seconds: float) -> Estimator:
    """The time that nine in ten customers waited at most, those who gave up included."""
    return Lasting(call.waited, of=_lasting(call, short_abandon_seconds), quantile="p90")


@_wait("virtual", "Wait in the queue if nobody gave up")
def virtual_wait(call: Any, *, short_abandon_seconds: float) -> Estimator:
    """The time after which half of the customers would have been answered, had nobody given up.

    Formula: Kaplan-Meier median of the time to the answer; one who gave up was still waiting.
    """
    return Lasting(call.waited, finished=call.answered, of=_lasting(call, short_abandon_seconds))


@kpi(fact="calls_offered", unit="seconds", better="lower", cuts=(*CUTS, "team"), title="Average speed of answer")
def average_speed_of_answer(call: Any) -> Estimator:
    """The mean time in the queue of calls and chats that were answered.

    Formula: seconds in the queue of answered / answered; the menu before the queue is not counted.
    Source: S1 B7.
    Differs from: tools that start the clock when the call comes in; it improves when more customers give up, so read it
    beside `abandonment_rate` and `wait_time`.
    """
    return Mean(call.waited, of=call.answered, cluster="day")


def _answer(name: str, title: str) -> Any:
    return kpi(
        companion=f"average_speed_of_answer.{name}",
        fact="calls_offered",
        unit="seconds",
        better="lower",
        cuts=("channel", "queue"),
        title=title,
    )


@_answer("median", "Speed of answer, median")
def answer_median(call: Any) -> Estimator:
    """The time within which half of the answered calls and chats were answered."""
    return Lasting(call.waited, of=call.answered)


@_answer("p90", "Speed of answer, nine in ten")
def answer_p90(call: Any) -> Estimator:
    """The time within which nine in ten of the answered calls and chats were answered."""
    return Lasting(call.waited, of=call.answered, quantile="p90")


@kpi(fact="calls_all", unit="percent", better="lower", cuts=CUTS, title="Blocked calls")
def blockage_rate(call: Any) -> Estimator:
    """The share of calls and chats that were turned away before they reached a queue.

    Formula: 100 blocked / (answered + abandoned in the queue + blocked); no value where the source never says blocked.
    Source: S1 B10.
    Differs from: tools that see only what reached them and so know of no blocked call; each redial counts.
    """
    return Share(call.blocked, of=call.attempted, cluster="hour_of_period")


@kpi(companion="blockage_rate.count", fact="calls_all", unit="count", better="lower", title="Calls turned away")
def blocked_calls(call: Any) -> Estimator:
    """How many calls and chats were turned away: lines or places in the queue were taken, or the network failed."""
    return Count(call.blocked)


@kpi(
    companion="blockage_rate.expected",
    fact="phone_calls",
    unit="percent",
    better="lower",
    model=True,
    params=("thresholds.trunks",),
    title="Expected blocked calls",
)
def expected_blockage(hours: Any, *, trunks: int | None) -> Estimate:
    """The share of phone calls that as many lines as there are would turn away if calls came at random.

    Formula: Erlang B of each hour's load (phone calls x mean seconds in queue, talk, hold and wrap-up / 3600), averaged
    over the calls; a planning line, which needs `thresholds.trunks`.
    """
    if trunks is None:
        return Estimate(math.nan, missing="not_available", method="thresholds.trunks is not set")
    if not hours["carried"].sum():
        return Estimate(math.nan, n=0)
    mean = hours["held_seconds"].sum() / hours["carried"].sum()
    calls = hours["calls"] * hours["hours"]
    blocked = [_erlang_b(load, trunks) for load in hours["calls"] * mean / 3600]
    return Estimate(
        100 * float((calls * blocked).sum() / calls.sum()), n=float(calls.sum()), method=f"Erlang B, {trunks} lines"
    )


def _erlang_b(load: float, lines: int) -> float:
    """Return the share of calls that find all lines taken (Erlang 1917), by its recursion over the lines."""
    blocked = 1.0
    for line in range(1, lines + 1):
        blocked = load * blocked / (line + load * blocked)
    return blocked


@kpi(fact="calls_handled", unit="seconds", better="band", cuts=("channel", "queue", "team"))
def average_handle_time(call: Any) -> Estimator:
    """The mean time an agent spends on a call or chat: talk, hold and wrap-up, without the wait in the queue.

    Formula: (talk + hold + wrap-up seconds) / calls and chats handled.
    Source: S1 B11.
    Differs from: Intercom's handling time, which leaves out what waits in a team's inbox or is snoozed; Genesys, NICE
    and Amazon Connect count as here. The wait in the queue is `wait_time`.
    """
    return Mean(call.handle_seconds, cluster="agent_day")


@kpi(companion="average_handle_time.talk", fact="calls_handled", unit="seconds", better="band", title="Talk time")
def talk_time(call: Any) -> Estimator:
    """The mean time of talking."""
    return Mean(call.talk_seconds, cluster="agent_day")


@kpi(companion="average_handle_time.hold", fact="calls_handled", unit="seconds", better="lower", title="Hold time")
def hold_time(call: Any) -> Estimator:
    """The mean time a customer is put on hold during a call."""
    return Mean(call.hold_seconds, cluster="agent_day")


@kpi(companion="average_handle_time.wrap", fact="calls_handled", unit="seconds", better="band", title="Wrap-up time")
def wrap_time(call: Any) -> Estimator:
    """The mean time of work after the call."""
    return Mean(call.wrap_seconds, cluster="agent_day")


@kpi(
    companion="average_handle_time.median",
    fact="calls_handled",
    unit="seconds",
    better="band",
    title="Handle time, median",
)
def handle_time_median(call: Any) -> Estimator:
    """The handle time that half of the calls and chats stay below."""
    return Lasting(call.handle_seconds)


@kpi(
    companion="average_handle_time.p90",
    fact="calls_handled",
    unit="seconds",
    better="band",
    title="Handle time, nine in ten",
)
def handle_time_p90(call: Any) -> Estimator:
    """The handle time that nine in ten calls and chats stay below."""
    return Lasting(call.handle_seconds, quantile="p90")


def _lasting(call: Any, seconds: float) -> Any:
    """Whether a call was answered, or is known to have waited longer than so many seconds."""
    return call.answered | (call.waited > seconds).fill_null(False)


def _targeted(call: Any, seconds: dict[str, float]) -> Any:
    """Whether a call's channel has a target and its time in the queue is known."""
    return by_channel(call, seconds).notnull() & call.waited.notnull()


def _in_time(call: Any, seconds: dict[str, float]) -> Any:
    return (call.waited <= by_channel(call, seconds)).fill_null(False)
