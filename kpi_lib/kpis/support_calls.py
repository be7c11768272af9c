"""Support operations, live contacts: whether calls and chats are answered, how soon, and how long they take."""

from typing import Any

from kpi_lib.estimate import Estimator, Mean, Share, by_channel
from kpi_lib.kpi import kpi
from kpi_lib.waiting import Lasting

CUTS = ("channel", "queue", "weekday", "hour")
SHORT = "thresholds.short_abandon_seconds"
LEVEL = "thresholds.service_level_seconds"


@kpi(fact="calls_offered", unit="percent", better="higher", cuts=CUTS, params=(SHORT, LEVEL))
def service_level(call: Any, *, short_abandon_seconds: float, service_level_seconds: dict[str, float]) -> Estimator:
    """The share of calls and chats that were answered within their channel's target.

    Formula: 100 answered within the target / (offered - abandoned within {short_abandon_seconds} seconds); a call whose
    time in the queue is not known is left out.
    Source: S1 B5.
    Differs from: contact centres that leave all abandoned calls, or those abandoned within the target, out.
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
    Differs from: support desks that count every abandoned call; see `abandonment_rate.all`.
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


@kpi(fact="calls_handled", unit="seconds", better="band", cuts=("channel", "queue"))
def average_handle_time(call: Any) -> Estimator:
    """The mean time an agent spends on a call or chat: talk, hold and wrap-up, without the wait in the queue.

    Formula: (talk + hold + wrap-up seconds) / calls and chats handled.
    Source: S1 B11.
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
