"""Contracts of the collective store."""
