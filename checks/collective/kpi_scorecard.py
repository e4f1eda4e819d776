"""Suite of the scorecard of the budget's indicators."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "one_latest_period_each",
        "unexpected_rows_expectation",
        "Each indicator has exactly one last period, at which its trend and its forecast stand.",
        kwargs={
            "unexpected_rows_query": "SELECT indicator_id FROM {batch} GROUP BY 1 HAVING count(*) FILTER (WHERE is_latest) <> 1"
        },
    ),
    Expectation(
        "statuses_follow_their_rule",
        "unexpected_rows_expectation",
        "The status is what value, target and margin make it.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT status_code, CASE WHEN value IS NULL OR completeness < 0.5 THEN 'no_data' "
            "WHEN target IS NULL THEN 'context' WHEN missed <= 0 THEN 'on_track' "
            "WHEN missed <= round(margin_pct / 100 * abs(target), 6) THEN 'at_risk' ELSE 'off_track' END AS ruled FROM (SELECT *, "
            "round(CASE direction_code WHEN 'lower' THEN value - target ELSE target - value END, 6) AS missed FROM {batch})) "
            "WHERE status_code <> ruled"
        },
    ),
    Expectation(
        "missing_figures_say_why",
        "unexpected_rows_expectation",
        "A status, trend or forecast that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (status_code = 'no_data') <> (status_reason IS NOT NULL) "
            "OR (trend_change IS NULL) <> (trend_missing_reason IS NOT NULL) "
            "OR (forecast_value IS NULL) <> (forecast_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "intervals_hold_their_figure",
        "unexpected_rows_expectation",
        "Each trend and each forecast lies within its interval.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE trend_change NOT BETWEEN trend_low AND trend_high "
            "OR forecast_value NOT BETWEEN forecast_low AND forecast_high"
        },
    ),
    Expectation(
        "each_figure_names_its_question",
        "unexpected_rows_expectation",
        "Each figure has a question that asks the table it names.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE NOT contains(query_sql, source_table)"},
    ),
    Expectation(
        "most_indicators_have_data",
        "unexpected_rows_expectation",
        "At least half of the indicators have a value.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(DISTINCT indicator_id) FROM {batch} "
            "HAVING count(DISTINCT indicator_id) FILTER (WHERE value IS NOT NULL) < 0.5 * count(DISTINCT indicator_id)"
        },
    ),
    Expectation(
        "shares_are_shares",
        "unexpected_rows_expectation",
        "A percentage of something lies between 0 and 100.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE starts_with(unit_en, '% of') AND value NOT BETWEEN 0 AND 100"
        },
    ),
)
