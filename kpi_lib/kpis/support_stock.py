"""Support operations, open work: what waits for us at the end of a period."""
