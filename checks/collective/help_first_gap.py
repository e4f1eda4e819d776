"""Suite of the gap between low income and social assistance."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_neighbourhood_once",
        "unexpected_rows_expectation",
        "Every neighbourhood of the municipality is there.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT count(*) AS listed FROM lake.core.reference_neighbourhoods) n, "
            "(SELECT count(*) AS here FROM {batch}) h WHERE listed <> here"
        },
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A figure that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (low_income_households IS NULL) <> (low_income_reason IS NOT NULL) "
            "OR (recipients IS NULL) <> (recipients_reason IS NOT NULL) "
            "OR (unassisted_households IS NULL) <> (low_income_households IS NULL OR recipients IS NULL)"
        },
    ),
    Expectation(
        "no_more_low_incomes_than_households",
        "unexpected_rows_expectation",
        "No neighbourhood has more households with a low income than households, nor more without assistance than with a low income.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE low_income_households > households "
            "OR unassisted_households > low_income_households"
        },
    ),
    Expectation(
        "figures_are_of_the_same_time",
        "unexpected_rows_expectation",
        "Recipients are counted at most a year before or after the income figures.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE recipients IS NOT NULL AND low_income_households IS NOT NULL "
            "AND abs(year - CAST(recipients_period[1:4] AS INTEGER)) > 1"
        },
    ),
    Expectation(
        "some_neighbourhoods_can_be_told_of",
        "unexpected_rows_expectation",
        "For at least a tenth of the neighbourhoods both figures are known.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(unassisted_households) < 0.1 * count(*)"},
    ),
)
