"""A real mail server for the tests of sending, senders that can be killed, and reports to send."""

from post_office import office, running_office, senders
from standing_reports import may, restated, standing

__all__ = ["may", "office", "restated", "running_office", "senders", "standing"]
