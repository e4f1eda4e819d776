"""Suite of household waste per inhabitant: all years of the municipality and the country."""

from groningen_data.gate.suite import BatchFacts, Expectation, usual_volume

_RESIDUAL = "waste_kind_code = 'A025450'"


def _our_municipality(facts: BatchFacts) -> dict[str, object]:
    return {
        "unexpected_rows_query": "SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {batch} "
        f"WHERE region_code = '{facts.municipality_code}' AND kg_per_inhabitant IS NOT NULL)"
    }


SUITE = (
    Expectation(
        "our_municipality_is_there",
        "unexpected_rows_expectation",
        "The municipality has figures.",
        kwargs=_our_municipality,
    ),
    Expectation(
        "the_country_is_there",
        "unexpected_rows_expectation",
        "The country, to compare with, has figures.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {batch} "
            "WHERE region_level = 'country' AND kg_per_inhabitant IS NOT NULL)"
        },
    ),
    Expectation(
        "one_municipality_and_one_country",
        "expect_column_unique_value_count_to_be_between",
        "There are no other regions than the municipality and the country.",
        kwargs={"column": "region_code", "min_value": 1, "max_value": 2},
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A figure that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (kg_per_inhabitant IS NULL) <> (missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "kinds_have_titles",
        "expect_column_values_to_not_be_null",
        "Each kind of waste has its title.",
        kwargs={"column": "waste_kind_title"},
    ),
    Expectation(
        "residual_waste_is_there",
        "unexpected_rows_expectation",
        "Residual waste, which policy is about, is among the kinds.",
        severity="warning",
        kwargs={"unexpected_rows_query": f"SELECT 1 AS missing WHERE NOT EXISTS (SELECT 1 FROM {{batch}} WHERE {_RESIDUAL})"},
    ),
    Expectation(
        "believable_residual_waste",
        "unexpected_rows_expectation",
        "Residual waste of the municipality and the country is between 20 and 600 kg per inhabitant a year.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": f"SELECT * FROM {{batch}} WHERE {_RESIDUAL} AND kg_per_inhabitant NOT BETWEEN 20 AND 600"
        },
    ),
    Expectation(
        "no_kind_exceeds_the_total",
        "unexpected_rows_expectation",
        "No kind of waste is more than the total of its region and year.",
        kwargs={
            "unexpected_rows_query": "SELECT k.* FROM {batch} k JOIN {batch} t USING (region_code, year) "
            "WHERE lower(t.waste_kind_title) LIKE 'totaal%' AND k.kg_per_inhabitant > t.kg_per_inhabitant + 1"
        },
    ),
    Expectation(
        "years_follow_one_another",
        "unexpected_rows_expectation",
        "No year is left out between the first and the last.",
        kwargs={
            "unexpected_rows_query": "SELECT min(year), max(year), count(DISTINCT year) FROM {batch} "
            "HAVING count(DISTINCT year) <> max(year) - min(year) + 1"
        },
    ),
    Expectation(
        "amounts_move_slowly",
        "unexpected_rows_expectation",
        "Residual waste does not halve or double from one year to the next.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": f"WITH r AS (SELECT * FROM {{batch}} WHERE {_RESIDUAL} AND kg_per_inhabitant > 0) "
            "SELECT a.* FROM r a JOIN r b ON a.region_code = b.region_code AND a.year = b.year + 1 "
            "WHERE a.kg_per_inhabitant / b.kg_per_inhabitant NOT BETWEEN 0.5 AND 2"
        },
    ),
    Expectation(
        "history_stays",
        "unexpected_rows_expectation",
        "No year that was published is missing from a new release.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT DISTINCT year FROM lake.core.reference_household_waste "
            "WHERE year NOT IN (SELECT year FROM {batch})"
        },
    ),
    Expectation(
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "The release has about as many figures as the one before.",
        severity="warning",
        kwargs=usual_volume(0.5, 2.0),
    ),
)
