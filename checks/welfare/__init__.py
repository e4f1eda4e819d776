"""Suites of the welfare store, a module per table."""
