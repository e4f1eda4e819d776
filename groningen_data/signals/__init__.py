"""Rules over statutory signals, what they found, and the random sample they are held against.

Rules are files that a compiler accepts or refuses; none gives a score or an order of persons. Nothing here reads the lake.
"""
