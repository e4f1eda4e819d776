"""Suite of the weather per day: one year of one station."""

from datetime import timedelta

from groningen_data.gate.suite import BatchFacts, Expectation, usual_volume


def _volume(facts: BatchFacts) -> dict[str, object] | None:
    """A year that is not over has fewer days than earlier years, but never more."""
    is_over = facts.key < str(facts.now.year)
    usual = usual_volume(0.5 if is_over else 0.0, 1.5)(facts)
    return dict(usual) if usual is not None else None


def _recent(facts: BatchFacts) -> dict[str, object] | None:
    if not facts.key.startswith(f"{facts.now.year}/"):
        return None
    oldest = facts.now.date() - timedelta(days=4)
    return {
        "unexpected_rows_query": f"SELECT max(observed_on) FROM {{batch}} HAVING max(observed_on) < DATE '{oldest.isoformat()}'"
    }


def _past(facts: BatchFacts) -> dict[str, object]:
    today = facts.now.date().isoformat()
    return {"unexpected_rows_query": f"SELECT observed_on FROM {{batch}} WHERE observed_on > DATE '{today}'"}


SUITE = (
    Expectation(
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "The year has about as many days as earlier years.",
        severity="warning",
        kwargs=_volume,
    ),
    Expectation(
        "no_day_is_missing",
        "unexpected_rows_expectation",
        "Between the first and the last day every day is there.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(DISTINCT observed_on) "
            "<> date_diff('day', min(observed_on), max(observed_on)) + 1"
        },
    ),
    Expectation(
        "most_temperatures_are_there",
        "expect_column_values_to_not_be_null",
        "Nearly every day has a mean temperature.",
        severity="warning",
        kwargs={"column": "mean_temperature_c", "mostly": 0.95},
    ),
    Expectation(
        "most_precipitation_is_there",
        "unexpected_rows_expectation",
        "Nearly every day says how much it rained, or that it was too little to measure.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} "
            "HAVING count(*) FILTER (WHERE precipitation_missing_reason IN ('not_measured', 'not_delivered')) > 0.05 * count(*)"
        },
    ),
    Expectation(
        "believable_temperatures",
        "unexpected_rows_expectation",
        "The mean temperature of every month is one of the Netherlands; if not, tenths were taken for degrees.",
        kwargs={
            "unexpected_rows_query": "SELECT month(observed_on) FROM {batch} GROUP BY ALL "
            "HAVING avg(mean_temperature_c) NOT BETWEEN -20 AND 35"
        },
    ),
    Expectation(
        "mean_between_lowest_and_highest",
        "unexpected_rows_expectation",
        "The mean temperature of a day lies between its lowest and its highest; often not means that columns were mixed up.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE "
            "mean_temperature_c < min_temperature_c - 0.1 OR mean_temperature_c > max_temperature_c + 0.1) > 0.05 * count(*)"
        },
    ),
    Expectation(
        "believable_precipitation",
        "unexpected_rows_expectation",
        "Over more than a season it rains, and never ten times as much as usual.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT sum(precipitation_mm) FROM {batch} HAVING count(precipitation_mm) > 90 "
            "AND avg(precipitation_mm) NOT BETWEEN 0.1 AND 20"
        },
    ),
    Expectation(
        "highest_hour_within_the_day",
        "unexpected_rows_expectation",
        "The wettest hour of a day brought no more than the whole day.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT observed_on FROM {batch} WHERE max_hourly_precipitation_mm > precipitation_mm + 0.05"
        },
    ),
    Expectation(
        "believable_wind",
        "unexpected_rows_expectation",
        "On average it blows, but no storm; a mean outside 0.1 to 25 m/s means a stuck meter or another unit.",
        kwargs={
            "unexpected_rows_query": "SELECT avg(mean_wind_speed_m_s) FROM {batch} "
            "HAVING count(mean_wind_speed_m_s) > 10 AND avg(mean_wind_speed_m_s) NOT BETWEEN 0.1 AND 25"
        },
    ),
    Expectation(
        "gusts_above_the_mean",
        "unexpected_rows_expectation",
        "The highest gust of a day is at least its mean wind.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT observed_on FROM {batch} WHERE max_wind_gust_m_s < mean_wind_speed_m_s"},
    ),
    Expectation(
        "weather_changes",
        "unexpected_rows_expectation",
        "Temperatures differ: one and the same value for weeks means a stuck meter.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(mean_temperature_c) > 14 "
            "AND count(DISTINCT mean_temperature_c) < 5"
        },
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "What is missing says why, and what is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT observed_on FROM {batch} "
            "WHERE (mean_temperature_c IS NULL) <> (temperature_missing_reason IS NOT NULL) "
            "OR (precipitation_mm IS NULL) <> (precipitation_missing_reason IS NOT NULL) "
            "OR (max_hourly_precipitation_mm IS NULL) <> (max_hourly_precipitation_missing_reason IS NOT NULL) "
            "OR (sunshine_h IS NULL) <> (sunshine_missing_reason IS NOT NULL) "
            "OR (mean_wind_speed_m_s IS NULL) <> (wind_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "short_winter_days",
        "unexpected_rows_expectation",
        "In December the sun shines at most 8.5 hours a day; more means a wrong date.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT observed_on FROM {batch} WHERE month(observed_on) = 12 AND sunshine_h > 8.5"},
    ),
    Expectation(
        "like_the_same_month_of_other_years",
        "unexpected_rows_expectation",
        "Each month is within 7 degrees of the same month in at least three other years of the station.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "WITH now AS (SELECT station_code, month(observed_on) AS m, avg(mean_temperature_c) AS t, "
            "min(year) AS y FROM {batch} GROUP BY ALL), "
            "before AS (SELECT w.station_code, month(observed_on) AS m, avg(mean_temperature_c) AS t "
            "FROM lake.core.reference_weather_days w JOIN (SELECT DISTINCT station_code, y FROM now) n "
            "ON w.station_code = n.station_code AND w.year <> n.y GROUP BY ALL HAVING count(DISTINCT w.year) >= 3) "
            "SELECT m FROM now JOIN before USING (station_code, m) WHERE abs(now.t - before.t) > 7"
        },
    ),
    Expectation(
        "days_are_in_the_calendar",
        "unexpected_rows_expectation",
        "Every day since the calendar begins is a day of the calendar.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT observed_on FROM {batch} "
            "WHERE observed_on >= (SELECT min(calendar_on) FROM lake.core.reference_calendar) "
            "AND observed_on NOT IN (SELECT calendar_on FROM lake.core.reference_calendar)"
        },
    ),
    Expectation(
        "up_to_date",
        "unexpected_rows_expectation",
        "The current year has weather of the last days.",
        severity="warning",
        kwargs=_recent,
    ),
    Expectation(
        "not_in_the_future",
        "unexpected_rows_expectation",
        "No day lies in the future.",
        severity="warning",
        kwargs=_past,
    ),
)
