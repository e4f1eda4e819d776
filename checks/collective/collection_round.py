"""Suite of tomorrow's collection rounds in short."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "no_stop_is_lost",
        "unexpected_rows_expectation",
        "The rounds together have every container of the plan.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT coalesce(sum(stops), 0) AS here FROM {batch}) r, "
            "(SELECT count(*) AS planned FROM lake.collective.collection_plan WHERE call_kind = 'container') p WHERE here <> planned"
        },
    ),
    Expectation(
        "rounds_take_a_day",
        "unexpected_rows_expectation",
        "A round takes less than a day, and is shorter than 500 km.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE end_at - first_stop_at > INTERVAL 24 HOUR OR distance_km > 500"
        },
    ),
)
