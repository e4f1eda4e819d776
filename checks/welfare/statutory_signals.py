"""Suite of the statutory signals: one delivery of all signals."""

from checks.past import not_after_today, recent
from checks.welfare.benefit_cases import NO_STRAY_NUMBERS, NUMBERS_ARE_VALID
from groningen_data.gate.suite import Expectation

SUITE = (
    NUMBERS_ARE_VALID,
    NO_STRAY_NUMBERS,
    Expectation(
        "not_half_of_the_signals",
        "unexpected_rows_expectation",
        "The delivery holds at least half as many signals as the one before; fewer means that it was cut off.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} "
            "HAVING count(*) < 0.5 * (SELECT count(*) FROM lake.core.welfare_statutory_signals)"
        },
    ),
    Expectation(
        "no_signal_of_the_future",
        "expect_column_max_to_be_between",
        "No signal was received after today.",
        kwargs=not_after_today("received_on"),
    ),
    Expectation(
        "some_signals_are_recent",
        "expect_column_max_to_be_between",
        "Some signal was received in the last five weeks; the Inlichtingenbureau sends them every month.",
        severity="warning",
        kwargs=recent("received_on", 35),
    ),
    Expectation(
        "signals_are_of_the_person_of_the_case",
        "unexpected_rows_expectation",
        "Hardly any signal names another person than the case it points to: an error here would be a letter to the wrong person.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} b JOIN lake.core.welfare_benefit_cases c USING (case_pseudonym) "
            "HAVING count(*) FILTER (WHERE b.person_pseudonym <> c.person_pseudonym) > 0.01 * count(*)"
        },
    ),
    Expectation(
        "cases_are_known",
        "unexpected_rows_expectation",
        "Nearly every signal is of a benefit case that is known; if not, the key was replaced, or another selection was delivered.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} b LEFT JOIN lake.core.welfare_benefit_cases c USING (case_pseudonym) "
            "HAVING count(c.started_on) < 0.95 * count(*)"
        },
    ),
    Expectation(
        "words_are_listed",
        "unexpected_rows_expectation",
        "Nearly every kind, register and status is listed; new ones belong in the list of welfare codes.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE signal_type_code = 'unlisted' "
            "OR source_code = 'unlisted' OR status_code = 'unlisted') > 0.02 * count(*)"
        },
    ),
    Expectation(
        "no_signal_waits_for_a_year",
        "unexpected_rows_expectation",
        "Hardly any open signal was received more than a year ago: old facts help nobody.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE status_code = 'open' "
            "AND received_on < (SELECT max(received_on) FROM {batch}) - 365) > 0.05 * count(*) FILTER (WHERE status_code = 'open')"
        },
    ),
)
