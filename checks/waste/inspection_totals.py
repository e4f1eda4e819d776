"""Suite of the inspection totals: one year."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "locations_are_there",
        "expect_table_row_count_to_be_between",
        "The file lists locations, not a handful of rows.",
        severity="warning",
        kwargs={"min_value": 100, "max_value": 1_000_000},
    ),
    Expectation(
        "not_more_findings_than_inspections",
        "unexpected_rows_expectation",
        "Waste is found at most as often as is inspected.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE waste_beside > inspections OR bulky > inspections"},
    ),
    Expectation(
        "first_before_last",
        "unexpected_rows_expectation",
        "The first inspection is not later than the last.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE first_on > last_on"},
    ),
    Expectation(
        "within_the_year",
        "unexpected_rows_expectation",
        "Inspections lie in the year that the file is about.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE year(last_on) <> year OR year(first_on) <> year"},
    ),
    Expectation(
        "waste_is_found_somewhere",
        "unexpected_rows_expectation",
        "Waste was found at some locations and not at every inspection; otherwise a column changed its meaning.",
        kwargs={
            "unexpected_rows_query": "SELECT sum(waste_beside) FROM {batch} HAVING count(*) >= 100 "
            "AND coalesce(sum(waste_beside), 0) NOT BETWEEN 1 AND sum(inspections) - 1"
        },
    ),
    Expectation(
        "locations_have_a_place",
        "expect_column_values_to_not_be_null",
        "Nearly every location says where it is.",
        kwargs={"column": "longitude", "mostly": 0.9},
    ),
    Expectation(
        "locations_lie_in_the_netherlands",
        "unexpected_rows_expectation",
        "Locations lie in the Netherlands.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE longitude NOT BETWEEN 3.2 AND 7.3 OR latitude NOT BETWEEN 50.7 AND 53.8"
        },
    ),
    Expectation(
        "no_house_numbers",
        "expect_column_values_to_not_match_regex",
        "No street holds a house number: those are not kept.",
        kwargs={"column": "location_name", "regex": r"\s\d"},
    ),
)
