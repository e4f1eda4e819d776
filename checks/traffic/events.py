"""Suite of the events, road works and closures."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "events_are_there",
        "expect_table_row_count_to_be_between",
        "The list holds something, but no more than a municipality can have.",
        kwargs={"min_value": 1, "max_value": 200_000},
    ),
    Expectation(
        "ends_after_it_starts",
        "expect_column_pair_values_a_to_be_greater_than_b",
        "Nothing ends before it starts.",
        kwargs={"column_A": "ends_at", "column_B": "starts_at", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
    ),
    Expectation(
        "missing_ends_say_why",
        "unexpected_rows_expectation",
        "An end that is missing says why, and one that is there says nothing.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE (ends_at IS NULL) <> (end_missing_reason IS NOT NULL)"},
    ),
    Expectation(
        "few_last_very_long",
        "unexpected_rows_expectation",
        "Hardly any event or closure lasts more than two years.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} "
            "HAVING count(*) FILTER (WHERE ends_on - starts_on > 730) > 0.05 * count(*)"
        },
    ),
    Expectation(
        "not_announced_years_ahead",
        "unexpected_rows_expectation",
        "Nothing starts more than five years from now; such a date is a typing error.",
        severity="warning",
        kwargs=lambda facts: {
            "unexpected_rows_query": f"SELECT event_id FROM {{batch}} WHERE starts_on > DATE '{facts.now:%Y-%m-%d}' + 1826"
        },
    ),
    Expectation(
        "events_have_a_place",
        "expect_column_values_to_not_be_null",
        "Nearly every event says where it is.",
        severity="warning",
        kwargs={"column": "longitude", "mostly": 0.9},
    ),
    Expectation(
        "placed_events_have_a_neighbourhood",
        "unexpected_rows_expectation",
        "What happens inside the municipality lies in exactly one known neighbourhood.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (location_status = 'inside') <> (neighbourhood_code IS NOT NULL) "
            "OR neighbourhood_code NOT IN (SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
    Expectation(
        "most_events_lie_inside",
        "unexpected_rows_expectation",
        "Most events lie in the municipality; if not, they are those of another one.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE location_status <> 'no_location' "
            "HAVING count(*) FILTER (WHERE location_status = 'inside') < 0.5 * count(*)"
        },
    ),
)
