"""Suite of the calendar."""

from groningen_data.gate.suite import BatchFacts, Expectation


def _next_year(facts: BatchFacts) -> dict[str, object]:
    return {"column": "year", "min_value": facts.now.year + 1}


SUITE = (
    Expectation(
        "reaches_into_next_year",
        "expect_column_max_to_be_between",
        "The calendar goes on until after the current year.",
        kwargs=_next_year,
    ),
    Expectation(
        "no_date_is_missing",
        "unexpected_rows_expectation",
        "Between the first and the last date every date is there once.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} "
            "HAVING count(DISTINCT calendar_on) <> date_diff('day', min(calendar_on), max(calendar_on)) + 1"
        },
    ),
    Expectation(
        "whole_years",
        "unexpected_rows_expectation",
        "Every year has all its days, and 10 to 12 public holidays.",
        kwargs={
            "unexpected_rows_query": "SELECT year FROM {batch} GROUP BY year HAVING count(*) NOT IN (365, 366) "
            "OR count(*) FILTER (WHERE is_public_holiday) NOT BETWEEN 10 AND 12"
        },
    ),
    Expectation(
        "weekdays_follow_from_dates",
        "unexpected_rows_expectation",
        "Weekday, week and weekend are those of the date.",
        kwargs={
            "unexpected_rows_query": "SELECT calendar_on FROM {batch} WHERE weekday <> isodow(calendar_on) "
            "OR iso_week <> weekofyear(calendar_on) OR iso_year <> isoyear(calendar_on) OR year <> year(calendar_on) "
            "OR is_weekend <> (isodow(calendar_on) > 5)"
        },
    ),
    Expectation(
        "holidays_have_names",
        "unexpected_rows_expectation",
        "A holiday has a name, and what has a name is a holiday.",
        kwargs={
            "unexpected_rows_query": "SELECT calendar_on FROM {batch} WHERE is_public_holiday <> (public_holiday IS NOT NULL) "
            "OR coalesce(is_school_holiday, false) <> (school_holiday IS NOT NULL)"
        },
    ),
    Expectation(
        "unknown_is_not_no",
        "unexpected_rows_expectation",
        "Where school holidays are not known, the calendar says so.",
        kwargs={
            "unexpected_rows_query": "SELECT calendar_on FROM {batch} "
            "WHERE (is_school_holiday IS NULL) <> (school_holiday_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "school_years_look_alike",
        "unexpected_rows_expectation",
        "In every year whose school holidays are all known, 75 to 100 days are school holidays.",
        kwargs={
            "unexpected_rows_query": "SELECT year FROM {batch} GROUP BY year HAVING count(*) = count(is_school_holiday) "
            "AND count(*) FILTER (WHERE is_school_holiday) NOT BETWEEN 75 AND 100"
        },
    ),
    Expectation(
        "school_holidays_of_this_year_are_known",
        "unexpected_rows_expectation",
        "The school holidays of the current year are known; if not, add them to data/reference/school_holidays.csv.",
        severity="warning",
        kwargs=lambda facts: {
            "unexpected_rows_query": "SELECT year FROM {batch} "
            f"WHERE year = {facts.now.year} GROUP BY year HAVING count(*) <> count(is_school_holiday)"
        },
    ),
)
