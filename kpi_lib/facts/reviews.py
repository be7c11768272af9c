"""Facts about reviews of our own work."""
