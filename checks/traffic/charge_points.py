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
        "believable_sockets",
        "expect_column_values_to_be_between",
        "Nearly every charge point has one to twenty sockets.",
        severity="warning",
        kwargs={"column": "sockets", "min_value": 1, "max_value": 20, "mostly": 0.98},
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
        "charge_points_have_a_place",
        "expect_column_values_to_not_be_null",
        "Nearly every charge point says where it is.",
        severity="warning",
        kwargs={"column": "longitude", "mostly": 0.9},
    ),
    Expectation(
        "placed_charge_points_have_a_neighbourhood",
        "unexpected_rows_expectation",
        "A charge point inside the municipality lies in exactly one known neighbourhood.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (location_status = 'inside') <> (neighbourhood_code IS NOT NULL) "
            "OR neighbourhood_code NOT IN (SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
    Expectation(
        "most_charge_points_lie_inside",
        "unexpected_rows_expectation",
        "Most charge points lie in the municipality; if not, they are those of another one.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE location_status <> 'no_location' "
            "HAVING count(*) FILTER (WHERE location_status = 'inside') < 0.5 * count(*)"
        },
    ),
)
