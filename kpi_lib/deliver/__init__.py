"""From a report to people: the gate, the mail, and the ledger of what was sent to whom."""
