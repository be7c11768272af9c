"""Facts about the people at the desk."""

from kpi_lib.facts.pseudonyms import pseudonyms

__all__ = ["pseudonyms"]
