"""The marts against plain SQL over the core tables, written without looking at how the marts are made.

The whole sample city is compared figure by figure. What it does not have, such as days of 23 and 25 hours, is put into a lake in
memory by hand.
"""

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import Settings
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake, at, instants, local

HOUR, FIVE_MINUTES = timedelta(hours=1), timedelta(minutes=5)
CONTAINER_DAY, SITE_HOUR = "collective.container_day", "collective.site_hour"
NEIGHBOURHOOD_MONTH = "collective.neighbourhood_month"


@pytest.fixture(scope="module")
def lake(sample_lake: Settings):
    with Lakehouse(sample_lake).reader() as con:
        con.execute("USE lake")
        yield con


def agree(lake, mart: str, plain: str, keys: int = 2) -> int:
    """Assert that two queries give the same rows, in whatever order; returns how many.

    Args:
        lake: Where to ask.
        mart: What the mart says.
        plain: The same columns, under whatever names, from the core tables.
        keys: How many columns, the first, tell the rows apart.
    """
    ours, theirs = (lake.execute(sql).pl() for sql in (mart, plain))
    theirs.columns = ours.columns
    by = ours.columns[:keys]
    assert_frame_equal(ours.sort(by), theirs.sort(by), check_dtypes=False, rel_tol=1e-9)
    return ours.height


def rows(lake, sql: str) -> int:
    return lake.execute(f"SELECT count(*) FROM ({sql})").fetchone()[0]


# The whole sample city: containers.


def test_each_registered_container_has_each_day_once_and_the_others_those_they_were_heard_of(lake):
    heard = (
        "SELECT container_code, local_date FROM core.waste_fill_levels UNION SELECT container_code, local_date "
        "FROM core.waste_emptyings UNION SELECT container_code, inspected_on FROM core.waste_inspections"
    )
    plain = (
        f"SELECT container_code, local_date FROM ({heard}) WHERE container_code IS NOT NULL "
        f"UNION SELECT container_code, local_date FROM core.waste_containers CROSS JOIN (SELECT DISTINCT local_date FROM ({heard})) "
        "WHERE location_status <> 'outside_municipality'"
    )
    mart = f"SELECT container_code, local_date FROM {CONTAINER_DAY}"
    assert agree(lake, mart, plain) > 100_000


def test_what_is_known_of_a_container_comes_from_its_registry(lake):
    mart = (
        "SELECT DISTINCT container_code, is_registered, fraction_code, neighbourhood_code, location_status, alarm_pct "
        f"FROM {CONTAINER_DAY}"
    )
    plain = (
        "SELECT container_code, c.container_code IS NOT NULL, fraction_code, neighbourhood_code, location_status, "
        f"coalesce(alarm_pct, 80) FROM (SELECT DISTINCT container_code FROM {CONTAINER_DAY}) "
        "LEFT JOIN core.waste_containers c USING (container_code)"
    )
    agree(lake, mart, plain)


def test_hours_and_levels_are_those_of_the_last_reading_in_each_hour(lake):
    mart = (
        "SELECT container_code, local_date, reading_hours, overfull_hours, alarm_hours, max_fill_pct "
        f"FROM {CONTAINER_DAY} WHERE reading_hours > 0"
    )
    plain = (
        "WITH known AS (SELECT * FROM core.waste_fill_levels WHERE fill_pct IS NOT NULL), "
        "last AS (SELECT * FROM known QUALIFY measured_at = max(measured_at) OVER (PARTITION BY container_code, "
        "epoch(measured_at)::BIGINT // 3600)) "
        "SELECT container_code, last.local_date, count(*), count(*) FILTER (WHERE fill_pct >= 100), "
        "count(*) FILTER (WHERE fill_pct >= coalesce(alarm_pct, 80)), "
        "(SELECT max(fill_pct) FROM known WHERE known.container_code = last.container_code AND known.local_date = last.local_date) "
        "FROM last LEFT JOIN core.waste_containers USING (container_code) GROUP BY ALL"
    )
    assert agree(lake, mart, plain) > 50_000


def test_the_level_at_six_is_the_last_reading_of_the_night(lake):
    mart = f"SELECT container_code, local_date, fill_at_6_pct FROM {CONTAINER_DAY} WHERE fill_at_6_pct IS NOT NULL"
    # The sample's days are all in winter: six o'clock is five o'clock UTC.
    plain = (
        "SELECT container_code, local_date, max_by(fill_pct, measured_at) FROM core.waste_fill_levels "
        "WHERE fill_pct IS NOT NULL AND epoch(measured_at) <= epoch(local_date) + 5 * 3600 GROUP BY ALL"
    )
    assert agree(lake, mart, plain) > 50_000


def test_a_missing_level_says_why_and_is_not_zero(lake):
    mart = f"SELECT container_code, local_date, fill_missing_reason, reading_hours > 0, max_fill_pct FROM {CONTAINER_DAY} WHERE fill_at_6_pct IS NULL"
    plain = (
        "WITH sent AS (SELECT container_code, local_date, count(fill_pct) AS levels, max(fill_pct) AS highest, "
        "count(fill_pct) FILTER (WHERE epoch(measured_at) <= epoch(local_date) + 5 * 3600) AS by_six "
        "FROM core.waste_fill_levels GROUP BY ALL) "
        "SELECT container_code, local_date, CASE WHEN sent.levels IS NULL THEN 'no_sensor_data' ELSE 'no_reading' END, "
        f"coalesce(levels, 0) > 0, highest FROM {CONTAINER_DAY} LEFT JOIN sent USING (container_code, local_date) "
        "WHERE coalesce(by_six, 0) = 0"
    )
    agree(lake, mart, plain)
    impossible = f"SELECT 1 FROM {CONTAINER_DAY} WHERE (fill_at_6_pct IS NULL) <> (fill_missing_reason IS NOT NULL)"
    assert rows(lake, impossible) == 0


def test_emptyings_and_weight_are_those_of_single_containers(lake):
    mart = (
        f"SELECT container_code, local_date, emptyings, weight_kg, weight_missing_reason FROM {CONTAINER_DAY} WHERE emptyings > 0"
    )
    plain = (
        "SELECT container_code, local_date, count(*), sum(weight_kg), "
        "CASE WHEN count(weight_kg) = 0 THEN 'weight_missing' END FROM core.waste_emptyings "
        "WHERE container_code IS NOT NULL GROUP BY ALL"
    )
    agree(lake, mart, plain)
    not_weighed = f"SELECT DISTINCT weight_kg, weight_missing_reason FROM {CONTAINER_DAY} WHERE emptyings = 0"
    assert lake.execute(not_weighed).fetchall() == [(None, "not_weighed")]


def test_inspections_are_counted_where_they_were_made(lake):
    mart = f"SELECT container_code, local_date, inspections, inspections_waste_beside, bulky_items FROM {CONTAINER_DAY} WHERE inspections > 0"
    plain = (
        "SELECT container_code, inspected_on, count(*), count(*) FILTER (WHERE is_waste_beside), coalesce(sum(bulky_items), 0) "
        "FROM core.waste_inspections WHERE container_code IS NOT NULL GROUP BY ALL"
    )
    assert agree(lake, mart, plain) > 5_000


def test_waste_reports_are_counted_within_fifty_metres_over_the_globe(lake):
    # A report at the limit itself, give or take a centimetre, may fall either way: the earth is no perfect globe.
    def near(limit_m: float) -> str:
        return (
            "SELECT container_code, created_on AS local_date, count(*) AS n FROM core.waste_containers c JOIN core.waste_reports r "
            "ON abs(r.latitude - c.latitude) < 0.001 AND waste_kind IS NOT NULL AND created_on >= DATE '2026-01-15' "
            "AND 2 * 6371008.8 * asin(sqrt(pow(sin(radians(r.latitude - c.latitude) / 2), 2) + cos(radians(c.latitude)) "
            f"* cos(radians(r.latitude)) * pow(sin(radians(r.longitude - c.longitude) / 2), 2))) <= {limit_m} GROUP BY ALL"
        )

    outside = lake.execute(
        f"SELECT container_code, local_date, low.n, waste_reports_50_m, high.n FROM {CONTAINER_DAY} "
        f"LEFT JOIN ({near(49.9)}) low USING (container_code, local_date) LEFT JOIN ({near(50.1)}) high USING (container_code, local_date) "
        "WHERE waste_reports_50_m NOT BETWEEN coalesce(low.n, 0) AND coalesce(high.n, 0)"
    ).fetchall()
    assert outside == []
    assert lake.execute(f"SELECT sum(waste_reports_50_m) FROM {CONTAINER_DAY}").fetchone()[0] > 500


def test_weather_is_that_of_the_local_day_and_missing_where_an_hour_is(lake):
    mart = f"SELECT DISTINCT local_date, precipitation_mm, mean_temperature_c, weekday, is_public_holiday FROM {CONTAINER_DAY}"
    plain = (
        "SELECT w.local_date, CASE WHEN count(*) FILTER (WHERE precipitation_missing_reason IN ('not_delivered', 'not_measured')) = 0 "
        "THEN coalesce(sum(precipitation_mm), 0) END, "
        "CASE WHEN count(temperature_c) = 24 THEN avg(temperature_c) END, "
        "isodow(w.local_date), any_value(c.is_public_holiday) FROM core.reference_weather_hours w "
        "JOIN core.reference_calendar c ON c.calendar_on = w.local_date "
        "WHERE w.local_date BETWEEN DATE '2026-01-15' AND DATE '2026-03-15' AND station_code = 280 GROUP BY w.local_date"
    )
    assert agree(lake, mart, plain) == 60


# The whole sample city: traffic.


HOURS = (
    "WITH per_feed AS (SELECT site_id, feed_code, local_date, local_hour, weekday, "
    "make_timestamptz(epoch_us(interval_start_at) // 3600000000 * 3600000000) AS hour_start_at, "
    "sum(vehicles) AS vehicles, count(vehicles) AS good, sum(vehicles * speed_km_h) AS driven, "
    "sum(CASE WHEN speed_km_h IS NOT NULL THEN vehicles END) AS timed "
    "FROM core.traffic_counts WHERE vehicle_class = 'any' GROUP BY ALL), "
    "per_day AS (SELECT site_id, local_date, feed_code, count(vehicles) AS good_of_day, "
    "count(DISTINCT series_code) AS series FROM core.traffic_counts WHERE vehicle_class = 'any' GROUP BY ALL), "
    "best AS (SELECT * FROM per_day QUALIFY row_number() OVER (PARTITION BY site_id, local_date "
    "ORDER BY good_of_day DESC, feed_code) = 1), "
    "hours AS (SELECT p.*, 12 * series AS expected, vehicles / good * 12 * series AS full_hour, good >= 0.8 * 12 * series AS is_good "
    "FROM per_feed p JOIN best USING (site_id, local_date, feed_code)) "
)


def test_a_site_counts_what_its_best_feed_counted(lake):
    mart = f"SELECT site_id, hour_start_at, feed_code, vehicles, good_intervals, expected_intervals, good_share, mean_speed_km_h FROM {SITE_HOUR}"
    plain = (
        f"{HOURS} SELECT site_id, hour_start_at, feed_code, vehicles, good, expected, good / expected, "
        "driven / nullif(timed, 0) FROM hours"
    )
    assert agree(lake, mart, plain) > 140_000


def test_no_hour_of_a_site_is_there_twice(lake):
    twice = f"SELECT site_id, hour_start_at FROM {SITE_HOUR} GROUP BY ALL HAVING count(*) > 1"
    assert rows(lake, twice) == 0


def test_what_is_usual_is_the_mean_of_good_hours_of_the_same_weekday_in_the_eight_weeks_before(lake):
    mart = f"SELECT site_id, hour_start_at, usual_hours, usual_vehicles, flow_ratio FROM {SITE_HOUR}"
    plain = (
        f"{HOURS}, usual AS (SELECT now.site_id, now.hour_start_at, count(earlier.full_hour) AS n, avg(earlier.full_hour) AS mean "
        "FROM hours now LEFT JOIN hours earlier ON earlier.site_id = now.site_id AND earlier.local_hour = now.local_hour "
        "AND earlier.weekday = now.weekday AND earlier.is_good "
        "AND earlier.local_date BETWEEN now.local_date - 56 AND now.local_date - 1 GROUP BY ALL) "
        "SELECT site_id, hour_start_at, n, CASE WHEN n >= 3 THEN mean END, "
        "CASE WHEN n >= 3 AND is_good AND mean > 0 THEN full_hour / mean END "
        "FROM hours JOIN usual USING (site_id, hour_start_at)"
    )
    agree(lake, mart, plain)
    assert rows(lake, f"SELECT 1 FROM {SITE_HOUR} WHERE usual_hours = 8") > 1_000


def test_each_missing_figure_of_a_site_has_one_reason(lake):
    wrong = (
        f"SELECT 1 FROM {SITE_HOUR} WHERE (vehicles IS NULL) <> (vehicles_missing_reason IS NOT NULL) "
        "OR (mean_speed_km_h IS NULL) <> (speed_missing_reason IS NOT NULL) "
        "OR (flow_ratio IS NULL) <> (flow_ratio_missing_reason IS NOT NULL) "
        "OR (flow_ratio_missing_reason = 'incomplete_hour') <> (good_share < 0.8) "
        "OR (speed_missing_reason = 'no_vehicles' AND vehicles <> 0)"
    )
    assert rows(lake, wrong) == 0


# The whole sample city: neighbourhoods.


PER_MONTH = (
    "FROM collective.neighbourhood_month m JOIN ({0}) p ON p.neighbourhood_code = m.neighbourhood_code AND p.month = m.month"
)


def compared(lake, column: str, plain: str, reason: str) -> int:
    """Compare a figure with a plain query of neighbourhood_code, month and value; returns how many it gave.

    Where the plain query has no row the figure must be 0, or missing with its reason.
    """
    wrong = lake.execute(
        f"SELECT m.neighbourhood_code, m.month, m.{column}, m.{reason}, p.value FROM {NEIGHBOURHOOD_MONTH} m "
        f"LEFT JOIN ({plain}) p ON p.neighbourhood_code = m.neighbourhood_code AND p.month = m.month "
        f"WHERE CASE WHEN p.value IS NOT NULL THEN abs(m.{column} - p.value) > 1e-6 * greatest(p.value, 1) OR m.{column} IS NULL "
        f"ELSE coalesce(m.{column}, 0) <> 0 OR (m.{column} IS NULL AND m.{reason} IS NULL) END"
    ).fetchall()
    assert wrong == []
    return rows(lake, plain)


def test_months_count_each_waste_report_once(lake):
    plain = (
        "SELECT neighbourhood_code, date_trunc('month', created_on) AS month, count(DISTINCT report_id) AS value "
        "FROM core.waste_open_reports WHERE waste_kind IS NOT NULL AND neighbourhood_code IS NOT NULL "
        "AND created_on >= DATE '2026-01-01' GROUP BY ALL"
    )
    assert compared(lake, "waste_reports", plain, "waste_reports_reason") > 150


def test_months_add_up_the_days_of_containers(lake):
    per_day = f"FROM {CONTAINER_DAY} WHERE neighbourhood_code IS NOT NULL GROUP BY ALL"
    overfull = f"SELECT neighbourhood_code, month, sum(overfull_hours) AS value {per_day} HAVING sum(reading_hours) > 0"
    assert compared(lake, "overfull_container_hours", overfull, "overfull_reason") > 250
    kilograms = f"SELECT neighbourhood_code, month, coalesce(sum(weight_kg), 0) AS value {per_day}"
    assert compared(lake, "collected_kg", kilograms, "collected_reason") > 250


def test_months_have_the_mean_of_whole_weekdays_of_sites(lake):
    plain = (
        "SELECT neighbourhood_code, date_trunc('month', local_date) AS month, avg(counted) AS value FROM ("
        "SELECT site_id, local_date, feed_code, sum(vehicles) AS counted FROM core.traffic_counts "
        "WHERE vehicle_class = 'any' AND weekday <= 5 AND feed_code = 'loops' GROUP BY ALL "
        "HAVING count(vehicles) >= 0.8 * 288 * count(DISTINCT series_code)) "
        "JOIN core.traffic_sites USING (site_id) WHERE neighbourhood_code IS NOT NULL GROUP BY ALL"
    )
    assert compared(lake, "weekday_vehicles", plain, "weekday_vehicles_reason") > 100


def test_months_have_the_mean_of_whole_days_of_counters(lake):
    plain = (
        "SELECT neighbourhood_code, date_trunc('month', local_date) AS month, avg(counted) AS value FROM ("
        "SELECT counter_id, local_date, sum(bicycles) AS counted FROM core.traffic_bicycle_counts GROUP BY ALL "
        "HAVING count(DISTINCT hour(interval_start_at)) >= 23) JOIN core.traffic_bicycle_counters USING (counter_id) GROUP BY ALL"
    )
    assert compared(lake, "daily_cyclists", plain, "daily_cyclists_reason") >= 12


def test_months_count_each_household_in_early_signals_once(lake):
    plain = (
        "SELECT neighbourhood_code, date_trunc('month', signalled_on) AS month, count(DISTINCT person_pseudonym) AS value "
        "FROM core.welfare_early_signals WHERE neighbourhood_code IS NOT NULL GROUP BY ALL"
    )
    assert compared(lake, "early_signal_households", plain, "early_signal_reason") > 250


def test_months_show_the_latest_recipients_not_after_them(lake):
    plain = (
        "SELECT current_code AS neighbourhood_code, month, arg_max(recipients, period_end_on) AS value FROM core.welfare_recipients "
        f"JOIN (SELECT DISTINCT month FROM {NEIGHBOURHOOD_MONTH}) ON period_end_on < month + INTERVAL 1 MONTH "
        "WHERE benefit_code = 'social_assistance' AND region_level = 'neighbourhood' AND recipients IS NOT NULL GROUP BY ALL"
    )
    assert compared(lake, "recipients", plain, "recipients_reason") > 250


def test_months_have_the_weather_of_their_days(lake):
    mart = f"SELECT DISTINCT month, precipitation_mm, mean_temperature_c, weather_completeness FROM {NEIGHBOURHOOD_MONTH}"
    # The sample's weather starts the day before its first day, of which the last hour alone is in the local calendar.
    plain = (
        "SELECT month, sum(precipitation_mm), avg(mean_temperature_c), "
        "count(precipitation_mm) / any_value(day(last_day(month))) "
        f"FROM (SELECT DISTINCT month, local_date, precipitation_mm, mean_temperature_c FROM {CONTAINER_DAY}) GROUP BY month"
    )
    agree(lake, mart, plain)


def test_every_neighbourhood_has_every_month_and_every_missing_figure_its_reason(lake):
    months = lake.execute(
        f"SELECT month, count(*), count(DISTINCT neighbourhood_code) FROM {NEIGHBOURHOOD_MONTH} GROUP BY 1 ORDER BY 1"
    )
    assert months.fetchall() == [(date(2026, month, 1), 151, 151) for month in (1, 2, 3)]
    figures = {
        "waste_reports": "waste_reports_reason",
        "overfull_container_hours": "overfull_reason",
        "collected_kg": "collected_reason",
        "weekday_vehicles": "weekday_vehicles_reason",
        "daily_cyclists": "daily_cyclists_reason",
        "early_signal_households": "early_signal_reason",
        "recipients": "recipients_reason",
        "inhabitants": "population_reason",
        "income_per_inhabitant_keur": "income_reason",
    }
    for figure, reason in figures.items():
        assert rows(lake, f"SELECT 1 FROM {NEIGHBOURHOOD_MONTH} WHERE ({figure} IS NULL) <> ({reason} IS NOT NULL)") == 0, figure


# By hand: containers.


NEIGHBOURHOOD, ELSEWHERE = "BU00140000", "BU00140001"
PLACE = (6.565, 53.217)
CHANGES = (("2026-03-29", 23), ("2025-10-26", 25))


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryLake]:
    in_memory = MemoryLake(sample_settings(tmp_path_factory.mktemp("in-memory")))
    yield in_memory
    in_memory.con.close()


@pytest.fixture
def made(in_memory: MemoryLake) -> MemoryLake:
    """A lake with two neighbourhoods, and nothing else yet."""
    made = in_memory
    made.clear()
    names = {NEIGHBOURHOOD: "Binnenstad-Noord", ELSEWHERE: "Binnenstad-Zuid"}
    district = {"district_code": "WK001400", "district_name": "Centrum"}
    made.put(
        "core.reference_neighbourhoods",
        [{"neighbourhood_code": code, "neighbourhood_name": name, **district} for code, name in names.items()],
    )
    return made


def container(code: str, status: str = "inside", source: str = "wfs", alarm_pct: float | None = None) -> dict[str, Any]:
    inside = status == "inside"
    return {
        "source_code": source,
        "container_code": code,
        "fraction_code": "residual",
        "location_status": status,
        "neighbourhood_code": NEIGHBOURHOOD if inside else None,
        "longitude": PLACE[0] if inside else None,
        "latitude": PLACE[1] if inside else None,
        "alarm_pct": alarm_pct,
    }


def reading(code: str, instant: datetime, pct: float | None, source: str = "telemetry") -> dict[str, Any]:
    return {"source_code": source, "container_code": code, "measured_at": instant, "fill_pct": pct, **local(instant)}


def emptying(code: str | None, day: str, kg: float | None, status: str = "inside") -> dict[str, Any]:
    instant = at(f"{day}T10:00")
    return {"container_code": code, "weight_kg": kg, "location_status": status, "emptied_at": instant, **local(instant)}


def first_of_month(day: str) -> str:
    return f"{day[:7]}-01"


@pytest.mark.parametrize(("day", "hours"), CHANGES)
def test_a_container_measured_in_each_hour_of_a_day_on_which_clocks_change_is_complete(made: MemoryLake, day: str, hours: int):
    made.put("core.waste_containers", [container("1")])
    every = instants(at(f"{day}T00:00"), HOUR, hours)
    made.put("core.waste_fill_levels", [reading("1", instant, 100 + n) for n, instant in enumerate(every)])
    made.make(CONTAINER_DAY, first_of_month(day))
    figures = "local_date, reading_hours, overfull_hours, alarm_hours, readings_completeness, fill_at_6_pct"
    # At six, as many hours have passed since midnight as the day has more or fewer than usual.
    assert made.ask(f"SELECT {figures} FROM {CONTAINER_DAY}") == [
        (date.fromisoformat(day), hours, hours, hours, 1.0, 100 + 6 + hours - 24)
    ]
    made.make(NEIGHBOURHOOD_MONTH, first_of_month(day))
    share = made.one(f"SELECT fill_completeness FROM {NEIGHBOURHOOD_MONTH} WHERE neighbourhood_code = ?", NEIGHBOURHOOD)
    assert share == (pytest.approx(hours / (31 * 24 + hours - 24)),)


@pytest.mark.parametrize(
    ("sent", "at_six", "reason", "highest", "hours"),
    [
        ([("05:50", 40), ("06:00", 50), ("06:10", 60)], 50, None, 60, 2),
        ([("00:10", 40), ("06:00", None)], 40, None, 40, 1),
        ([("05:10", 40), ("05:20", 30), ("05:30", None)], 30, None, 40, 1),
        ([("06:00:30", 60)], None, "no_reading", 60, 1),
        ([("03:00", None), ("04:00", None)], None, "no_reading", None, 0),
        ([], None, "no_sensor_data", None, 0),
    ],
    ids=["six itself", "none at six", "last of the hour", "just after six", "no level", "not sent"],
)
def test_the_level_at_six_is_the_last_known_one_and_never_zero_for_want_of_a_reading(
    made: MemoryLake, sent, at_six, reason, highest, hours
):
    made.put("core.waste_containers", [container("1"), container("other")])
    listed = [reading("1", at(f"2026-03-10T{clock}"), pct) for clock, pct in sent]
    made.put("core.waste_fill_levels", [*listed, reading("other", at("2026-03-10T12:00"), 10)])
    made.make(CONTAINER_DAY, "2026-03-01")
    figures = "fill_at_6_pct, fill_missing_reason, max_fill_pct, reading_hours, overfull_hours"
    assert made.one(f"SELECT {figures} FROM {CONTAINER_DAY} WHERE container_code = '1'") == (
        at_six,
        reason,
        highest,
        hours,
        0 if hours else None,
    )


def test_each_container_has_its_own_alarm_limit_and_the_others_that_of_the_settings(made: MemoryLake):
    made.put("core.waste_containers", [container("strict", alarm_pct=50), container("usual")])
    levels = [reading(code, at("2026-03-10T12:00"), 60) for code in ("strict", "usual", "unlisted")]
    made.put("core.waste_fill_levels", levels)
    made.make(CONTAINER_DAY, "2026-03-01")
    figures = f"SELECT container_code, alarm_pct, alarm_hours FROM {CONTAINER_DAY} ORDER BY 1"
    assert made.ask(figures) == [("strict", 50, 1), ("unlisted", 80, 0), ("usual", 80, 0)]


def test_containers_the_registry_does_not_know_are_kept_and_those_of_other_cities_left_out(made: MemoryLake):
    nowhere = container("nowhere", "no_location")
    abroad = [container("abroad", "outside_municipality"), container("theirs", "outside_municipality", source="schiedam")]
    made.put("core.waste_containers", [container("ours"), nowhere, *abroad])
    noon = at("2026-03-10T12:00")
    ours = [reading(code, noon, 20) for code in ("ours", "sensor only")]
    made.put("core.waste_fill_levels", [*ours, reading("in Prague", noon, 20, source="prague_sensors")])
    elsewhere = [emptying(code, "2026-03-10", 100, "outside_municipality") for code in ("ours", "in Amsterdam")]
    made.put("core.waste_emptyings", [emptying("weighed only", "2026-03-10", 100), *elsewhere])
    made.make(CONTAINER_DAY, "2026-03-01")
    figures = "container_code, is_registered, location_status, reading_hours, emptyings"
    assert made.ask(f"SELECT {figures} FROM {CONTAINER_DAY} ORDER BY 1") == [
        ("nowhere", True, "no_location", 0, 0),
        ("ours", True, "inside", 1, 1),
        ("sensor only", False, None, 1, 0),
        ("weighed only", False, None, 0, 1),
    ]


def test_a_container_its_own_registry_misplaces_is_registered_when_it_is_heard_of(made: MemoryLake):
    made.put("core.waste_containers", [container("ours"), container("misplaced", "outside_municipality")])
    made.put("core.waste_fill_levels", [reading(code, at("2026-03-10T12:00"), 20) for code in ("ours", "misplaced")])
    made.make(CONTAINER_DAY, "2026-03-01")
    [known] = made.ask(f"SELECT is_registered, location_status FROM {CONTAINER_DAY} WHERE container_code = 'misplaced'")
    assert known == (True, "outside_municipality")


def test_a_container_emptied_without_a_weight_has_none_and_one_emptied_with_others_is_not_counted(made: MemoryLake):
    made.put("core.waste_containers", [container(code) for code in ("weighed", "unweighed", "together")])
    unweighed = [emptying("unweighed", "2026-03-10", None)]
    made.put("core.waste_emptyings", [emptying("weighed", "2026-03-10", kg) for kg in (100.0, 50.0, None)] + unweighed)
    made.put("core.waste_emptyings", [emptying(None, "2026-03-10", 300.0)])
    made.make(CONTAINER_DAY, "2026-03-01")
    assert made.ask(f"SELECT container_code, emptyings, weight_kg, weight_missing_reason FROM {CONTAINER_DAY} ORDER BY 1") == [
        ("together", 0, None, "not_weighed"),
        ("unweighed", 1, None, "weight_missing"),
        ("weighed", 3, 150.0, None),
    ]


@pytest.mark.parametrize(
    ("metres", "bearing", "is_near"), [(49.5, 0, True), (50.5, 0, False), (49.5, 90, True), (50.5, 90, False), (49.5, 215, True)]
)
def test_a_waste_report_counts_up_to_fifty_metres_away_in_every_direction(made: MemoryLake, metres, bearing, is_near):
    north, east = metres * math.cos(math.radians(bearing)), metres * math.sin(math.radians(bearing))
    degree_m = 6_371_008.8 * math.pi / 180
    place = (PLACE[0] + east / degree_m / math.cos(math.radians(PLACE[1])), PLACE[1] + north / degree_m)
    made.put("core.waste_containers", [container("1")])
    made.put("core.waste_fill_levels", [reading("1", at("2026-03-10T12:00"), 20)])
    made.put(
        "core.waste_reports",
        [
            {
                "report_id": name,
                "created_on": date(2026, 3, 10),
                "first_seen_on": date(2026, 3, 11),
                "waste_kind": kind,
                "longitude": place[0],
                "latitude": place[1],
            }
            for name, kind in (("waste", "container"), ("lamp", None))
        ],
    )
    made.make(CONTAINER_DAY, "2026-03-01")
    assert made.one(f"SELECT waste_reports_50_m FROM {CONTAINER_DAY}") == (int(is_near),)


@pytest.mark.parametrize(
    ("listed", "known"),
    [((), [None] * 5), (((1, 12), (11, 12), (13, 14), (14, 14)), [None, 0, 0, 0, None])],
    ids=["no list", "lists of 12 to 14 March"],
)
def test_days_of_which_no_list_of_reports_has_come_have_no_number_of_reports(made: MemoryLake, listed, known):
    made.put("core.waste_containers", [container("1")])
    made.put("core.waste_fill_levels", [reading("1", at(f"2026-03-{day}T12:00"), 20) for day in (10, 11, 12, 13, 14)])
    lamps = [
        {"report_id": f"lamp {made_on}", "created_on": date(2026, 3, made_on), "first_seen_on": date(2026, 3, seen_on)}
        for made_on, seen_on in listed
    ]
    if lamps:
        made.put("core.waste_reports", lamps)
    made.make(CONTAINER_DAY, "2026-03-01")
    assert made.ask(f"SELECT waste_reports_50_m FROM {CONTAINER_DAY} ORDER BY local_date") == [(number,) for number in known]


# By hand: traffic.


def counts(
    site: str, start: datetime, intervals: int, vehicles: float | None = 1.0, feed: str = "loops", **more: Any
) -> list[dict[str, Any]]:
    """Five-minute counts of one detector from an instant on."""
    return [
        {
            "feed_code": feed,
            "site_id": site,
            "series_code": "1",
            "interval_start_at": instant,
            "measured_minutes": 5,
            "vehicles": vehicles,
            "flow_missing_reason": None if vehicles is not None else "detector_error",
            "speed_km_h": 40.0 if vehicles else None,
            "vehicle_class": "any",
            **local(instant),
            **more,
        }
        for instant in instants(start, FIVE_MINUTES, intervals)
    ]


@pytest.mark.parametrize(("day", "hours"), CHANGES)
def test_a_site_has_each_hour_of_a_day_on_which_clocks_change(made: MemoryLake, day: str, hours: int):
    made.put("core.traffic_sites", [{"site_id": "S", "neighbourhood_code": NEIGHBOURHOOD, "location_status": "inside"}])
    made.put("core.traffic_counts", counts("S", at(f"{day}T00:00"), 12 * hours))
    made.make(SITE_HOUR, first_of_month(day))
    counted = made.ask(f"SELECT local_hour, count(*), sum(vehicles), min(good_share) FROM {SITE_HOUR} GROUP BY 1 ORDER BY 1")
    at_two = {23: [], 25: [(2, 2, 24.0, 1.0)]}[hours]
    assert counted == sorted([(hour, 1, 12.0, 1.0) for hour in range(24) if hour != 2] + at_two)
    made.make(NEIGHBOURHOOD_MONTH, first_of_month(day))
    figures = f"SELECT traffic_sites, traffic_completeness FROM {NEIGHBOURHOOD_MONTH} WHERE neighbourhood_code = ?"
    assert made.one(figures, NEIGHBOURHOOD) == (1, pytest.approx(1 / 31))


def test_of_two_feeds_on_one_day_only_that_with_most_good_minutes_counts(made: MemoryLake):
    morning = at("2026-03-10T08:00")
    made.put("core.traffic_counts", counts("S", morning, 24, 10) + counts("S", morning, 12, 11, "datex"))
    minutes = counts("T", morning, 24, 2, "datex", measured_minutes=1)
    made.put("core.traffic_counts", minutes + counts("T", morning, 12, 10))
    made.make(SITE_HOUR, "2026-03-01")
    assert made.ask(f"SELECT site_id, feed_code, local_hour, vehicles FROM {SITE_HOUR} ORDER BY ALL") == [
        ("S", "loops", 8, 120),
        ("S", "loops", 9, 120),
        ("T", "loops", 8, 120),
    ]


def test_an_interval_measured_in_part_counts_in_part(made: MemoryLake):
    made.put("core.traffic_counts", counts("S", at("2026-03-10T08:00"), 12, 2, "datex", measured_minutes=1))
    made.make(SITE_HOUR, "2026-03-01")
    figures = "vehicles, good_intervals, good_share, flow_ratio_missing_reason"
    assert made.one(f"SELECT {figures} FROM {SITE_HOUR}") == (24, 12, pytest.approx(0.2), "incomplete_hour")


def test_an_hour_without_a_count_has_no_vehicles_and_one_without_vehicles_has_no_speed(made: MemoryLake):
    for hour, vehicles in ((8, None), (9, 0.0), (10, 3.0)):
        made.put("core.traffic_counts", counts("S", at(f"2026-03-10T{hour:02}:00"), 12, vehicles))
    made.make(SITE_HOUR, "2026-03-01")
    figures = "vehicles, vehicles_missing_reason, mean_speed_km_h, speed_missing_reason"
    assert made.ask(f"SELECT {figures} FROM {SITE_HOUR} ORDER BY local_hour") == [
        (None, "no_good_interval", None, "not_measured"),
        (0, None, None, "no_vehicles"),
        (36, None, 40, None),
    ]


def test_parts_of_the_vehicles_and_lanes_counted_elsewhere_are_not_added(made: MemoryLake):
    for vehicle_class in ("any", "carriageway", "length_over_12.20", "repeated", "unknown"):
        made.put("core.traffic_counts", counts("S", at("2026-03-10T08:00"), 12, 5, "datex", vehicle_class=vehicle_class))
    made.make(SITE_HOUR, "2026-03-01")
    assert made.ask(f"SELECT vehicles, expected_intervals FROM {SITE_HOUR}") == [(60, 12)]


@pytest.mark.parametrize(
    ("weeks_before", "usual_hours", "usual", "ratio", "reason"),
    [
        ({1: 10, 2: 20, 8: 30}, 3, 240, 0.5, None),
        ({1: 10, 2: 20, 9: 30}, 2, None, None, "too_little_history"),
        ({1: 10, 2: 20, 3: None}, 2, None, None, "too_little_history"),
        ({1: 0, 2: 0, 3: 0}, 3, 0, None, "usually_none"),
    ],
    ids=["eight weeks ago", "nine weeks ago", "a bad hour", "never any vehicle"],
)
def test_what_is_usual_needs_three_good_hours_in_eight_weeks(made: MemoryLake, weeks_before, usual_hours, usual, ratio, reason):
    day = date(2026, 3, 30)
    for weeks, vehicles in {0: 10, **weeks_before}.items():
        made.put("core.traffic_counts", counts("S", at(f"{day - timedelta(weeks=weeks)}T08:00"), 12, vehicles))
    made.make(SITE_HOUR, "2026-03-01")
    figures = "usual_hours, usual_vehicles, flow_ratio, flow_ratio_missing_reason"
    assert made.one(f"SELECT {figures} FROM {SITE_HOUR} WHERE local_date = ?", day) == (usual_hours, usual, ratio, reason)


def test_an_hour_with_gaps_is_compared_by_what_it_would_have_counted_whole(made: MemoryLake):
    for weeks, intervals in ((1, 12), (2, 12), (3, 10), (0, 10)):
        made.put("core.traffic_counts", counts("S", at(f"{date(2026, 3, 30) - timedelta(weeks=weeks)}T08:00"), intervals, 10))
    made.make(SITE_HOUR, "2026-03-01")
    figures = f"SELECT vehicles, usual_vehicles, flow_ratio FROM {SITE_HOUR} WHERE local_date = DATE '2026-03-30'"
    assert made.one(figures) == (100, 120, pytest.approx(1))


# By hand: neighbourhoods.


@pytest.mark.parametrize(
    ("day", "minutes", "hours", "is_whole"),
    [
        ("2026-03-10", 60, 23, True),
        ("2026-03-10", 60, 22, False),
        ("2026-03-29", 60, 22, True),
        ("2025-10-26", 60, 24, True),
        ("2025-10-26", 60, 23, False),
        ("2026-03-10", 5, 23, True),
        ("2026-03-10", 5, 4, False),
    ],
)
def test_a_counter_has_a_day_when_no_more_than_one_hour_of_it_is_missing(
    made: MemoryLake, day: str, minutes: int, hours: int, is_whole: bool
):
    made.put("core.traffic_bicycle_counters", [{"counter_id": "korreweg", "neighbourhood_code": NEIGHBOURHOOD}])
    passed = [
        {
            "counter_id": "korreweg",
            "direction_code": way,
            "interval_start_at": instant,
            "interval_minutes": minutes,
            "bicycles": 2,
        }
        | local(instant)
        for instant in instants(at(f"{day}T00:00"), timedelta(minutes=minutes), hours * 60 // minutes)
        for way in ("main", "opposite")
    ]
    made.put("core.traffic_bicycle_counts", passed)
    other_day = f"{day[:8]}05"
    snapshot = {"snapshot_on": date.fromisoformat(other_day), "report_id": "1"}
    made.put("core.waste_open_reports", [snapshot])
    made.make(NEIGHBOURHOOD_MONTH, first_of_month(day))
    figures = f"SELECT daily_cyclists, daily_cyclists_reason FROM {NEIGHBOURHOOD_MONTH} WHERE neighbourhood_code = ?"
    per_day = 4 * hours * 60 // minutes
    assert made.one(figures, NEIGHBOURHOOD) == ((per_day, None) if is_whole else (None, "no_data_in_month"))
    assert made.one(figures, ELSEWHERE) == (None, "no_site")


def test_a_neighbourhood_says_whether_it_has_no_container_no_sensor_or_no_weight(made: MemoryLake):
    made.put("core.waste_containers", [container("1"), container("2"), container("3") | {"neighbourhood_code": ELSEWHERE}])
    made.put("core.waste_fill_levels", [reading("1", at(f"2026-03-{day}T12:00"), 100) for day in (10, 11)])
    made.put("core.waste_emptyings", [emptying("1", "2026-03-10", 70.0), emptying("3", "2026-03-10", None)])
    made.make(CONTAINER_DAY, "2026-03-01")
    district = {"district_code": "WK001404", "district_name": "Oosterpark"}
    made.put("core.reference_neighbourhoods", [{"neighbourhood_code": "BU00140402", "neighbourhood_name": "Park", **district}])
    made.make(NEIGHBOURHOOD_MONTH, "2026-03-01")
    figures = "containers, overfull_container_hours, overfull_reason, collected_kg, collected_reason"
    assert made.ask(f"SELECT {figures} FROM {NEIGHBOURHOOD_MONTH} ORDER BY neighbourhood_code") == [
        (2, 2, None, 70.0, None),
        (1, None, "no_sensor_data", None, "weight_missing"),
        (0, None, "no_container", None, "no_container"),
    ]


def test_another_municipalitys_reports_are_not_counted_and_make_no_month(tmp_path: Path):
    made = MemoryLake(sample_settings(tmp_path), covers=lambda source: source != "signalen_reports")
    made.put("core.reference_neighbourhoods", [{"neighbourhood_code": NEIGHBOURHOOD, "neighbourhood_name": "Binnenstad-Noord"}])
    made.put("core.waste_open_reports", [{"snapshot_on": date(2026, 3, 10), "report_id": "1"}])
    made.make(NEIGHBOURHOOD_MONTH, "2026-03-01")
    assert made.ask(f"FROM {NEIGHBOURHOOD_MONTH}") == []
    made.put("core.waste_containers", [container("1")])
    made.put("core.waste_fill_levels", [reading("1", at("2026-03-10T12:00"), 100)])
    made.make(CONTAINER_DAY, "2026-03-01")
    made.make(NEIGHBOURHOOD_MONTH, "2026-03-01")
    reports = f"SELECT waste_reports, waste_reports_reason, waste_reports_completeness FROM {NEIGHBOURHOOD_MONTH}"
    assert made.ask(reports) == [(None, "source_does_not_cover", 0)]


def test_a_month_in_which_nothing_is_known_has_no_rows(made: MemoryLake):
    for mart in (CONTAINER_DAY, SITE_HOUR, NEIGHBOURHOOD_MONTH):
        made.make(mart, "2026-03-01")
        assert made.ask(f"FROM {mart}") == []
