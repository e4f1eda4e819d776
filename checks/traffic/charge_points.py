"""Suite of the charge points."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "charge_points_are_there",
        "expect_table_row_count_to_be_between",
        "The list holds something, but no more than a municipality can have.",
        kwargs={"min_value": 1, "max_value": 200_000},
    ),
    Expectation(
        "believable_power",
        "expect_column_mean_to_be_between",
        "On average a charge point has between 2 and 400 kW; another mean is in watts or volts.",
        severity="warning",
        kwargs={"column": "power_kw", "min_value": 2, "max_value": 400},
    ),
    Expectation(
        "power_is_mostly_told",
        "expect_column_values_to_not_be_null",
        "Nearly every charge point says how much power it has.",
        severity="warning",
        kwargs={"column": "power_kw", "mostly": 0.8},
    ),
    Expectation(
        "believable_sockets",
        "expect_column_values_to_be_between",
        "Nearly every charge point has one to five sockets, of which one can be used at a time.",
        severity="warning",
        kwargs={"column": "sockets", "min_value": 1, "max_value": 5, "mostly": 0.98},
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A figure that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (sockets IS NULL) <> (sockets_missing_reason IS NOT NULL) "
            "OR (power_kw IS NULL) <> (power_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "statuses_are_known",
        "unexpected_rows_expectation",
        "Most statuses are known here.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE status_code = 'other') > 0.5 * count(*)"
        },
    ),
    Expectation(
        "most_charge_points_work",
        "unexpected_rows_expectation",
        "Fewer than half of the charge points are out of order; if not, the statuses are no longer kept up.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} "
            "HAVING count(*) FILTER (WHERE status_code IN ('fault', 'out_of_service')) > 0.5 * count(*)"
        },
    ),
    Expectation(
        "charge_points_lie_in_a_neighbourhood",
        "unexpected_rows_expectation",
        "Every charge point lies in exactly one known neighbourhood.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE location_status <> 'inside' OR neighbourhood_code IS NULL "
            "OR neighbourhood_code NOT IN (SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
)
