"""Suite of the districts."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "enough_districts",
        "expect_table_row_count_to_be_between",
        "A municipality has at least one district, and never hundreds.",
        kwargs={"min_value": 1, "max_value": 200},
    ),
    Expectation(
        "every_district_has_neighbourhoods",
        "expect_column_min_to_be_between",
        "Every district holds at least one neighbourhood.",
        kwargs={"column": "neighbourhoods", "min_value": 1},
    ),
)
