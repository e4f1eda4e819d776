"""Suite of the bicycle counters."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "counters_are_there",
        "expect_table_row_count_to_be_between",
        "The list holds counters, but no more than a country has.",
        kwargs={"min_value": 1, "max_value": 20_000},
    ),
    Expectation(
        "counters_have_a_place",
        "expect_column_values_to_not_be_null",
        "Nearly every counter says where it is.",
        severity="warning",
        kwargs={"column": "longitude", "mostly": 0.9},
    ),
    Expectation(
        "codes_are_unique",
        "unexpected_rows_expectation",
        "No two counters share a code.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT counter_code FROM {batch} WHERE counter_code IS NOT NULL GROUP BY ALL HAVING count(*) > 1"
        },
    ),
    Expectation(
        "placed_counters_have_a_neighbourhood",
        "unexpected_rows_expectation",
        "A counter inside the municipality lies in exactly one known neighbourhood.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (location_status = 'inside') <> (neighbourhood_code IS NOT NULL) "
            "OR neighbourhood_code NOT IN (SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
)
