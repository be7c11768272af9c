"""A real mail server for the tests of sending."""

from post_office import office, running_office

__all__ = ["office", "running_office"]
