"""A real mail server for the tests of sending, and senders that can be killed."""

from post_office import office, running_office, senders

__all__ = ["office", "running_office", "senders"]
