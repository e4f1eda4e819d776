"""Suites of the reference store, a module per table."""
