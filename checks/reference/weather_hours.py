"""Suite of the weather per hour: one year of one station."""

from datetime import timedelta

from groningen_data.gate.suite import BatchFacts, Expectation, usual_volume

_UT = "timezone('UTC', hour_start_at)"


def _volume(facts: BatchFacts) -> dict[str, object] | None:
    """A year that is not over has fewer hours than earlier years, but never more."""
    is_over = facts.key < str(facts.now.year)
    usual = usual_volume(0.5 if is_over else 0.0, 1.5)(facts)
    return dict(usual) if usual is not None else None


def _recent(facts: BatchFacts) -> dict[str, object] | None:
    if not facts.key.startswith(f"{facts.now.year}/"):
        return None
    oldest = facts.now - timedelta(days=3)
    return {
        "unexpected_rows_query": "SELECT max(hour_start_at) FROM {batch} "
        f"HAVING max(hour_start_at) < TIMESTAMPTZ '{oldest:%Y-%m-%d %H:%M:%S}+00'"
    }


def _past(facts: BatchFacts) -> dict[str, object]:
    return {
        "unexpected_rows_query": "SELECT hour_start_at FROM {batch} "
        f"WHERE hour_start_at > TIMESTAMPTZ '{facts.now:%Y-%m-%d %H:%M:%S}+00'"
    }


SUITE = (
    Expectation(
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "The year has about as many hours as earlier years.",
        severity="warning",
        kwargs=_volume,
    ),
    Expectation(
        "whole_days",
        "unexpected_rows_expectation",
        "Every day but the first and the last has 24 hours, and no day in between is missing.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(DISTINCT hour_start_at) "
            "<> date_diff('hour', min(hour_start_at), max(hour_start_at)) + 1"
        },
    ),
    Expectation(
        "most_temperatures_are_there",
        "expect_column_values_to_not_be_null",
        "Nearly every hour has a temperature.",
        severity="warning",
        kwargs={"column": "temperature_c", "mostly": 0.95},
    ),
    Expectation(
        "most_precipitation_is_there",
        "unexpected_rows_expectation",
        "Nearly every hour says how much it rained, or that it was too little to measure.",
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
            "unexpected_rows_query": f"SELECT month({_UT}) FROM {{batch}} GROUP BY ALL HAVING avg(temperature_c) NOT BETWEEN -20 AND 35"
        },
    ),
    Expectation(
        "believable_precipitation",
        "unexpected_rows_expectation",
        "Over more than a season it rains, and never ten times as much as usual.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT sum(precipitation_mm) FROM {batch} HAVING count(precipitation_mm) > 2000 "
            "AND sum(precipitation_mm) / count(precipitation_mm) NOT BETWEEN 0.005 AND 1"
        },
    ),
    Expectation(
        "believable_wind",
        "unexpected_rows_expectation",
        "On average it blows, but no storm; a mean outside 0.1 to 25 m/s means a stuck meter or another unit.",
        kwargs={
            "unexpected_rows_query": "SELECT avg(wind_speed_m_s) FROM {batch} "
            "HAVING count(wind_speed_m_s) > 200 AND avg(wind_speed_m_s) NOT BETWEEN 0.1 AND 25"
        },
    ),
    Expectation(
        "believable_humidity",
        "unexpected_rows_expectation",
        "The mean humidity is that of a wet country.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT avg(humidity_pct) FROM {batch} HAVING avg(humidity_pct) NOT BETWEEN 45 AND 98"},
    ),
    Expectation(
        "weather_changes",
        "unexpected_rows_expectation",
        "Temperatures differ: one and the same value for days means a stuck meter.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(temperature_c) > 48 "
            "AND count(DISTINCT temperature_c) < 5"
        },
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "What is missing says why, and what is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT hour_start_at FROM {batch} "
            "WHERE (temperature_c IS NULL) <> (temperature_missing_reason IS NOT NULL) "
            "OR (precipitation_mm IS NULL) <> (precipitation_missing_reason IS NOT NULL) "
            "OR (sunshine_h IS NULL) <> (sunshine_missing_reason IS NOT NULL) "
            "OR (wind_speed_m_s IS NULL) <> (wind_missing_reason IS NOT NULL) "
            "OR (wind_direction_deg IS NULL) <> (wind_direction_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "no_sun_at_night",
        "unexpected_rows_expectation",
        "The sun never shines between 22 and 2 h UT; if it does, hours were shifted.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": f"SELECT hour_start_at FROM {{batch}} WHERE hour({_UT}) IN (22, 23, 0, 1) "
            "AND (sunshine_h > 0 OR radiation_j_cm2 > 5)"
        },
    ),
    Expectation(
        "brightest_at_noon",
        "unexpected_rows_expectation",
        "On average the brightest hour begins at 10, 11 or 12 h UT; another one means that hours were shifted.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": f"WITH by_hour AS (SELECT hour({_UT}) AS h, avg(radiation_j_cm2) AS q, count(*) AS n "
            "FROM {batch} WHERE radiation_j_cm2 IS NOT NULL GROUP BY ALL) "
            "SELECT arg_max(h, q) FROM by_hour HAVING min(n) >= 28 AND arg_max(h, q) NOT IN (10, 11, 12)"
        },
    ),
    Expectation(
        "dew_point_below_temperature",
        "unexpected_rows_expectation",
        "The dew point is never above the temperature, rounding aside.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT hour_start_at FROM {batch} WHERE dew_point_c > temperature_c + 0.3"},
    ),
    Expectation(
        "like_the_same_month_of_other_years",
        "unexpected_rows_expectation",
        "Each month is within 7 degrees of the same month in at least three other years of the station.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": f"WITH now AS (SELECT station_code, month({_UT}) AS m, avg(temperature_c) AS t, "
            "min(year) AS y FROM {batch} GROUP BY ALL), "
            f"before AS (SELECT w.station_code, month({_UT}) AS m, avg(temperature_c) AS t "
            "FROM lake.core.reference_weather_hours w JOIN (SELECT DISTINCT station_code, y FROM now) n "
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
            "unexpected_rows_query": "SELECT DISTINCT local_date FROM {batch} "
            "WHERE local_date >= (SELECT min(calendar_on) FROM lake.core.reference_calendar) "
            "AND local_date NOT IN (SELECT calendar_on FROM lake.core.reference_calendar)"
        },
    ),
    Expectation(
        "up_to_date",
        "unexpected_rows_expectation",
        "The current year has weather of the last three days.",
        severity="warning",
        kwargs=_recent,
    ),
    Expectation(
        "not_in_the_future",
        "unexpected_rows_expectation",
        "No hour lies in the future.",
        severity="warning",
        kwargs=_past,
    ),
)
