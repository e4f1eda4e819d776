"""Suite of when containers are full."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_sensor_is_there",
        "unexpected_rows_expectation",
        "Every container of which anything was heard in the last twelve weeks is there.",
        kwargs={
            "unexpected_rows_query": "SELECT DISTINCT container_code FROM lake.collective.container_inflow_day, "
            "(SELECT max(local_date) AS last FROM lake.collective.container_inflow_day) "
            "WHERE local_date > last - 84 AND container_code NOT IN (SELECT container_code FROM {batch})"
        },
    ),
    Expectation(
        "instants_in_order",
        "unexpected_rows_expectation",
        "Early comes before expected, expected before late, and the alarm limit before overflowing where it is lower.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE alarm_early_at > alarm_at OR alarm_at > alarm_late_at "
            "OR overflow_early_at > overflow_at OR overflow_at > overflow_late_at OR (alarm_pct <= 100 AND alarm_at > overflow_at)"
        },
    ),
    Expectation(
        "unknown_has_its_reason",
        "unexpected_rows_expectation",
        "A container without a forecast says why, and only such a one.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (alarm_status_code = 'unknown') <> (forecast_missing_reason IS NOT NULL) "
            "OR (overflow_status_code = 'unknown') <> (forecast_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "expected_has_its_instant",
        "unexpected_rows_expectation",
        "What is expected within the week has an instant, and nothing else has.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (alarm_status_code = 'expected') <> (alarm_at IS NOT NULL) "
            "OR (overflow_status_code = 'expected') <> (overflow_at IS NOT NULL)"
        },
    ),
)
