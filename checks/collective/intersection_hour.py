"""Suite of the mart of the level of service per intersection and hour."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "Vehicles that are missing say why, and then nothing else is told.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (vehicles IS NULL) <> (vehicles_missing_reason IS NOT NULL) "
            "OR (vehicles IS NULL AND coalesce(volume_capacity_ratio, saturated_minutes, delay_s_per_km) IS NOT NULL)"
        },
    ),
    Expectation(
        "approaches_are_counted_once",
        "unexpected_rows_expectation",
        "Intersections together have the vehicles of their approaches, no more and no less.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT coalesce(sum(vehicles), 0) AS here, min(month) AS month FROM {batch}) m, "
            "LATERAL (SELECT coalesce(sum(vehicles), 0) AS there FROM lake.collective.approach_hour a WHERE a.month = m.month) "
            "WHERE abs(here - there) > 0.5"
        },
    ),
    Expectation(
        "no_more_measured_than_there_are",
        "unexpected_rows_expectation",
        "No more approaches are measured than there are.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE measured_approaches > approaches"},
    ),
)
