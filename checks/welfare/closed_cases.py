"""Suite of the irrevocably closed cases: all that were delivered."""

from checks.past import not_after_today, recent
from checks.welfare.benefit_cases import NO_STRAY_NUMBERS, NUMBERS_ARE_VALID
from groningen_data.gate.suite import Expectation

SUITE = (
    NUMBERS_ARE_VALID,
    NO_STRAY_NUMBERS,
    Expectation(
        "cases_stay",
        "unexpected_rows_expectation",
        "At least four in five of the cases known before are there still; what was closed for good seldom opens again.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM lake.core.welfare_closed_cases p "
            "LEFT JOIN {batch} b USING (case_pseudonym) HAVING count(b.closed_on) < 0.8 * count(*)"
        },
    ),
    Expectation(
        "quarters_are_alike",
        "unexpected_rows_expectation",
        "No quarter but the last has less than a third of the cases of the quarter before it.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT quarter FROM (SELECT date_trunc('quarter', closed_on) AS quarter, count(*) AS cases, "
            "lag(count(*)) OVER (ORDER BY date_trunc('quarter', closed_on)) AS cases_before, "
            "lead(count(*)) OVER (ORDER BY date_trunc('quarter', closed_on)) AS cases_after FROM {batch} GROUP BY 1) "
            "WHERE cases_after IS NOT NULL AND 3 * cases < cases_before"
        },
    ),
    Expectation(
        "some_closed_recently",
        "expect_column_max_to_be_between",
        "Some case was closed in the last half year; otherwise an extract is missing.",
        severity="warning",
        kwargs=recent("closed_on", 200),
    ),
    Expectation(
        "none_closed_in_the_future",
        "expect_column_max_to_be_between",
        "No case was closed after today.",
        severity="warning",
        kwargs=not_after_today("closed_on"),
    ),
    Expectation(
        "all_are_irrevocable",
        "expect_column_values_to_be_in_set",
        "Every case is irrevocable: nothing is learnt from a case that may still be overturned.",
        kwargs={"column": "is_irrevocable", "value_set": [True]},
    ),
    Expectation(
        "words_are_listed",
        "unexpected_rows_expectation",
        "Nearly every cause, process step and channel is listed; new ones belong in the list of welfare codes.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE cause_code = 'unlisted' "
            "OR process_step_code = 'unlisted' OR channel_code = 'unlisted') > 0.02 * count(*)"
        },
    ),
    Expectation(
        "cause_step_and_channel_are_filled_in",
        "unexpected_rows_expectation",
        "At least nine in ten cases say what went wrong, where in the process, and through which channel.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING least(count(cause_code), count(process_step_code), "
            "count(channel_code)) < 0.9 * count(*)"
        },
    ),
    Expectation(
        "several_causes",
        "expect_column_unique_value_count_to_be_between",
        "More than one cause occurs; a single one is a default that nobody changed.",
        severity="warning",
        kwargs={"column": "cause_code", "min_value": 2},
    ),
    Expectation(
        "believable_mean_amount",
        "expect_column_mean_to_be_between",
        "The mean amount lies between 50 and 50,000 euros; otherwise cents were read as euros, or the other way round.",
        severity="warning",
        kwargs={"column": "amount_eur", "min_value": 50, "max_value": 50_000},
    ),
)
