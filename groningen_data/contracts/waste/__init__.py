"""Contracts of the waste store."""
