"""Suite of the measurement sites."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "sites_are_there",
        "expect_table_row_count_to_be_between",
        "The registry holds sites; a handful would mean a cut-off file.",
        kwargs={"min_value": 10, "max_value": 500_000},
    ),
    Expectation(
        "sites_have_a_place",
        "expect_column_values_to_not_be_null",
        "Nearly every site says where it is.",
        kwargs={"column": "longitude", "mostly": 0.95},
    ),
    Expectation(
        "some_sites_in_the_municipality",
        "unexpected_rows_expectation",
        "At least one site lies in the municipality.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {batch} WHERE location_status = 'inside')"
        },
    ),
    Expectation(
        "placed_sites_have_a_neighbourhood",
        "unexpected_rows_expectation",
        "A site inside the municipality lies in exactly one known neighbourhood.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (location_status = 'inside') <> (neighbourhood_code IS NOT NULL) "
            "OR neighbourhood_code NOT IN (SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
)
