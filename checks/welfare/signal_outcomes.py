"""Suite of the outcomes of checks: one delivery of all outcomes."""

from checks.past import not_after_today
from checks.welfare.benefit_cases import NO_STRAY_NUMBERS, NUMBERS_ARE_VALID
from groningen_data.gate.suite import Expectation

SUITE = (
    NUMBERS_ARE_VALID,
    NO_STRAY_NUMBERS,
    Expectation(
        "not_half_of_the_outcomes",
        "unexpected_rows_expectation",
        "The delivery holds at least half as many outcomes as the one before; fewer means that it was cut off.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} "
            "HAVING count(*) < 0.5 * (SELECT count(*) FROM lake.core.welfare_signal_outcomes)"
        },
    ),
    Expectation(
        "no_outcome_of_the_future",
        "expect_column_max_to_be_between",
        "No check has an outcome after today.",
        kwargs=not_after_today("checked_on"),
    ),
    Expectation(
        "adverse_decisions_are_careful",
        "unexpected_rows_expectation",
        "Every adverse decision has its own reasons, a second pair of eyes, and was taken after the person was heard.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT check_pseudonym FROM {batch} WHERE is_adverse AND NOT (coalesce(is_motivated, false) "
            "AND coalesce(is_heard, false) AND coalesce(is_four_eyes, false))"
        },
    ),
    Expectation(
        "only_unlawful_payments_lead_to_adverse_decisions",
        "unexpected_rows_expectation",
        "No adverse decision was taken where the payment was found lawful, the fact wrong, or nothing was found.",
        kwargs={
            "unexpected_rows_query": "SELECT check_pseudonym FROM {batch} WHERE is_adverse AND outcome_code <> 'fact_right_unlawful'"
        },
    ),
    Expectation(
        "wrong_facts_are_noticed",
        "unexpected_rows_expectation",
        "Of many checks that rules asked for, some find that the fact was wrong; none at all means that nobody looks.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE rule_version > 0 "
            "HAVING count(*) > 300 AND count(*) FILTER (WHERE outcome_code = 'fact_wrong') = 0"
        },
    ),
    Expectation(
        "chance_gets_its_share",
        "unexpected_rows_expectation",
        "Over the last quarter of checks at least a fifth was asked for by chance; without them nobody knows what a rule is worth.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE checked_on > (SELECT max(checked_on) FROM {batch}) - 92 "
            "HAVING count(*) >= 50 AND 5 * count(*) FILTER (WHERE rule_id = 'random_sample') < count(*)"
        },
    ),
    Expectation(
        "sample_was_drawn",
        "unexpected_rows_expectation",
        "Nearly every check of the sample is of a case that was drawn (looked at three months after the first draw was made).",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} b LEFT JOIN (SELECT DISTINCT case_pseudonym, true AS is_known "
            "FROM lake.core.welfare_sample_cases WHERE is_drawn) d USING (case_pseudonym) WHERE rule_id = 'random_sample' "
            "AND checked_on > (SELECT min(drawn_on) + 92 FROM lake.core.welfare_sample_cases) "
            "HAVING count(d.is_known) < 0.95 * count(*)"
        },
    ),
    Expectation(
        "words_are_listed",
        "unexpected_rows_expectation",
        "Nearly every outcome is listed; new ones belong in the list of welfare codes.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE outcome_code = 'unlisted') "
            "> 0.02 * count(*)"
        },
    ),
)
