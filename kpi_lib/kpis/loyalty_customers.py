"""Loyalty, customers: whether they stay, come back, take part and bring others."""
