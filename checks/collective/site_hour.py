"""Suite of the mart per measurement site and hour."""

from groningen_data.gate.suite import Expectation

NO_VEHICLE_COUNTS_TWICE = Expectation(
    "no_vehicle_counts_twice",
    "unexpected_rows_expectation",
    "The hours together have no more vehicles than the counts of all vehicles that month.",
    kwargs={
        "unexpected_rows_query": "SELECT * FROM (SELECT coalesce(sum(vehicles), 0) AS here, min(month) AS month FROM {batch}) m, "
        "LATERAL (SELECT coalesce(sum(vehicles), 0) AS counted FROM lake.core.traffic_counts c WHERE vehicle_class = 'any' "
        "AND c.local_date >= m.month AND c.local_date < m.month + INTERVAL 1 MONTH) l WHERE here > counted + 0.5"
    },
)

SUITE = (
    NO_VEHICLE_COUNTS_TWICE,
    Expectation(
        "each_site_has_one_feed_a_day",
        "unexpected_rows_expectation",
        "What a site counts on a day comes from one feed.",
        kwargs={
            "unexpected_rows_query": "SELECT site_id, local_date FROM {batch} GROUP BY ALL HAVING count(DISTINCT feed_code) > 1"
        },
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A figure that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (vehicles IS NULL) <> (vehicles_missing_reason IS NOT NULL) "
            "OR (mean_speed_km_h IS NULL) <> (speed_missing_reason IS NOT NULL) "
            "OR (flow_ratio IS NULL) <> (flow_ratio_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "good_intervals_are_expected",
        "unexpected_rows_expectation",
        "No hour has more good intervals than it can have.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE good_intervals > expected_intervals"},
    ),
    Expectation(
        "traffic_is_usual_on_the_whole",
        "unexpected_rows_expectation",
        "Taken together, sites count about as much as in the weeks before.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT median(flow_ratio) FROM {batch} HAVING median(flow_ratio) NOT BETWEEN 0.7 AND 1.4"
        },
    ),
    Expectation(
        "intervals_are_mostly_good",
        "expect_column_mean_to_be_between",
        "Most intervals hold a count.",
        severity="warning",
        kwargs={"column": "good_share", "min_value": 0.8},
    ),
    Expectation(
        "sites_are_registered",
        "unexpected_rows_expectation",
        "Most sites are in the registry, so that their place is known.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(location_status) < 0.5 * count(*)"},
    ),
    Expectation(
        "speeds_are_plausible",
        "unexpected_rows_expectation",
        "Mean speeds are those of traffic.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT avg(mean_speed_km_h) FROM {batch} HAVING avg(mean_speed_km_h) NOT BETWEEN 5 AND 130"
        },
    ),
    Expectation(
        "nights_are_quieter_than_days",
        "unexpected_rows_expectation",
        "At night fewer vehicles pass than by day; otherwise clocks or feeds are mixed up.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT 1 FROM {batch} HAVING avg(vehicles) FILTER (WHERE local_hour BETWEEN 1 AND 4) "
            "> avg(vehicles) FILTER (WHERE local_hour BETWEEN 8 AND 18)"
        },
    ),
    Expectation(
        "rush_hours_are_there",
        "unexpected_rows_expectation",
        "On most weekdays vehicles pass at 8 and at 17 o'clock.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT local_date FROM {batch} WHERE weekday <= 5 AND local_hour IN (8, 17) GROUP BY local_date "
            "HAVING coalesce(sum(vehicles), 0) = 0"
        },
    ),
)
