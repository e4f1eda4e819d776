"""Suite of the neighbourhoods."""

from groningen_data.gate.suite import BatchFacts, Expectation


def _one_municipality(facts: BatchFacts) -> dict[str, object]:
    return {"column": "municipality_code", "value_set": [facts.municipality_code]}


SUITE = (
    Expectation(
        "enough_neighbourhoods",
        "expect_table_row_count_to_be_between",
        "A municipality has at least a handful of neighbourhoods; fewer means the file is cut off.",
        kwargs={"min_value": 3, "max_value": 1500},
    ),
    Expectation(
        "only_our_municipality",
        "expect_column_values_to_be_in_set",
        "Every neighbourhood belongs to the municipality of this lakehouse.",
        kwargs=_one_municipality,
    ),
    Expectation(
        "one_code_year",
        "expect_column_unique_value_count_to_be_between",
        "All outlines are of one and the same year.",
        kwargs={"column": "code_year", "min_value": 1, "max_value": 1},
    ),
    Expectation(
        "codes_of_our_municipality",
        "unexpected_rows_expectation",
        "The municipality's number stands in every neighbourhood and district code.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE substr(neighbourhood_code, 3, 4) <> substr(municipality_code, 3, 4) "
            "OR substr(district_code, 3, 4) <> substr(municipality_code, 3, 4)"
        },
    ),
    Expectation(
        "names_are_distinct",
        "expect_column_proportion_of_unique_values_to_be_between",
        "Neighbourhoods rarely share a name; many equal names mean a column was mixed up.",
        severity="warning",
        kwargs={"column": "neighbourhood_name", "min_value": 0.95},
    ),
    Expectation(
        "centres_lie_together",
        "expect_column_stdev_to_be_between",
        "The centres of one municipality lie close together; a wide spread means wrong coordinates.",
        kwargs={"column": "centre_latitude", "min_value": 0, "max_value": 0.3},
    ),
)
