"""What the sample city hides about detectors and crossings comes out, whatever the seed, and little else does.

Only the sites that carry planted truths and some that do not are made, for each of three seeds.
"""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from groningen_data.sample import traffic, traffic_feed, traffic_world
from groningen_data.sample.facts import City, neighbourhoods
from tests.pipeline.memory_lake import MemoryLake
from tests.pipeline.traffic_city import LAST, before_last, traffic_lake

SEEDS = (1, 2, 3)
AGO, MONTHS = range(43), ("2026-02-01", "2026-03-01")
CONGESTED, JAMMED = "oosterbrug-griffeweg-zuiderpark", "westerhaven-aweg-westersingel"


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed {seed}")
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryLake]:
    lake = traffic_lake(tmp_path_factory.mktemp("traffic"), request.param, AGO, MONTHS)
    yield lake
    lake.con.close()


@pytest.fixture
def city(lake: MemoryLake) -> City:
    """The city whose days of congestion the world decides."""
    return City(lake.settings.sample_seed, (LAST,), ZoneInfo(lake.settings.timezone), neighbourhoods(), ())


def detector(series: str) -> tuple[str, str]:
    site, _, number = series.rpartition("_")
    return site, number


def untrusted(lake: MemoryLake, reason: str) -> dict[tuple[str, str], set[date]]:
    rows = lake.ask(
        "SELECT site_id, series_code, list(local_date) FROM collective.site_quality "
        "WHERE feed_code = 'loops' AND untrusted_reason = ? GROUP BY ALL",
        reason,
    )
    return {(site, series): set(days) for site, series, days in rows}


def delivered(lake: MemoryLake) -> set[date]:
    return {day for (day,) in lake.ask("SELECT DISTINCT local_date FROM core.traffic_counts WHERE feed_code = 'loops'")}


def test_the_stuck_and_the_dead_detector_are_found_on_their_days_and_no_healthy_one_is(lake: MemoryLake):
    stuck_on = {before_last(n) for n in traffic.STUCK_BEFORE_LAST} & delivered(lake)
    assert untrusted(lake, "stuck") == {detector(traffic.STUCK_DETECTOR): stuck_on}
    assert untrusted(lake, "error_flags") == {detector(traffic_feed.DEAD_DETECTOR): delivered(lake)}
    for reason in ("silent", "implausible", "no_vehicles"):
        assert untrusted(lake, reason) == {}


def test_a_closed_road_is_no_broken_detector(lake: MemoryLake):
    closed = {before_last(n) for n in traffic_world.CLOSED_BEFORE_LAST}
    rows = lake.ask(
        "SELECT local_date, is_trusted, is_road_closed, daytime_vehicles FROM collective.site_quality "
        "WHERE site_id LIKE ? AND feed_code = 'loops'",
        f"%{traffic_world.CLOSED_ROAD}%",
    )
    assert all(is_trusted and is_closed == (day in closed) == (vehicles == 0) for day, is_trusted, is_closed, vehicles in rows)
    lake.con.execute("BEGIN")
    lake.con.execute("TRUNCATE lake.core.traffic_events")
    lake.con.execute("TRUNCATE lake.collective.site_quality")
    lake.make("collective.site_quality", *MONTHS)
    assert {day for days in untrusted(lake, "no_vehicles").values() for day in days} == closed
    lake.con.execute("ROLLBACK")


def test_the_detector_that_misses_more_each_day_is_said_to_drift_within_two_weeks_and_no_other_is(lake: MemoryLake):
    drifting = lake.ask("SELECT DISTINCT site_id, series_code FROM collective.site_quality WHERE is_drifting")
    assert drifting == [detector(traffic.DRIFTING_DETECTOR)]
    first, lowest = lake.one("SELECT min(local_date), min(deviation_pct) FROM collective.site_quality WHERE is_drifting")
    begun = before_last(traffic.DRIFTS_BEFORE_LAST - 1)
    assert 5 <= (first - begun).days <= 14
    assert lowest < -25


def test_a_stuck_detectors_profile_is_imputed_and_its_counts_are_not(lake: MemoryLake):
    site, number = detector(traffic.STUCK_DETECTOR)
    profiles = dict(
        lake.ask(
            "SELECT month, profile_veh_h FROM collective.site_profile WHERE site_id = ? AND day_kind = 'weekday' AND local_hour = 17 "
            "AND feed_code = 'loops'",
            site,
        )
    )
    february, march = (profiles[date.fromisoformat(month)] for month in MONTHS)
    assert march == pytest.approx(february, rel=0.08)
    [share] = lake.one(
        "SELECT max(imputed_share) FROM collective.site_profile WHERE site_id = ? AND month = ? AND feed_code = 'loops'",
        site,
        MONTHS[1],
    )
    assert share > 0.1
    [stuck] = lake.one(
        "SELECT count(*) FROM core.traffic_counts WHERE site_id = ? AND series_code = ? AND vehicles = ?",
        site,
        number,
        traffic.STUCK_VEHICLES,
    )
    assert stuck >= 7 * 288 - 20
    [most] = lake.one(
        "SELECT max(trusted_share) FROM collective.approach_hour WHERE site_id = ? AND local_date = ?",
        site,
        before_last(min(traffic.STUCK_BEFORE_LAST)),
    )
    assert most == pytest.approx(2 / 3, abs=0.01)


def test_no_vehicle_counts_in_the_marts_that_was_not_counted_and_trusted(lake: MemoryLake):
    [counted] = lake.one(
        "SELECT sum(c.vehicles) FROM core.traffic_counts c JOIN collective.site_quality USING (feed_code, site_id, series_code, local_date) "
        "WHERE is_trusted AND vehicle_class = 'any' AND feed_code = 'loops'"
    )
    [approaches] = lake.one("SELECT sum(vehicles) FROM collective.approach_hour")
    [intersections] = lake.one("SELECT sum(vehicles) FROM collective.intersection_hour")
    assert approaches == pytest.approx(intersections)
    assert 0.999 * counted < approaches <= counted


def test_the_busiest_site_is_the_fullest_that_is_measured_and_always_the_same_of_equals(lake: MemoryLake):
    other = lake.one(
        "SELECT count(*) FROM collective.intersection_hour AS i LEFT JOIN ("
        "SELECT intersection_code, hour_start_at, arg_min(site_id, (-volume_capacity_ratio, site_id)) AS fullest "
        "FROM collective.approach_hour WHERE vehicles IS NOT NULL AND volume_capacity_ratio IS NOT NULL GROUP BY ALL) AS a "
        "USING (intersection_code, hour_start_at) WHERE i.busiest_site_id IS DISTINCT FROM a.fullest"
    )
    assert other == (0,)
    equals = lake.one(
        "SELECT count(*) FROM (SELECT 1 FROM collective.approach_hour WHERE vehicles IS NOT NULL GROUP BY intersection_code, "
        "hour_start_at HAVING count(*) FILTER (WHERE volume_capacity_ratio > 0) > 1 AND count(*) > count(DISTINCT volume_capacity_ratio))"
    )
    assert equals > (0,)


def test_persistent_congestion_is_found_at_its_crossing_and_period_only(lake: MemoryLake, city: City):
    rows = lake.ask(
        "SELECT intersection_code, period_code, rank, ordinary_congested_days + holiday_congested_days + event_congested_days "
        "+ bad_weather_congested_days, measured_days FROM collective.congestion_ranking WHERE congestion_kind = 'persistent'"
    )
    jammed_on = {day for day in delivered(lake) if traffic_world.is_congested_day(city, day)}
    [(code, period, rank, congested, measured)] = rows
    assert (code, period, rank) == (CONGESTED, "evening_peak", 1)
    assert congested == len(jammed_on) < measured
    [method] = lake.one(
        "SELECT DISTINCT capacity_method FROM collective.approach_hour WHERE intersection_code = ? AND month = ?",
        CONGESTED,
        MONTHS[1],
    )
    assert method == "observed_at_breakdown"


def test_incidental_congestion_is_found_on_its_days_only(lake: MemoryLake):
    jams = lake.ask(
        "SELECT local_date, list(local_hour ORDER BY local_hour) FROM collective.intersection_hour "
        "WHERE intersection_code = ? AND saturated_minutes >= 30 GROUP BY 1 ORDER BY 1",
        JAMMED,
    )
    assert jams == [(day, [7, 8]) for day in sorted(before_last(n) for n in traffic_world.JAMMED_BEFORE_LAST)]
    kind = lake.one(
        "SELECT congestion_kind, rank FROM collective.congestion_ranking WHERE intersection_code = ? AND period_code = 'morning_peak'",
        JAMMED,
    )
    assert kind == ("incidental", 1)


def test_next_to_nothing_is_saturated_where_nothing_was_planted(lake: MemoryLake):
    minutes, hours = lake.one(
        "SELECT sum(saturated_minutes), count(*) FROM collective.approach_hour WHERE vehicles IS NOT NULL "
        "AND NOT list_contains(?, intersection_code) AND NOT (list_contains(?, site_id) AND local_date <= ?) AND site_id NOT LIKE ?",
        [CONGESTED, JAMMED],
        list(traffic_world.WORKS_SITES),
        before_last(min(traffic_world.WORKS_BEFORE_LAST)),
        f"%{traffic_world.DOUBLED_ROAD}%",
    )
    assert minutes / (hours * 60) < 0.001


def test_the_growing_site_grows_and_few_others_do(lake: MemoryLake):
    growth = 100 * traffic_world.GROWTH_PER_WEEK
    rows = lake.ask(
        "SELECT intersection_code LIKE 'stettinweg%', trend_low_pct_week, trend_high_pct_week, trend_pct_week, is_trend_clear "
        "FROM collective.congestion_ranking WHERE trend_pct_week IS NOT NULL AND NOT has_drifting_detector"
    )
    growing = [row[1:] for row in rows if row[0]]
    assert len(growing) == 4
    assert sum(low <= growth <= high for low, high, *_ in growing) >= 3
    assert sum(trend for *_, trend, _ in growing) / 4 == pytest.approx(growth, abs=1)
    assert sum(is_clear for *_, is_clear in growing) >= 1
    others = [row[1:] for row in rows if not row[0]]
    assert len(others) > 40
    assert sum(low > 0 or high < 0 for low, high, *_ in others) < 0.1 * len(others)
    assert sum(is_clear for *_, is_clear in others) <= 1


def test_a_diversion_is_told_as_works_and_not_as_an_ordinary_day(lake: MemoryLake):
    rows = lake.ask(
        "SELECT event_days, ordinary_congested_days FROM collective.congestion_ranking WHERE intersection_code = ? "
        "AND period_code IN ('day', 'evening_peak')",
        "zaagmuldersweg-damsterdiep",
    )
    assert rows and all(events >= 1 and congested == 0 for events, congested in rows)
