"""Suite of the mart of what signal rules find."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_outcome_is_counted",
        "unexpected_rows_expectation",
        "The months that ended together count every outcome that was delivered.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT coalesce(sum(checks), 0) AS here, max(month_on) AS last FROM {batch}) h, LATERAL (SELECT count(*) AS listed "
            "FROM lake.core.welfare_signal_outcomes WHERE checked_on < h.last + INTERVAL 1 MONTH) c WHERE here <> listed"
        },
    ),
    Expectation(
        "a_suspended_version_stays_suspended",
        "unexpected_rows_expectation",
        "Once a version of a rule was found no better than chance it stays suspended.",
        kwargs={
            "unexpected_rows_query": "SELECT rule_id, rule_version, month_on FROM {batch} QUALIFY NOT is_suspended AND "
            "lag(is_suspended) OVER (PARTITION BY rule_id, rule_version ORDER BY month_on)"
        },
    ),
    Expectation(
        "a_rule_that_beats_chance_finds_more",
        "unexpected_rows_expectation",
        "Where a rule is said to beat chance, it finds a larger share than chance does.",
        kwargs={
            "unexpected_rows_query": "SELECT rule_id, month_on FROM {batch} WHERE verdict_code = 'beats_chance' "
            "AND unlawful_to_date * chance_checks <= chance_unlawful * checks_to_date"
        },
    ),
    Expectation(
        "most_rules_beat_chance",
        "unexpected_rows_expectation",
        "At least half of the rules that can be judged beat chance; fewer means that people are bothered for nothing.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE month_on = (SELECT max(month_on) FROM {batch}) AND verdict_code <> 'too_few' "
            "HAVING 2 * count(*) FILTER (WHERE verdict_code = 'beats_chance') < count(*)"
        },
    ),
)
