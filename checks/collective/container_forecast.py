"""Suite of the forecast of fill levels."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_day_ahead",
        "unexpected_rows_expectation",
        "Each container has a forecast of each of the seven days, from one and the same day.",
        kwargs={
            "unexpected_rows_query": "SELECT container_code FROM {batch} GROUP BY container_code HAVING count(*) <> 7 "
            "OR min(made_from_on) <> max(made_from_on) OR count_if(forecast_on - made_from_on <> horizon_days) > 0"
        },
    ),
    Expectation(
        "bounds_in_order",
        "unexpected_rows_expectation",
        "The low level is not over the high one, and a container is not likelier to overflow than to reach its lower alarm limit.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE fill_low_pct > fill_high_pct "
            "OR (alarm_probability < overflow_probability AND container_code NOT IN "
            "(SELECT container_code FROM lake.core.waste_containers WHERE alarm_pct > 100))"
        },
    ),
    Expectation(
        "levels_only_rise",
        "unexpected_rows_expectation",
        "Without an emptying the expected level and the chance of overflowing do not fall from day to day.",
        kwargs={
            "unexpected_rows_query": "SELECT a.* FROM {batch} a JOIN {batch} b ON b.container_code = a.container_code "
            "AND b.horizon_days = a.horizon_days + 1 WHERE b.fill_pct < a.fill_pct - 0.001"
        },
    ),
    Expectation(
        "most_containers_have_one",
        "unexpected_rows_expectation",
        "At least half of the containers that were measured in the last week have a forecast.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT count(DISTINCT container_code) AS here FROM {batch}) f, "
            "(SELECT count(DISTINCT container_code) AS measured FROM lake.collective.container_inflow_day WHERE readings > 0 "
            "AND local_date > (SELECT max(local_date) - 7 FROM lake.collective.container_inflow_day)) m "
            "WHERE here < 0.5 * measured"
        },
    ),
)
