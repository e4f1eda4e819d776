"""Suite of the early signals: one delivery of all signals."""

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
            "HAVING count(*) < 0.5 * (SELECT count(*) FROM lake.core.welfare_early_signals)"
        },
    ),
    Expectation(
        "known_signals_are_there_again",
        "unexpected_rows_expectation",
        "Nearly all signals of the delivery before are there again; if not, another selection was delivered, or the key was replaced.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM lake.core.welfare_early_signals p "
            "LEFT JOIN {batch} b USING (signal_pseudonym) HAVING count(b.signalled_on) < 0.9 * count(*)"
        },
    ),
    Expectation(
        "months_are_alike",
        "unexpected_rows_expectation",
        "No whole month has less than a third of the signals of the month before it.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT month FROM (SELECT date_trunc('month', signalled_on) AS month, count(*) AS signals, "
            "lag(count(*)) OVER (ORDER BY date_trunc('month', signalled_on)) AS signals_before, "
            "lead(count(*)) OVER (ORDER BY date_trunc('month', signalled_on)) AS signals_after FROM {batch} GROUP BY 1) "
            "WHERE signals_after IS NOT NULL AND 3 * signals < signals_before"
        },
    ),
    Expectation(
        "some_signals_are_recent",
        "expect_column_max_to_be_between",
        "Some signal is less than five weeks old: partners deliver every month.",
        severity="warning",
        kwargs=recent("signalled_on", 35),
    ),
    Expectation(
        "no_signal_of_the_future",
        "expect_column_max_to_be_between",
        "No signal was sent after today.",
        severity="warning",
        kwargs=not_after_today("signalled_on"),
    ),
    Expectation(
        "several_partners",
        "expect_column_unique_value_count_to_be_between",
        "More than one partner signals.",
        severity="warning",
        kwargs={"column": "partner_code", "min_value": 2},
    ),
    Expectation(
        "words_are_listed",
        "unexpected_rows_expectation",
        "Nearly every partner, status and result is listed; new ones belong in the list of welfare codes.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE partner_code = 'unlisted' "
            "OR status_code = 'unlisted' OR result_code = 'unlisted') > 0.02 * count(*)"
        },
    ),
    Expectation(
        "who_is_reached_was_picked_up",
        "unexpected_rows_expectation",
        "Contact is made after a signal is picked up: hardly any signal says it was reached and not when it was picked up.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE is_reached AND picked_up_on IS NULL) "
            "> 0.02 * count(*)"
        },
    ),
    Expectation(
        "some_households_are_reached",
        "unexpected_rows_expectation",
        "Of a hundred signals on which contact was tried some lead to contact; if not, contact is not recorded.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(is_reached) > 100 AND NOT bool_or(is_reached)"
        },
    ),
    Expectation(
        "closed_signals_have_a_result",
        "unexpected_rows_expectation",
        "Most closed signals have a result.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE status_code = 'closed' "
            "AND result_code IS NULL) > 0.2 * count(*) FILTER (WHERE status_code = 'closed')"
        },
    ),
    Expectation(
        "most_signals_have_a_neighbourhood",
        "expect_column_values_to_not_be_null",
        "Nearly every signal has a neighbourhood.",
        severity="warning",
        kwargs={"column": "neighbourhood_code", "mostly": 0.9},
    ),
    Expectation(
        "neighbourhoods_are_known",
        "unexpected_rows_expectation",
        "Nearly all neighbourhoods are on the map; if not, the codes are those of another year or municipality.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} b LEFT JOIN lake.core.reference_neighbourhoods n USING "
            "(neighbourhood_code) HAVING count(n.neighbourhood_name) < 0.95 * count(b.neighbourhood_code)"
        },
    ),
)
