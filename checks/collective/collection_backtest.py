"""Suite of the backtest of the collection plan."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "policies_are_compared_alike",
        "unexpected_rows_expectation",
        "Each policy is replayed on the same days and the same containers.",
        kwargs={
            "unexpected_rows_query": "SELECT local_date, fraction_code FROM {batch} GROUP BY ALL "
            "HAVING count(*) <> 3 OR min(containers) <> max(containers) OR min(measured_containers) <> max(measured_containers)"
        },
    ),
    Expectation(
        "whole_weeks_are_replayed",
        "unexpected_rows_expectation",
        "A replay is of a whole week, from Monday to Sunday.",
        kwargs={
            "unexpected_rows_query": "SELECT fraction_code, policy_code FROM {batch} GROUP BY ALL HAVING count(*) <> 7 "
            "OR isodow(min(local_date)) <> 1 OR isodow(max(local_date)) <> 7"
        },
    ),
    Expectation(
        "reordering_empties_the_same",
        "unexpected_rows_expectation",
        "The fixed schedule in a shorter order empties as many containers.",
        kwargs={
            "unexpected_rows_query": "SELECT local_date, fraction_code FROM {batch} WHERE policy_code LIKE 'fixed%' "
            "GROUP BY ALL HAVING min(stops) <> max(stops)"
        },
    ),
    Expectation(
        "missing_reports_say_why",
        "unexpected_rows_expectation",
        "Expected reports that are missing say why, and those that are there say nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (expected_reports IS NULL) <> (reports_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "the_plan_wins",
        "unexpected_rows_expectation",
        "Over the week the plan has fewer hours overfull than the fixed schedule, and fewer kilometres.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT fraction_code FROM {batch} GROUP BY fraction_code HAVING "
            "sum(overfull_hours) FILTER (policy_code = 'plan') > sum(overfull_hours) FILTER (policy_code = 'fixed_schedule') "
            "OR sum(distance_km) FILTER (policy_code = 'plan') > sum(distance_km) FILTER (policy_code = 'fixed_schedule')"
        },
    ),
)
