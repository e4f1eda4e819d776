"""Code lists that several waste tables share; no table is declared here."""

FRACTIONS = ["residual", "paper", "glass", "plastic", "organic", "textile", "other"]
FRACTION_MISSING_REASONS = ["not_delivered", "not_filled_in"]
EARTH_LONGITUDES = {"min_value": -180, "max_value": 180}
EARTH_LATITUDES = {"min_value": -90, "max_value": 90}
"""Coordinates anywhere: a registry may hold a device that lies, or is said to lie, far outside the municipality."""
