"""What `make bench` measures: no part of the package, and nothing that the tests assert."""
