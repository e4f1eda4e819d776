"""Suites of the traffic store, a module per table."""
