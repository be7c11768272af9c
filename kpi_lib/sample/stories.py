"""The stories planted in the sample company: each one's true effect, written here and nowhere else.

The generator reads its numbers from this list, and tests ask whether the report finds them again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Story:
    """Something that happened to the sample company, and by how much it moved a number.

    `start` is the first day, `end` the first day after it. `effect` is read as `meaning` says, and the rows hold it to
    within `tolerance`. `details` are the further numbers that the generator needs.
    """

    name: str
    what: str
    start: date
    end: date
    table: str
    kpi: str | None
    cut: str | None
    member: str | None
    effect: float
    meaning: str
    tolerance: float
    details: Mapping[str, Any] = field(default_factory=dict)


STORIES = (
    Story(
        name="chat_outage",
        what="The chat is down: most visitors are turned away or give up, and what arrives is answered late.",
        start=date(2024, 5, 14),
        end=date(2024, 5, 17),
        table="calls",
        kpi="abandonment_rate",
        cut="channel",
        member="chat",
        effect=70.0,
        meaning="percent of the chats that reach the queue in these days are abandoned in it",
        tolerance=1.0,
        details={
            "blocked_percent": 35.0,
            "tickets_kept": 0.3,
            "tickets_by_email": 0.4,
            "patience_seconds": 240,
            "first_reply_minutes": 180,
        },
    ),
    Story(
        name="price_rise",
        what="New subscriptions cost more from 1 February; from March to May small businesses leave twice as often.",
        start=date(2024, 3, 1),
        end=date(2024, 6, 1),
        table="subscriptions",
        kpi="churn_rate",
        cut="segment",
        member="small_business",
        effect=2.0,
        meaning="times the segment's ordinary monthly churn rate, in each of the three months",
        tolerance=0.1,
        details={"from": date(2024, 2, 1), "price_factor": 1.08},
    ),
    Story(
        name="channel_shift",
        what="Customers move from chat and phone to email and web: CSAT falls although every channel gains.",
        start=date(2024, 4, 1),
        end=date(2024, 5, 1),
        table="surveys",
        kpi="csat",
        cut="channel",
        member=None,
        effect=-2.0,
        meaning="points of CSAT against March, over all channels",
        tolerance=1e-9,
        details={
            "each_channel": 1,
            "satisfied_before": {"email": 75, "chat": 90, "web": 78, "phone": 93},
            "answers_before": {"email": 300, "chat": 300, "web": 100, "phone": 300},
            "answers": {"email": 400, "chat": 200, "web": 200, "phone": 200},
        },
    ),
    Story(
        name="duplicated_rows",
        what="A load ran twice: rows of tickets created in March are in the table twice, exactly alike.",
        start=date(2024, 3, 1),
        end=date(2024, 4, 1),
        table="tickets",
        kpi=None,
        cut=None,
        member=None,
        effect=412,
        meaning="rows that are there a second time",
        tolerance=0,
    ),
    Story(
        name="late_tickets",
        what="Some of June's tickets and their events reach only the second extract.",
        start=date(2024, 6, 1),
        end=date(2024, 7, 1),
        table="tickets",
        kpi="ticket_volume",
        cut=None,
        member=None,
        effect=6.0,
        meaning="percent of the month's tickets that are missing from the first extract",
        tolerance=0.02,
        details={"extract": date(2024, 7, 9)},
    ),
)


def story(name: str) -> Story:
    """The story of this name."""
    return next(one for one in STORIES if one.name == name)
