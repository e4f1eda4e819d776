"""Suite of the key figures."""

from groningen_data.gate.suite import BatchFacts, Expectation


def _our_region(facts: BatchFacts) -> dict[str, object]:
    number = facts.municipality_code[2:]
    return {
        "unexpected_rows_query": "SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {batch} "
        f"WHERE region_level = 'neighbourhood' AND substr(region_code, 3, 4) = '{number}' AND value IS NOT NULL)"
    }


SUITE = (
    Expectation(
        "our_municipality_is_there",
        "unexpected_rows_expectation",
        "At least one neighbourhood of the municipality has a figure.",
        kwargs=_our_region,
    ),
    Expectation(
        "one_year_per_table",
        "expect_column_unique_value_count_to_be_between",
        "A source table is about one year.",
        kwargs={"column": "year", "min_value": 1, "max_value": 1},
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A figure that is missing says why, and one that is there says nothing.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE (value IS NULL) <> (missing_reason IS NOT NULL)"},
    ),
    Expectation(
        "parts_do_not_exceed_the_whole",
        "unexpected_rows_expectation",
        "Those under 15 are never more than all inhabitants of a region (allowing for CBS rounding).",
        kwargs={
            "unexpected_rows_query": "SELECT y.region_code FROM {batch} y JOIN {batch} a USING (region_code, year) "
            "WHERE y.measure_code = 'inhabitants_0_14' AND a.measure_code = 'inhabitants' AND y.value > a.value + 10"
        },
    ),
    Expectation(
        "population_is_there",
        "unexpected_rows_expectation",
        "The number of inhabitants, on which every rate rests, is among the measures.",
        kwargs={
            "unexpected_rows_query": "SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {batch} WHERE measure_code = 'inhabitants')"
        },
    ),
    Expectation(
        "codes_are_reconciled",
        "unexpected_rows_expectation",
        "Every neighbourhood code of the municipality is known in the current division of the city, or its successor is.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT DISTINCT region_code FROM {batch} WHERE code_status = 'unknown'"},
    ),
)
