"""The data contract: the twelve tables that every number is computed from, and the rows that break it.

A rule of level `error` stops the run, `warning` is printed on the data page, `drop` leaves the row out and counts it.
Conditions are Ibis expressions that are true for a broken row; Ibis itself is imported only when one is used.
"""

from kpi_lib.contract.check import check, left_out, without
from kpi_lib.contract.conform import as_seen_at, conform, distinct, happened_by, instant, unreadable
from kpi_lib.contract.declare import LONGEST_REASON, Broken, Column, Rule, Table
from kpi_lib.contract.tables import TABLES

PLANNED = ("costs", "agent_shifts")  # their rows may lie ahead of the extract

__all__ = [
    "LONGEST_REASON",
    "PLANNED",
    "TABLES",
    "Broken",
    "Column",
    "Rule",
    "Table",
    "as_seen_at",
    "check",
    "conform",
    "distinct",
    "happened_by",
    "instant",
    "left_out",
    "unreadable",
    "without",
]
