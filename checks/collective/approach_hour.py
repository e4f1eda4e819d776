"""Suite of the mart of the level of service per approach and hour."""

from checks.collective.site_hour import NO_VEHICLE_COUNTS_TWICE
from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A figure that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (vehicles IS NULL) <> (vehicles_missing_reason IS NOT NULL) "
            "OR (mean_speed_km_h IS NULL) <> (speed_missing_reason IS NOT NULL) OR (saturated_minutes IS NULL) <> (vehicles IS NULL)"
        },
    ),
    NO_VEHICLE_COUNTS_TWICE,
    Expectation(
        "untrusted_counts_are_left_out",
        "unexpected_rows_expectation",
        "A site of which no detector can be trusted on a day has no figures that day.",
        kwargs={
            "unexpected_rows_query": "SELECT b.* FROM {batch} b ANTI JOIN (SELECT site_id, local_date "
            "FROM lake.collective.site_quality WHERE is_trusted) q USING (site_id, local_date) WHERE b.vehicles IS NOT NULL"
        },
    ),
    Expectation(
        "levels_follow_speed",
        "unexpected_rows_expectation",
        "Whoever drives at more than 85 % of the free speed has level A, and at 30 % or less level F.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (mean_speed_km_h > 0.85 * free_speed_km_h + 0.001 AND los_code <> 'A') "
            "OR (mean_speed_km_h < 0.3 * free_speed_km_h - 0.001 AND los_code <> 'F')"
        },
    ),
    Expectation(
        "most_hours_are_not_saturated",
        "unexpected_rows_expectation",
        "Taken together, less than a fifth of the minutes is saturated; otherwise free speeds are wrong.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT avg(saturated_minutes) FROM {batch} HAVING avg(saturated_minutes) > 12"},
    ),
)
