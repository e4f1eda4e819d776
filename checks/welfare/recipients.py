"""Suite of the benefit recipients: one CBS table, with one period or several."""

from groningen_data.gate.suite import BatchFacts, Expectation, usual_volume


def _our_total(facts: BatchFacts) -> dict[str, object]:
    code = facts.municipality_code
    return {
        "unexpected_rows_query": "SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {batch} "
        f"WHERE region_code = '{code}' AND benefit_code = 'social_assistance' AND recipients > 0)"
    }


def _sum_close_to_total(facts: BatchFacts) -> dict[str, object]:
    number = facts.municipality_code[2:]
    return {
        "unexpected_rows_query": "SELECT period_code, benefit_code FROM {batch} WHERE substr(region_code, 3, 4) = "
        f"'{number}' GROUP BY ALL HAVING sum(recipients) FILTER (WHERE region_level = 'neighbourhood') > "
        "1.02 * max(recipients) FILTER (WHERE region_level = 'municipality') + 100"
    }


def _half_is_filled(facts: BatchFacts) -> dict[str, object]:
    number = facts.municipality_code[2:]
    return {
        "unexpected_rows_query": "SELECT period_code FROM {batch} WHERE benefit_code = 'social_assistance' AND region_level = "
        f"'neighbourhood' AND substr(region_code, 3, 4) = '{number}' GROUP BY period_code "
        "HAVING count(recipients) < 0.5 * count(*) AND count(recipients) > 0"
    }


def _not_ahead(facts: BatchFacts) -> dict[str, object]:
    today = facts.now.date()
    return {"unexpected_rows_query": f"SELECT * FROM {{batch}} WHERE recipients IS NOT NULL AND period_end_on > DATE '{today}'"}


def _recent(facts: BatchFacts) -> dict[str, object]:
    today = facts.now.date()
    return {
        "unexpected_rows_query": "SELECT max(period_end_on) FROM (SELECT period_end_on FROM {batch} UNION ALL "
        f"SELECT period_end_on FROM lake.core.welfare_recipients) HAVING max(period_end_on) < DATE '{today}' - 1100"
    }


def _close_to_other_tables(facts: BatchFacts) -> dict[str, object]:
    return {
        "unexpected_rows_query": "SELECT b.period_code, b.benefit_code, b.recipients, p.recipients AS elsewhere FROM {batch} b "
        "JOIN lake.core.welfare_recipients p USING (region_code, period_end_on, benefit_code) "
        f"WHERE p.source_table <> b.source_table AND region_code = '{facts.municipality_code}' "
        "AND abs(b.recipients - p.recipients) > 0.1 * p.recipients + 20"
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
        "In every period the neighbourhoods together do not exceed the municipality's total (allowing for rounding).",
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
    Expectation(
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "The table has about as many rows as earlier tables (one with four periods has four times those of one with a year).",
        severity="warning",
        kwargs=usual_volume(0.1, 10.0),
    ),
    Expectation(
        "periods_are_complete",
        "unexpected_rows_expectation",
        "Every period of the table is about the same number of regions.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT min(regions), max(regions) FROM (SELECT count(*) AS regions FROM {batch} "
            "GROUP BY period_code) HAVING min(regions) <> max(regions)"
        },
    ),
    Expectation(
        "no_period_is_ahead",
        "unexpected_rows_expectation",
        "No figure is about a period that has not ended yet.",
        severity="warning",
        kwargs=_not_ahead,
    ),
    Expectation(
        "recent_figures_are_there",
        "unexpected_rows_expectation",
        "The newest figures, of this table or of earlier ones, are at most three years old.",
        severity="warning",
        kwargs=_recent,
    ),
    Expectation(
        "most_neighbourhoods_have_a_number",
        "unexpected_rows_expectation",
        "Where a period has figures, at least half of the municipality's neighbourhoods have one; the others are too small.",
        severity="warning",
        kwargs=_half_is_filled,
    ),
    Expectation(
        "totals_move_slowly",
        "unexpected_rows_expectation",
        "From one period to the next no municipality's number changes by more than a third (large ones only).",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT region_code, benefit_code, period_code, recipients, lag(recipients) "
            "OVER (PARTITION BY region_code, benefit_code ORDER BY period_end_on) AS before FROM {batch} "
            "WHERE region_level = 'municipality') WHERE before >= 1000 AND abs(recipients - before) > before / 3"
        },
    ),
    Expectation(
        "agrees_with_other_tables",
        "unexpected_rows_expectation",
        "The municipality's total is within ten percent of what another CBS table says of the same day.",
        severity="warning",
        kwargs=_close_to_other_tables,
    ),
    Expectation(
        "current_neighbourhoods_exist",
        "unexpected_rows_expectation",
        "Every current code is one of the published neighbourhoods.",
        kwargs={
            "unexpected_rows_query": "SELECT DISTINCT current_code FROM {batch} WHERE current_code IS NOT NULL "
            "AND current_code NOT IN (SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
    Expectation(
        "codes_are_reconciled",
        "unexpected_rows_expectation",
        "Every neighbourhood code of the municipality is known in the current division of the city, or its successor is.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT DISTINCT region_code FROM {batch} WHERE code_status = 'unknown'"},
    ),
)
