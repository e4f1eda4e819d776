"""Suite of the traffic counts: one local day of one feed."""

from checks.past import not_after_now, than_same_weekdays
from groningen_data.gate.suite import Expectation, usual_volume

_TABLE = "core.traffic_counts"
# Per counting series, so that a day on which fewer of them worked is not taken for a quiet one.
_MEAN_FLOW = "avg(flow_veh_h) FILTER (WHERE vehicle_class = 'any')"
_COUNTING_SITES = "count(DISTINCT site_id) FILTER (WHERE flow_veh_h IS NOT NULL)"

SUITE = (
    Expectation(
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "The day has about as many readings as earlier days.",
        severity="warning",
        kwargs=usual_volume(),
    ),
    Expectation(
        "most_flows_are_there",
        "unexpected_rows_expectation",
        "At least a quarter of the readings that should hold a flow hold one; otherwise the feed is broken.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE flow_missing_reason IS DISTINCT FROM 'measured_elsewhere' "
            "HAVING count(flow_veh_h) < 0.25 * count(*)"
        },
    ),
    Expectation(
        "most_detectors_work",
        "unexpected_rows_expectation",
        "Fewer than one reading in five is reported as faulty by the detector itself.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE flow_missing_reason IN "
            "('detector_error', 'data_error') OR speed_missing_reason IN ('detector_error', 'data_error')) > 0.2 * count(*)"
        },
    ),
    Expectation(
        "believable_mean_flow",
        "expect_column_mean_to_be_between",
        "On average a lane carries some, but never more than 3,000 vehicles an hour.",
        kwargs={"column": "flow_veh_h", "min_value": 1, "max_value": 3000},
    ),
    Expectation(
        "believable_mean_speed",
        "expect_column_mean_to_be_between",
        "The mean speed lies between walking pace and motorway speed.",
        kwargs={"column": "speed_km_h", "min_value": 4, "max_value": 140},
    ),
    Expectation(
        "few_extreme_speeds",
        "expect_column_values_to_be_between",
        "Hardly any speed is above 150 km/h.",
        severity="warning",
        kwargs={"column": "speed_km_h", "max_value": 150, "mostly": 0.999},
    ),
    Expectation(
        "traffic_is_not_constant",
        "expect_column_unique_value_count_to_be_between",
        "Flows differ: one and the same value everywhere means a stuck feed.",
        kwargs={"column": "flow_veh_h", "min_value": 3},
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
        "Vehicles are the flow per hour times the minutes measured.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE abs(vehicles - flow_veh_h * measured_minutes / 60) > 0.01 "
            "OR (vehicles IS NULL) <> (flow_veh_h IS NULL)"
        },
    ),
    Expectation(
        "sites_are_known",
        "unexpected_rows_expectation",
        "Most counts come from sites of the registry.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} b LEFT JOIN lake.core.traffic_sites s USING (site_id) "
            "HAVING count(s.site_id) < 0.5 * count(*)"
        },
    ),
    Expectation(
        "flow_like_the_same_weekday",
        "unexpected_rows_expectation",
        "A lane carries about as much on average as on the same weekday of earlier weeks.",
        severity="warning",
        kwargs=than_same_weekdays(_TABLE, "feed_code", _MEAN_FLOW, "today NOT BETWEEN 0.6 * usual AND 1.6 * usual"),
    ),
    Expectation(
        "speed_like_the_same_weekday",
        "unexpected_rows_expectation",
        "The mean speed differs less than 15 km/h from the same weekday of earlier weeks.",
        severity="warning",
        kwargs=than_same_weekdays(_TABLE, "feed_code", "avg(speed_km_h)", "abs(today - usual) > 15"),
    ),
    Expectation(
        "as_many_sites_count",
        "unexpected_rows_expectation",
        "About as many sites count as on the same weekday of earlier weeks; fewer means that detectors fell silent.",
        severity="warning",
        kwargs=than_same_weekdays(_TABLE, "feed_code", _COUNTING_SITES, "today < 0.85 * usual"),
    ),
    Expectation(
        "intervals_are_mostly_good",
        "unexpected_rows_expectation",
        "At least nine in ten intervals that should hold a flow hold one.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE flow_missing_reason IS DISTINCT FROM 'measured_elsewhere' "
            "HAVING count(flow_veh_h) < 0.9 * count(*)"
        },
    ),
    Expectation(
        "busier_by_day_than_at_night",
        "unexpected_rows_expectation",
        "By day a lane carries more than between 1 and 5 o'clock; otherwise the clock is wrong.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT 1 FROM {batch} HAVING avg(flow_veh_h) FILTER (WHERE local_hour BETWEEN 1 AND 4) "
            "> avg(flow_veh_h) FILTER (WHERE local_hour BETWEEN 8 AND 18)"
        },
    ),
    Expectation(
        "lanes_count_once",
        "unexpected_rows_expectation",
        "No lane of a site is counted as all vehicles by two indexes at once.",
        kwargs={
            "unexpected_rows_query": "SELECT site_id, lane_code, interval_start_at FROM {batch} WHERE vehicle_class = 'any' "
            "AND lane_code IS NOT NULL AND flow_missing_reason IS DISTINCT FROM 'measured_elsewhere' "
            "GROUP BY ALL HAVING count(*) > 1"
        },
    ),
    Expectation(
        "not_in_the_future",
        "unexpected_rows_expectation",
        "Hardly any interval is later than now: otherwise clocks are wrong.",
        kwargs=not_after_now("interval_start_at"),
    ),
)
