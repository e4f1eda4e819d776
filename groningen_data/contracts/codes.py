"""Code lists that contracts of several stores share; no table is declared here."""

LOCATION_STATUSES = ["inside", "outside_municipality", "no_location"]
CODE_STATUSES = ["same", "recoded", "split", "unknown", "not_a_neighbourhood", "other_municipality"]
MISSING_REASONS = ["not_yet_released", "withheld", "later_version", "no_longer_published", "not_delivered"]
REGION_LEVELS = ["country", "municipality", "district", "neighbourhood"]
REGION_CODE = r"^(NL\d{2}|GM\d{4}|WK\d{6}|BU\d{8})$"
"""The form of CBS region codes: country, municipality, district, neighbourhood."""
