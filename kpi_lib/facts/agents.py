"""Facts about the people who answer: their days and their periods."""
