"""Contracts of the welfare store."""
