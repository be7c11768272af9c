"""Facts about those who may become customers."""
