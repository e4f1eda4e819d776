"""Suites of the waste store, a module per table."""
