"""Facts: one row per thing that can be counted, with its period and the columns that it can be cut by.

A fact is a function from the data to an Ibis table. Rows that a KPI must not count stay in it with a reason in
`excluded`; the evaluator leaves them out and reports how many. Each fact stands in the module of its subject.
"""

from kpi_lib.facts import (  # noqa: F401  (declare their facts)
    agents,
    buyers,
    calls,
    customers,
    interactions,
    leads,
    mix,
    money,
    purchases,
    reviews,
    surveys,
    ticket_states,
    tickets,
)
from kpi_lib.facts.calendar import Calendar
from kpi_lib.facts.data import FACTS, Data, Fact, NotAvailableError, Row, fact, sources_of

__all__ = ["FACTS", "Calendar", "Data", "Fact", "NotAvailableError", "Row", "fact", "sources_of"]
