"""Serving: what analysts may read. Disclosure control, the dictionary, the read-only database that is swapped in, and their SQL.

Everything that leaves the lake for readers passes through `protect`. Nothing is imported here, so that `query` starts at once.
"""
