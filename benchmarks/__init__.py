"""Repeatable measurements, always as ratios against the bare engine in the same run; never part of the tests."""
