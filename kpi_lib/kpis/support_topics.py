"""Support operations, topics: what customers ask about, how often, and where."""
