"""Suite of the mart that ranks intersections by congestion."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "days_add_up",
        "unexpected_rows_expectation",
        "Each measured day is ordinary, in a holiday, with an event or with bad weather, and congested days are among them.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE measured_days > days "
            "OR measured_days <> ordinary_days + holiday_days + event_days + bad_weather_days "
            "OR ordinary_congested_days > ordinary_days OR holiday_congested_days > holiday_days "
            "OR event_congested_days > event_days OR bad_weather_congested_days > bad_weather_days"
        },
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A kind or a trend that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (congestion_kind IS NULL) <> (kind_missing_reason IS NOT NULL) "
            "OR (trend_pct_week IS NULL) <> (trend_missing_reason IS NOT NULL) OR (rank IS NULL) <> (measured_days = 0)"
        },
    ),
    Expectation(
        "intervals_hold_their_estimate",
        "unexpected_rows_expectation",
        "Each share and each trend lies within its interval.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE congested_share NOT BETWEEN congested_share_low - 1e-9 "
            "AND congested_share_high + 1e-9 OR trend_pct_week NOT BETWEEN trend_low_pct_week AND trend_high_pct_week"
        },
    ),
    Expectation(
        "ranks_follow_each_other",
        "unexpected_rows_expectation",
        "The ranks of a period are 1, 2, 3 and so on.",
        kwargs={
            "unexpected_rows_query": "SELECT period_code FROM {batch} GROUP BY ALL HAVING coalesce(max(rank), 0) <> count(rank) "
            "OR count(DISTINCT rank) <> count(rank)"
        },
    ),
    Expectation(
        "most_intersections_are_not_congested",
        "unexpected_rows_expectation",
        "Congestion is persistent at less than a third of the intersections; otherwise free speeds are wrong.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE congestion_kind = 'persistent') "
            "* 3 > count(*)"
        },
    ),
)
