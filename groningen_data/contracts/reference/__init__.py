"""Contracts of the reference store."""
