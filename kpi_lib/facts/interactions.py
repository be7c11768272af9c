"""The touches between customers and us: sessions of a ticket, and calls."""
