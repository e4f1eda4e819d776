"""Suite of the risk of problematic debts: one year of all municipalities."""

from groningen_data.gate.suite import BatchFacts, Expectation, usual_volume


def _our_municipality(facts: BatchFacts) -> dict[str, object]:
    return {
        "unexpected_rows_query": "SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {batch} "
        f"WHERE municipality_code = '{facts.municipality_code}' AND persons_at_risk IS NOT NULL)"
    }


def _fits_population(facts: BatchFacts) -> dict[str, object]:
    return {
        "unexpected_rows_query": "SELECT municipality_code FROM {batch} b JOIN lake.core.reference_key_figures k "
        "ON k.region_code = b.municipality_code AND k.measure_code = 'inhabitants' AND abs(k.year - b.year) <= 3 "
        "WHERE b.at_risk_pct > 0 AND b.persons_at_risk >= 1000 AND b.persons_at_risk / b.at_risk_pct * 100 > 1.1 * k.value"
    }


SUITE = (
    Expectation(
        "our_municipality_is_there",
        "unexpected_rows_expectation",
        "The municipality itself is in the file with a number.",
        severity="warning",
        kwargs=_our_municipality,
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A number that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (persons_at_risk IS NULL) <> (persons_missing_reason IS NOT NULL) "
            "OR (at_risk_pct IS NULL) <> (share_missing_reason IS NOT NULL) "
            "OR (inflow_pct IS NULL) <> (inflow_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "most_numbers_are_there",
        "unexpected_rows_expectation",
        "At least nine in ten municipalities have a number and a share; otherwise the file is damaged.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(persons_at_risk) < 0.9 * count(*) "
            "OR count(at_risk_pct) < 0.9 * count(*)"
        },
    ),
    Expectation(
        "believable_share",
        "expect_column_mean_to_be_between",
        "On average between one in a thousand and one in ten persons is at risk.",
        kwargs={"column": "at_risk_pct", "min_value": 0.1, "max_value": 10},
    ),
    Expectation(
        "believable_inflow",
        "expect_column_mean_to_be_between",
        "Of the persons at risk, between half a percent and half get problematic debts.",
        severity="warning",
        kwargs={"column": "inflow_pct", "min_value": 0.5, "max_value": 50},
    ),
    Expectation(
        "rounded_to_tens",
        "unexpected_rows_expectation",
        "CBS rounds these numbers to tens.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE persons_at_risk % 10 <> 0"},
    ),
    Expectation(
        "share_fits_number",
        "unexpected_rows_expectation",
        "In larger municipalities number and share speak of a group no larger than the inhabitants in the key figures.",
        severity="warning",
        kwargs=_fits_population,
    ),
    Expectation(
        "shares_move_slowly",
        "unexpected_rows_expectation",
        "No share doubles or halves against the published year before (larger municipalities only).",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT municipality_code FROM {batch} b JOIN lake.core.welfare_debt_risk p "
            "USING (municipality_code) WHERE p.year = b.year - 1 AND p.persons_at_risk >= 500 AND p.at_risk_pct > 0 "
            "AND b.at_risk_pct / p.at_risk_pct NOT BETWEEN 0.5 AND 2"
        },
    ),
    Expectation(
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "The year has about as many municipalities as other years.",
        severity="warning",
        kwargs=usual_volume(0.8, 1.25),
    ),
    Expectation(
        "former_municipalities_name_their_successor",
        "unexpected_rows_expectation",
        "A municipality that was merged says into which one.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (municipality_status = 'merged') <> (successor_code IS NOT NULL)"
        },
    ),
    Expectation(
        "names_are_there",
        "expect_column_values_to_not_be_null",
        "Municipalities have their names.",
        severity="warning",
        kwargs={"column": "municipality_name"},
    ),
)
