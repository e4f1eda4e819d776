"""What suites of lists of public-space reports share: expectations on a batch with one report per row. No suite is declared here."""

from groningen_data.gate.suite import Expectation

SEVERAL_CATEGORIES = Expectation(
    "several_categories",
    "expect_column_unique_value_count_to_be_between",
    "People report more than one kind of thing.",
    kwargs={"column": "category_code", "min_value": 2},
)

SHARED = (
    Expectation(
        "reports_have_a_place",
        "expect_column_values_to_not_be_null",
        "Nearly every report says where it is.",
        kwargs={"column": "longitude", "mostly": 0.9},
    ),
    SEVERAL_CATEGORIES,
    Expectation(
        "waste_is_among_them",
        "unexpected_rows_expectation",
        "Some reports are about waste; none at all means the categories changed.",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(waste_kind) = 0"},
    ),
    Expectation(
        "placed_reports_have_a_neighbourhood",
        "unexpected_rows_expectation",
        "A report inside the municipality lies in exactly one known neighbourhood.",
        kwargs={
            "unexpected_rows_query": "SELECT neighbourhood_code, location_status FROM {batch} WHERE (location_status = 'inside') <> "
            "(neighbourhood_code IS NOT NULL) OR neighbourhood_code NOT IN "
            "(SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
    Expectation(
        "most_reports_lie_inside",
        "unexpected_rows_expectation",
        "Most reports lie in the municipality; if not, they are those of another one.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE location_status = 'inside') < 0.5 * count(*)"
        },
    ),
)
