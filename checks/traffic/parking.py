"""Suite of the parking places."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "places_are_there",
        "expect_table_row_count_to_be_between",
        "The list holds something, but no more than a municipality can have.",
        kwargs={"min_value": 1, "max_value": 500_000},
    ),
    Expectation(
        "capacities_are_there",
        "expect_column_values_to_not_be_null",
        "Nearly every place says how many can park.",
        severity="warning",
        kwargs={"column": "capacity", "mostly": 0.9},
    ),
    Expectation(
        "missing_capacities_say_why",
        "unexpected_rows_expectation",
        "A number of places that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (capacity IS NULL) <> (capacity_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "kinds_are_known",
        "unexpected_rows_expectation",
        "Most places are of a kind that is known here.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE parking_kind = 'other') > 0.5 * count(*)"
        },
    ),
    Expectation(
        "places_have_a_place",
        "expect_column_values_to_not_be_null",
        "Nearly every place says where it is.",
        severity="warning",
        kwargs={"column": "longitude", "mostly": 0.9},
    ),
    Expectation(
        "placed_places_have_a_neighbourhood",
        "unexpected_rows_expectation",
        "A place inside the municipality lies in exactly one known neighbourhood.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (location_status = 'inside') <> (neighbourhood_code IS NOT NULL) "
            "OR neighbourhood_code NOT IN (SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
    Expectation(
        "most_places_lie_inside",
        "unexpected_rows_expectation",
        "Most places lie in the municipality; if not, they are those of another one.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE location_status <> 'no_location' "
            "HAVING count(*) FILTER (WHERE location_status = 'inside') < 0.5 * count(*)"
        },
    ),
)
