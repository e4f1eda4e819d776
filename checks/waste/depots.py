"""Suite of the depots and tipping sites."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "both_kinds_are_there",
        "unexpected_rows_expectation",
        "There is a depot to start from and a site to unload at.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(DISTINCT depot_kind) < 2"},
    ),
    Expectation(
        "depots_lie_in_the_netherlands",
        "unexpected_rows_expectation",
        "Depots lie in the Netherlands.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE longitude NOT BETWEEN 3.2 AND 7.3 OR latitude NOT BETWEEN 50.7 AND 53.8"
        },
    ),
    Expectation(
        "depots_lie_together",
        "unexpected_rows_expectation",
        "Depots lie within a degree of each other; a typing error puts one elsewhere.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING max(longitude) - min(longitude) > 1 OR max(latitude) - min(latitude) > 1"
        },
    ),
)
