"""Suite of the tasks."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "first_in_first_out",
        "unexpected_rows_expectation",
        "The queue follows the date of receipt and nothing else.",
        kwargs={
            "unexpected_rows_query": "SELECT queue_number FROM {batch} QUALIFY received_on < lag(received_on) OVER (ORDER BY queue_number)"
        },
    ),
    Expectation(
        "numbers_follow_each_other",
        "unexpected_rows_expectation",
        "The queue has each number once, from one up.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING max(queue_number) <> count(*) OR count(DISTINCT queue_number) <> count(*)"
        },
    ),
    Expectation(
        "only_rules_in_force_make_tasks",
        "unexpected_rows_expectation",
        "No task comes from a rule that is suspended, expired or refused.",
        kwargs={
            "unexpected_rows_query": "SELECT signal_pseudonym FROM {batch} b LEFT JOIN lake.collective.signal_rules r USING (rule_id, rule_version) "
            "WHERE coalesce(r.status_code, '') NOT IN ('in_force', 'on_trial')"
        },
    ),
    Expectation(
        "people_are_asked_in_time",
        "unexpected_rows_expectation",
        "Nobody waits longer than eight weeks to be asked about a fact.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT signal_pseudonym FROM {batch} WHERE waiting_days > 56"},
    ),
)
