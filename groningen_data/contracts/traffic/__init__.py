"""Contracts of the traffic store."""
