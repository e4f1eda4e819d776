"""Suite of the policy measures on the roads."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "measures_are_there",
        "expect_table_row_count_to_be_between",
        "The list holds something, but no more than a municipality can decide on.",
        kwargs={"min_value": 1, "max_value": 10_000},
    ),
    Expectation(
        "ends_after_it_starts",
        "expect_column_pair_values_a_to_be_greater_than_b",
        "No measure ends before it starts.",
        kwargs={"column_A": "ends_on", "column_B": "starts_on", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
    ),
    Expectation(
        "sites_are_known",
        "unexpected_rows_expectation",
        "Every site of a measure counts traffic, or is in the registry; others are typing errors.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT measure_id, site FROM (SELECT measure_id, "
            "unnest(string_split(site_ids, ',')) AS site FROM {batch}) "
            "WHERE site NOT IN (SELECT site_id FROM lake.core.traffic_sites)"
        },
    ),
    Expectation(
        "decisions_are_named",
        "expect_column_values_to_not_be_null",
        "Nearly every measure names the decision that it rests on.",
        severity="warning",
        kwargs={"column": "decision", "mostly": 0.8},
    ),
    Expectation(
        "expectations_are_written_down",
        "expect_column_values_to_not_be_null",
        "Most measures say beforehand what effect is expected.",
        severity="warning",
        kwargs={"column": "expected_effect_pct", "mostly": 0.5},
    ),
    Expectation(
        "not_planned_years_ahead",
        "unexpected_rows_expectation",
        "Nothing starts more than five years from now; such a date is a typing error.",
        severity="warning",
        kwargs=lambda facts: {
            "unexpected_rows_query": f"SELECT measure_id FROM {{batch}} WHERE starts_on > DATE '{facts.now:%Y-%m-%d}' + 1826"
        },
    ),
)
