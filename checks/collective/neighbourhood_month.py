"""Suite of the mart per neighbourhood and month."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_neighbourhood_once",
        "unexpected_rows_expectation",
        "Every neighbourhood of the municipality is there, once.",
        kwargs={
            "unexpected_rows_query": "SELECT n.listed FROM (SELECT count(*) AS listed FROM lake.core.reference_neighbourhoods) n, "
            "(SELECT count(DISTINCT neighbourhood_code) AS here FROM {batch}) h WHERE n.listed <> h.here"
        },
    ),
    Expectation(
        "no_report_is_lost",
        "unexpected_rows_expectation",
        "The neighbourhoods together have as many waste reports as there are inside the municipality that month.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT sum(waste_reports) AS here, min(month) AS month FROM {batch}) m, "
            "LATERAL (SELECT count(*) AS listed FROM lake.core.waste_reports r WHERE r.waste_kind IS NOT NULL "
            "AND r.neighbourhood_code IS NOT NULL AND date_trunc('month', r.created_on) = m.month) l WHERE here <> listed"
        },
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A figure that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (waste_reports IS NULL) <> (waste_reports_reason IS NOT NULL) "
            "OR (weekday_vehicles IS NULL) <> (weekday_vehicles_reason IS NOT NULL) "
            "OR (recipients IS NULL) <> (recipients_reason IS NOT NULL) "
            "OR (inhabitants IS NULL) <> (population_reason IS NOT NULL) "
            "OR (income_per_inhabitant_keur IS NULL) <> (income_reason IS NOT NULL) "
            "OR (overfull_container_hours IS NULL) <> (overfull_reason IS NOT NULL) "
            "OR (collected_kg IS NULL) <> (collected_reason IS NOT NULL) "
            "OR (daily_cyclists IS NULL) <> (daily_cyclists_reason IS NOT NULL) "
            "OR (early_signal_households IS NULL) <> (early_signal_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "no_kilogram_is_lost",
        "unexpected_rows_expectation",
        "The neighbourhoods together have the kilograms of all placed containers that month.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT coalesce(sum(collected_kg), 0) AS here, min(month) AS month FROM {batch}) m, "
            "LATERAL (SELECT coalesce(sum(weight_kg), 0) AS kg FROM lake.collective.container_day c "
            "WHERE c.neighbourhood_code IS NOT NULL AND c.month = m.month) l WHERE abs(here - kg) > 0.5"
        },
    ),
    Expectation(
        "no_overfull_hour_is_lost",
        "unexpected_rows_expectation",
        "The neighbourhoods together have the overfull hours of all placed containers that month.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT coalesce(sum(overfull_container_hours), 0) AS here, min(month) AS month "
            "FROM {batch}) m, LATERAL (SELECT coalesce(sum(overfull_hours), 0) AS hours FROM lake.collective.container_day c "
            "WHERE c.neighbourhood_code IS NOT NULL AND c.month = m.month) l WHERE here <> hours"
        },
    ),
    Expectation(
        "fewer_recipients_than_people",
        "unexpected_rows_expectation",
        "No neighbourhood has more recipients than inhabitants of 15 and older (allowing for CBS rounding).",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE recipients > inhabitants_15_plus + 15 "
            "AND recipients_year = inhabitants_15_plus_year"
        },
    ),
    Expectation(
        "population_mostly_known",
        "expect_column_values_to_not_be_null",
        "Nearly every neighbourhood has a population, on which the rates rest.",
        severity="warning",
        kwargs={"column": "inhabitants", "mostly": 0.9},
    ),
    Expectation(
        "all_sources_are_complete",
        "expect_column_mean_to_be_between",
        "Reports were listed on nearly every day of the month; otherwise the month is still running or days are missing.",
        severity="warning",
        kwargs={"column": "waste_reports_completeness", "min_value": 0.9},
    ),
)
