"""Suite of the key figures."""

from groningen_data.gate.suite import BatchFacts, Expectation, usual_volume


def _our_region(facts: BatchFacts) -> dict[str, object]:
    number = facts.municipality_code[2:]
    return {
        "unexpected_rows_query": "SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {batch} "
        f"WHERE region_level = 'neighbourhood' AND substr(region_code, 3, 4) = '{number}' AND value IS NOT NULL)"
    }


def _population_moves_slowly(facts: BatchFacts) -> dict[str, object]:
    number = facts.municipality_code[2:]
    ours = f"measure_code = 'inhabitants' AND region_level = 'neighbourhood' AND substr(region_code, 3, 4) = '{number}'"
    return {
        "unexpected_rows_query": f"WITH now AS (SELECT min(year) AS year, sum(value) AS people FROM {{batch}} WHERE {ours}), "
        f"others AS (SELECT year, source_table, sum(value) AS people FROM lake.core.reference_key_figures WHERE {ours} "
        "AND source_table NOT IN (SELECT source_table FROM {batch}) GROUP BY ALL) "
        "SELECT others.* FROM others, now WHERE abs(others.year - now.year) <= 3 AND others.people > 0 "
        "AND abs(now.people / others.people - 1) > 0.15"
    }


SUITE = (
    Expectation(
        "our_municipality_is_there",
        "unexpected_rows_expectation",
        "At least one neighbourhood of the municipality has a figure.",
        kwargs=_our_region,
    ),
    Expectation(
        "one_year_per_table",
        "expect_column_unique_value_count_to_be_between",
        "A source table is about one year.",
        kwargs={"column": "year", "min_value": 1, "max_value": 1},
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A figure that is missing says why, and one that is there says nothing.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE (value IS NULL) <> (missing_reason IS NOT NULL)"},
    ),
    Expectation(
        "parts_do_not_exceed_the_whole",
        "unexpected_rows_expectation",
        "Those under 15 are never more than all inhabitants of a region (allowing for CBS rounding).",
        kwargs={
            "unexpected_rows_query": "SELECT y.region_code FROM {batch} y JOIN {batch} a USING (region_code, year) "
            "WHERE y.measure_code = 'inhabitants_0_14' AND a.measure_code = 'inhabitants' AND y.value > a.value + 10"
        },
    ),
    Expectation(
        "population_is_there",
        "unexpected_rows_expectation",
        "The number of inhabitants, on which every rate rests, is among the measures.",
        kwargs={
            "unexpected_rows_query": "SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {batch} WHERE measure_code = 'inhabitants')"
        },
    ),
    Expectation(
        "codes_are_reconciled",
        "unexpected_rows_expectation",
        "Every neighbourhood code of the municipality is known in the current division of the city, or its successor is.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT DISTINCT region_code FROM {batch} WHERE code_status = 'unknown'"},
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
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "The table has about as many figures as those of other years (a file of one municipality has far fewer).",
        severity="warning",
        kwargs=usual_volume(0.002, 500.0),
    ),
    Expectation(
        "population_moves_slowly",
        "unexpected_rows_expectation",
        "The municipality's inhabitants are within 15 percent of those in published figures of a near year.",
        severity="warning",
        kwargs=_population_moves_slowly,
    ),
    Expectation(
        "shares_are_shares",
        "unexpected_rows_expectation",
        "Percentages lie between 0 and 100.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE unit = '%' AND value NOT BETWEEN 0 AND 100"},
    ),
    Expectation(
        "counts_are_not_negative",
        "unexpected_rows_expectation",
        "Nothing that is counted or measured here can be below zero, income and property value apart.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE value < 0 AND measure_code NOT LIKE '%_keur'"},
    ),
    Expectation(
        "believable_households",
        "unexpected_rows_expectation",
        "On average a household has between one and five persons.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT avg(value) FROM {batch} WHERE measure_code = 'average_household_size' "
            "HAVING avg(value) NOT BETWEEN 1 AND 5"
        },
    ),
    Expectation(
        "ages_add_up",
        "unexpected_rows_expectation",
        "The five age groups together are all inhabitants (allowing for CBS rounding).",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT region_code FROM {batch} WHERE measure_code LIKE 'inhabitants%' GROUP BY region_code "
            "HAVING count(value) = 6 AND abs(sum(value) FILTER (WHERE measure_code <> 'inhabitants') "
            "- max(value) FILTER (WHERE measure_code = 'inhabitants')) > 25"
        },
    ),
    Expectation(
        "most_measures_are_released",
        "unexpected_rows_expectation",
        "At least half of the measures are filled in for some region; an early release leaves many empty.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM (SELECT measure_code, count(value) AS filled FROM {batch} GROUP BY "
            "measure_code) HAVING count(*) FILTER (WHERE filled > 0) < 0.5 * count(*)"
        },
    ),
)
