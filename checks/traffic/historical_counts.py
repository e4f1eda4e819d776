"""Suite of the historical traffic counts: one local day."""

from collections.abc import Mapping
from typing import Any

from checks.past import not_after_now
from groningen_data.gate.suite import BatchFacts, Expectation, usual_volume

_OF_A_SERIES = "PARTITION BY site_id, series_code, period_s"


def _like_earlier_days(measure: str, unusual: str) -> Any:
    """Compares a measure with its median over the same weekday of all earlier days: exports are of weeks far apart."""

    def arguments(facts: BatchFacts) -> Mapping[str, Any] | None:
        if facts.day is None:
            return None
        return {
            "unexpected_rows_query": f"SELECT today, usual FROM (SELECT {measure} AS today FROM {{batch}}) t, "
            f"(SELECT median(measured) AS usual, count(measured) AS days FROM (SELECT {measure} AS measured FROM "
            f"lake.core.traffic_historical_counts WHERE local_date < DATE '{facts.day}' AND weekday = {facts.day.isoweekday()} "
            f"GROUP BY local_date)) p WHERE days >= 2 AND ({unusual})"
        }

    return arguments


SUITE = (
    Expectation(
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "The day has about as many rows as earlier days.",
        severity="warning",
        kwargs=usual_volume(),
    ),
    Expectation(
        "values_are_there",
        "unexpected_rows_expectation",
        "At least a tenth of the rows hold a flow or a speed; otherwise the export is of little use.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING "
            "count(*) FILTER (WHERE flow_veh_h IS NOT NULL OR speed_km_h IS NOT NULL) < 0.1 * count(*)"
        },
    ),
    Expectation(
        "periods_are_mostly_good",
        "unexpected_rows_expectation",
        "At least nine in ten rows hold a flow.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(flow_veh_h) < 0.9 * count(*)"},
    ),
    Expectation(
        "few_rows_are_excluded",
        "unexpected_rows_expectation",
        "Fewer than one row in five was excluded by NDW itself or is in error.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING "
            "count(*) FILTER (WHERE flow_missing_reason IN ('excluded', 'data_error')) > 0.2 * count(*)"
        },
    ),
    Expectation(
        "believable_mean_flow",
        "unexpected_rows_expectation",
        "On average a series carries no more than 5,000 vehicles an hour.",
        kwargs={"unexpected_rows_query": "SELECT avg(flow_veh_h) FROM {batch} HAVING avg(flow_veh_h) > 5000"},
    ),
    Expectation(
        "believable_mean_speed",
        "unexpected_rows_expectation",
        "The mean speed lies between walking pace and motorway speed.",
        kwargs={"unexpected_rows_query": "SELECT avg(speed_km_h) FROM {batch} HAVING avg(speed_km_h) NOT BETWEEN 4 AND 150"},
    ),
    Expectation(
        "few_extreme_speeds",
        "expect_column_values_to_be_between",
        "Hardly any speed is above 150 km/h.",
        severity="warning",
        kwargs={"column": "speed_km_h", "max_value": 150, "mostly": 0.99},
    ),
    Expectation(
        "traffic_is_not_constant",
        "unexpected_rows_expectation",
        "Flows differ: one and the same value in a hundred rows means a stuck series.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(flow_veh_h) >= 100 AND count(DISTINCT flow_veh_h) < 3"
        },
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A flow or speed that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (flow_veh_h IS NULL) <> (flow_missing_reason IS NOT NULL) "
            "OR (speed_km_h IS NULL) <> (speed_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "vehicles_follow_from_flow",
        "unexpected_rows_expectation",
        "Vehicles are the flow per hour times the length of the period.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE abs(vehicles - flow_veh_h * period_s / 3600) > 0.01 "
            "OR (vehicles IS NULL) <> (flow_veh_h IS NULL)"
        },
    ),
    Expectation(
        "periods_do_not_overlap",
        "unexpected_rows_expectation",
        "Of one series, a period of some length starts when the one before has ended.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT epoch(interval_start_at) - epoch(lag(interval_start_at) OVER "
            f"({_OF_A_SERIES} ORDER BY interval_start_at)) AS apart, period_s FROM {{batch}}) WHERE apart < period_s"
        },
    ),
    Expectation(
        "whole_days",
        "unexpected_rows_expectation",
        "Nearly every series has all periods of the day; on a day that clocks change there is an hour more or less.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM (SELECT sum(period_s) AS covered FROM {batch} "
            "GROUP BY site_id, series_code, period_s) HAVING count(*) FILTER (WHERE covered < 82800) > 0.1 * count(*)"
        },
    ),
    Expectation(
        "like_the_same_weekday",
        "unexpected_rows_expectation",
        "A series carries about as much on average as on the same weekday of earlier exports.",
        severity="warning",
        kwargs=_like_earlier_days(
            "avg(flow_veh_h) FILTER (WHERE vehicle_class = 'any')", "today NOT BETWEEN 0.5 * usual AND 2 * usual"
        ),
    ),
    Expectation(
        "speed_like_the_same_weekday",
        "unexpected_rows_expectation",
        "The mean speed differs less than 25 km/h from the same weekday of earlier exports.",
        severity="warning",
        kwargs=_like_earlier_days("avg(speed_km_h)", "abs(today - usual) > 25"),
    ),
    Expectation(
        "sites_are_known",
        "unexpected_rows_expectation",
        "Most rows are of sites of the registry.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING "
            "count(*) FILTER (WHERE site_id IN (SELECT site_id FROM lake.core.traffic_sites)) < 0.5 * count(*)"
        },
    ),
    Expectation(
        "not_in_the_future",
        "unexpected_rows_expectation",
        "Hardly any period is later than now: otherwise clocks are wrong.",
        kwargs=not_after_now("interval_start_at"),
    ),
)
