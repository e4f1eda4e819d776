"""Suite of the benefit recipients."""

from groningen_data.gate.suite import BatchFacts, Expectation


def _our_total(facts: BatchFacts) -> dict[str, object]:
    code = facts.municipality_code
    return {
        "unexpected_rows_query": "SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {batch} "
        f"WHERE region_code = '{code}' AND benefit_code = 'social_assistance' AND recipients > 0)"
    }


def _sum_close_to_total(facts: BatchFacts) -> dict[str, object]:
    number = facts.municipality_code[2:]
    return {
        "unexpected_rows_query": "SELECT benefit_code FROM {batch} WHERE substr(region_code, 3, 4) = "
        f"'{number}' GROUP BY benefit_code HAVING sum(recipients) FILTER (WHERE region_level = 'neighbourhood') > "
        "1.02 * max(recipients) FILTER (WHERE region_level = 'municipality') + 100"
    }


SUITE = (
    Expectation(
        "our_municipality_is_there",
        "unexpected_rows_expectation",
        "The municipality's own total of social assistance is there and above zero.",
        kwargs=_our_total,
    ),
    Expectation(
        "neighbourhoods_fit_the_total",
        "unexpected_rows_expectation",
        "The neighbourhoods together do not exceed the municipality's total (allowing for rounding).",
        kwargs=_sum_close_to_total,
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A number that is missing says why, and one that is there says nothing.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE (recipients IS NULL) <> (missing_reason IS NOT NULL)"},
    ),
    Expectation(
        "rounded_to_tens",
        "unexpected_rows_expectation",
        "CBS rounds recipients to tens; exact numbers would mean a table that was not meant for publication.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE recipients % 5 <> 0"},
    ),
    Expectation(
        "social_assistance_is_released",
        "unexpected_rows_expectation",
        "Social assistance is filled in for some regions; an early release leaves it empty.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {batch} "
            "WHERE benefit_code = 'social_assistance' AND recipients IS NOT NULL)"
        },
    ),
)
