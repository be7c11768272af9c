"""Support operations, people: how much work each has, and how well it goes."""
