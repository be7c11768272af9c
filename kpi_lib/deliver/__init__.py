"""From a report to people: the mail, the gate before it, the ledger of what was sent to whom, and what was issued."""
