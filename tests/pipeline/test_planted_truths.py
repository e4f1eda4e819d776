"""What the sample city hides about containers, traffic and people comes out of the marts, whatever the seed.

Only the days and tables that a truth needs are made, for each of five seeds; they pass the parsers and the contracts, and the
marts are made from them in memory. Tolerances are about four times the spread that chance leaves.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pytest

from groningen_data.sample import bicycles, containers, inspections, recipients, reports, traffic_world, waste_world
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake
from tests.pipeline.payloads import write_payloads

SEEDS = (1, 2, 3, 4, 5)
LAST = date(2026, 3, 15)
MONTHS = ("2026-02-01", "2026-03-01")
# Days before the last. Traffic: Wednesdays and Saturdays, so that each has three like it before it.
WASTE = range(16)
ROUNDS = (waste_world.SKIPPED_BEFORE_LAST, waste_world.SKIPPED_BEFORE_LAST + 7)
WEDNESDAYS, SATURDAYS = range(4, 47, 7), range(1, 30, 7)
MATCH, NO_MATCH = 8, 1

KINDS = {
    ("geography", "containers", "fill levels", "reports"): WASTE,
    ("weighings",): ROUNDS,
    ("inspections", "events"): WASTE,
    ("weather", "bicycles", "recipients", "key figures"): range(60),
    ("traffic",): (*WEDNESDAYS, *SATURDAYS),
}
TABLES = (
    "core.reference_neighbourhoods",
    "core.reference_calendar",
    "core.reference_weather_hours",
    "core.reference_key_figures",
    "core.waste_containers",
    "core.waste_fill_levels",
    "core.waste_emptyings",
    "core.waste_inspections",
    "core.waste_open_reports",
    "core.traffic_sites",
    "core.traffic_counts",
    "core.traffic_events",
    "core.traffic_bicycle_counters",
    "core.traffic_bicycle_counts",
    "core.welfare_recipients",
)


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed {seed}")
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryLake]:
    """The marts of two months of a city with another seed."""
    settings = sample_settings(tmp_path_factory.mktemp("city"), sample_seed=request.param)
    for kinds, ago in KINDS.items():
        write_payloads(settings, kinds, [LAST, *map(before_last, ago)])
    lake = MemoryLake(settings)
    lake.read(settings, *TABLES)
    lake.make("core.waste_reports")
    for mart in ("collective.container_day", "collective.site_hour"):
        lake.make(mart, *MONTHS)
    for mart in ("collective.neighbourhood_month", "collective.container_hotspots"):
        lake.make(mart, MONTHS[-1])
    yield lake
    lake.con.close()


def before_last(days: int) -> date:
    return LAST - timedelta(days=days)


def test_residual_waste_overflows_most_where_it_is_collected_too_rarely(lake: MemoryLake):
    ranked = lake.ask(
        "SELECT neighbourhood_code, sum(overfull_hours) / sum(reading_hours) FROM collective.container_day "
        "WHERE fraction_code = 'residual' AND reading_hours > 0 AND neighbourhood_code IS NOT NULL "
        "GROUP BY 1 HAVING count(DISTINCT container_code) >= 8 ORDER BY 2 DESC"
    )
    planted = [share for code, share in ranked if code in containers.OVERFULL_NEIGHBOURHOODS]
    others = [share for code, share in ranked if code not in containers.OVERFULL_NEIGHBOURHOODS]
    assert len(planted) >= 3 and min(planted) > max(others)
    assert np.mean(planted) > 8 * np.mean(others)


def test_nothing_was_collected_where_a_round_was_not_driven(lake: MemoryLake):
    sql = (
        "SELECT sum(emptyings) FROM collective.container_day WHERE local_date = ? "
        f"AND neighbourhood_code LIKE 'BU{waste_world.SKIPPED_DISTRICT[2:]}%' AND fraction_code = 'residual'"
    )
    skipped, week_before = (lake.one(sql, before_last(ago))[0] for ago in ROUNDS)
    assert skipped == 0
    assert week_before > 10


def test_monday_has_most_overfull_hours_also_without_the_district_that_was_skipped(lake: MemoryLake):
    hours = lake.ask(
        "SELECT weekday, sum(overfull_hours) / count(DISTINCT local_date) FROM collective.container_day "
        f"WHERE neighbourhood_code NOT LIKE 'BU{waste_world.SKIPPED_DISTRICT[2:]}%' AND reading_hours > 0 GROUP BY 1 ORDER BY 2 DESC"
    )
    assert hours[0][0] == 1
    assert hours[0][1] > 3 * hours[-1][1]


def test_waste_is_reported_near_containers_that_are_full(lake: MemoryLake):
    never_full, per_hour = lake.one(
        "SELECT avg(waste_reports_50_m) FILTER (WHERE overfull_hours = 0), regr_slope(waste_reports_50_m, overfull_hours) "
        "FROM collective.container_day "
        "WHERE reading_hours >= 20 AND is_registered AND neighbourhood_code <> ? AND local_date < ?",
        reports.MARKET_NEIGHBOURHOOD,
        LAST,
    )
    # People report by day only; a report counts for the full containers beside as well, and those tend to stand together.
    by_day = reports.REPORTS_PER_OVERFULL_HOUR * len(reports.REPORTING_HOURS) / 24
    assert by_day * 0.8 < per_hour < by_day * 2
    assert never_full < by_day


def test_hotspots_show_where_waste_is_planted_with_its_cause(lake: MemoryLake):
    def found(test: str, cause: str, where: str, *values: object) -> int:
        sql = (
            "SELECT count(DISTINCT container_code) FROM collective.container_hotspots WHERE period_end_on = ? AND test_code = ? "
        )
        return lake.one(f"{sql} AND likely_cause_code = ? AND {where}", LAST, test, cause, *values)[0]

    market, moving = f"neighbourhood_code = '{reports.MARKET_NEIGHBOURHOOD}'", f"'BU{inspections.BULKY_DISTRICT[2:]}%'"
    assert found("weekday", "weekday", f"{market} AND list_contains(?, weekday)", list(reports.MARKET_WEEKDAYS)) >= 10
    assert found("inspections", "bulky_waste", f"neighbourhood_code LIKE {moving}") >= 20
    assert found("inspections", "construction", "works_250_m > 0 AND neighbourhood_code = 'BU00140201'") >= 1
    # Sixteen days are few for reports: of the four neighbourhoods that overflow, those with many containers show.
    overflowing = lake.ask(
        "SELECT DISTINCT neighbourhood_code FROM collective.container_hotspots WHERE period_end_on = ? AND test_code = 'reports' "
        "AND list_contains(?, neighbourhood_code)",
        LAST,
        list(containers.OVERFULL_NEIGHBOURHOODS),
    )
    assert len(overflowing) >= 1 and ("BU00141000",) in overflowing


def test_hotspots_are_rare_where_nothing_is_planted(lake: MemoryLake):
    planted = [*containers.OVERFULL_NEIGHBOURHOODS, reports.MARKET_NEIGHBOURHOOD, "BU00140201"]
    inspected, elsewhere = lake.one(
        "SELECT count(*), count(*) FILTER (WHERE h.neighbourhood_code NOT LIKE ? AND NOT EXISTS (SELECT 1 "
        "FROM core.waste_containers c WHERE list_contains(?, c.neighbourhood_code) "
        "AND sqrt(((c.longitude - h.longitude) * 66650) ^ 2 + ((c.latitude - h.latitude) * 111320) ^ 2) < 500)) "
        "FROM collective.container_hotspots h WHERE test_code = 'inspections' AND period_end_on = ?",
        f"BU{inspections.BULKY_DISTRICT[2:]}%",
        planted,
        LAST,
    )
    assert elsewhere <= 0.15 * inspected


def test_no_vehicle_passes_a_closed_road_and_its_neighbours_carry_more(lake: MemoryLake):
    closed_on = before_last(25)
    passed, hours, ratio = lake.one(
        "SELECT sum(vehicles), count(*), max(flow_ratio) FROM collective.site_hour WHERE site_id LIKE ? AND local_date = ?",
        f"%{traffic_world.CLOSED_ROAD}%",
        closed_on,
    )
    assert passed == 0 and hours >= 24 and ratio == 0
    for road in traffic_world.CLOSURE_NEIGHBOURS:
        [neighbour] = lake.one(
            "SELECT sum(vehicles) / sum(usual_vehicles) FROM collective.site_hour "
            "WHERE site_id LIKE ? AND local_date = ? AND flow_ratio IS NOT NULL",
            f"%{road}%",
            closed_on,
        )
        assert neighbour == pytest.approx(traffic_world.CLOSURE_FACTOR, abs=0.1)


def test_road_works_slow_the_traffic_and_thin_it(lake: MemoryLake):
    worked_on = [before_last(ago) for ago in WEDNESDAYS if ago in traffic_world.WORKS_BEFORE_LAST and before_last(ago).month == 2]
    rows = lake.ask(
        "SELECT local_date IN (SELECT unnest(?)), avg(mean_speed_km_h), avg(vehicles) FROM collective.site_hour "
        "WHERE list_contains(?, site_id) AND weekday = 3 AND local_hour BETWEEN 7 AND 18 AND good_share > 0.9 GROUP BY 1 ORDER BY 1",
        worked_on,
        list(traffic_world.WORKS_SITES),
    )
    (_, usual_speed, usual), (_, speed, vehicles) = rows
    # Less traffic goes a little faster: the speed falls somewhat less than the works alone would make it fall.
    assert traffic_world.WORKS_SPEED_FACTOR - 0.02 < speed / usual_speed < traffic_world.WORKS_SPEED_FACTOR + 0.07
    assert vehicles / usual == pytest.approx(traffic_world.WORKS_FLOW_FACTOR, abs=0.07)


def test_a_match_stands_out_from_what_is_usual_only_near_the_stadium_and_only_at_its_hours(lake: MemoryLake):
    def ratio(day: date, at_stadium: bool, at_match: bool) -> float:
        return lake.one(
            "SELECT sum(vehicles) / sum(usual_vehicles) FROM collective.site_hour WHERE local_date = ? AND flow_ratio IS NOT NULL "
            "AND list_contains(?, site_id) = ? AND list_contains(?, local_hour) = ?",
            day,
            list(traffic_world.MATCH_SITES),
            at_stadium,
            list(traffic_world.MATCH_HOURS),
            at_match,
        )[0]

    match, no_match = before_last(MATCH), before_last(NO_MATCH)
    assert traffic_world.is_match_day(match) and not traffic_world.is_match_day(no_match)
    factor = traffic_world.MATCH_FACTOR
    for day, expected in ((match, factor / ((2 + factor) / 3)), (no_match, 1 / ((2 + 2 * factor) / 4))):
        # One of the three Saturdays before the match, and two of the four before the other one, had a match as well.
        assert ratio(day, True, True) / ratio(day, False, True) == pytest.approx(expected, rel=0.08)
        # Some days are busier than others, everywhere.
        assert ratio(day, True, False) == pytest.approx(1, abs=0.1)
        assert ratio(day, False, True) == pytest.approx(1, abs=0.1)


def test_one_site_takes_a_growing_share_of_the_traffic(lake: MemoryLake):
    [slope] = lake.one(
        "WITH days AS (SELECT local_date, weekday, sum(vehicles) FILTER (WHERE site_id = ?) / sum(vehicles) AS share "
        "FROM collective.site_hour WHERE weekday IN (3, 6) GROUP BY ALL), "
        "compared AS (SELECT local_date, ln(share) - avg(ln(share)) OVER (PARTITION BY weekday) AS above, "
        "(local_date - DATE '2026-01-01') / 7 AS week FROM days), "
        "centred AS (SELECT above, week - avg(week) OVER (PARTITION BY isodow(local_date)) AS week FROM compared) "
        "SELECT regr_slope(above, week) FROM centred",
        traffic_world.GROWING_SITE,
    )
    assert np.exp(slope) - 1 == pytest.approx(traffic_world.GROWTH_PER_WEEK, abs=0.01)


def test_cyclists_stay_at_home_at_weekends_and_in_rain_and_come_out_when_it_is_warm(lake: MemoryLake):
    hours = lake.ask(
        "WITH hours AS (SELECT interval_start_at, local_date, local_hour, weekday, sum(bicycles) AS cyclists "
        "FROM core.traffic_bicycle_counts WHERE counter_id <> ? GROUP BY ALL) "
        "SELECT hours.local_hour, least(greatest(hours.weekday, 5), 7) AS kind, is_school_holiday, ln(cyclists), temperature_c, "
        "coalesce(precipitation_mm, 0) > 0, cyclists FROM hours JOIN core.reference_calendar ON calendar_on = local_date "
        "JOIN core.reference_weather_hours ON hour_start_at = interval_start_at WHERE temperature_c IS NOT NULL AND cyclists > 0",
        bicycles.SILENT_COUNTER.lower(),
    )
    # Least squares on the logarithm: a level for each hour of a weekday, Saturday and Sunday, and an effect of the rest.
    levels = {level: n for n, level in enumerate(sorted({row[:2] for row in hours}))}
    known = np.array([(levels[row[:2]], *row[2:]) for row in hours], dtype=np.float64)
    weight = np.sqrt(known[:, 5])
    effects = np.stack(
        [known[:, 1] * (known[:, 0] % 3 == 0), np.clip(known[:, 3], bicycles.COLDEST_C, None), known[:, 4]], axis=1
    )
    design = np.concatenate([np.eye(len(levels))[known[:, 0].astype(int)], effects], axis=1)
    found = np.linalg.lstsq(design * weight[:, None], known[:, 2] * weight, rcond=None)[0]
    _, warmth, rain = found[-3:]
    of_day = {kind: sum(np.exp(found[n]) for (_, k), n in levels.items() if k == kind) for kind in (5, 6, 7)}
    assert warmth == pytest.approx(bicycles.TEMPERATURE_EFFECT, abs=0.008)
    assert np.exp(rain) == pytest.approx(bicycles.RAIN_FACTOR, abs=0.04)
    assert of_day[6] / of_day[5] == pytest.approx(bicycles.SATURDAY_SHARE, abs=0.05)
    assert of_day[7] / of_day[5] == pytest.approx(bicycles.SUNDAY_SHARE, abs=0.05)


def test_social_assistance_rises_in_one_district_only(lake: MemoryLake):
    assistance = "benefit_code = 'social_assistance' AND source_table = ?"
    risen = dict(
        lake.ask(
            f"WITH first AS (SELECT current_code, recipients FROM core.welfare_recipients WHERE {assistance} "
            "AND region_level = 'neighbourhood' QUALIFY period_end_on = min(period_end_on) OVER ()) "
            "SELECT district_code = ?, sum(m.recipients) / sum(first.recipients) FROM collective.neighbourhood_month m "
            "JOIN first ON current_code = neighbourhood_code GROUP BY 1",
            recipients.TABLE,
            recipients.RISING_DISTRICT,
        )
    )
    expected = (1 + recipients.RISE_PER_QUARTER) ** (recipients.QUARTERS - 1)
    # Each neighbourhood is rounded to tens, and the district has few recipients.
    assert risen[True] == pytest.approx(expected, abs=0.1)
    assert risen[False] == pytest.approx(1, abs=0.02)
    [of_district] = lake.one(
        f"SELECT max_by(recipients, period_end_on) / min_by(recipients, period_end_on) FROM core.welfare_recipients "
        f"WHERE {assistance} AND region_code = ?",
        recipients.TABLE,
        recipients.RISING_DISTRICT,
    )
    assert of_district == pytest.approx(expected, abs=0.05)
