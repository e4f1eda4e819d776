"""Suites of the collective store, a module per table."""
