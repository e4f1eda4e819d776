"""Rounds of collection vehicles: how far apart places are, which stops a round makes, and what a round of history would have done.

Nothing here reads a table: frames and arrays come in, rounds go out, the same for the same seed. What is worth a stop is decided
by the marts that call it.
"""
