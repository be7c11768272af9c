"""Acquisition: what a customer, and one who may become a customer, costs to win."""
