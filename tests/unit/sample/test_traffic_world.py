from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest

from groningen_data.sample import traffic_world
from groningen_data.sample.facts import City, sites
from groningen_data.sample.traffic_world import intervals
from tests.unit.sample.cities import LAST_DAY, city_of

BUSY = pl.col("local_hour").is_between(7, 19)


@pytest.fixture(scope="module")
def city() -> City:
    return city_of(60)


def before_last(days: int) -> date:
    return LAST_DAY - timedelta(days=days)


def vehicles(city: City, day: date, where: pl.Expr) -> int:
    return int(intervals(city, day).filter(where)["vehicles"].sum())


def on(*roads: str) -> pl.Expr:
    return pl.any_horizontal(pl.col("site_id").str.contains(road, literal=True) for road in roads)


def ratio(city: City, day: date, where: pl.Expr, *, weeks: tuple[int, ...] = (1,)) -> float:
    """Traffic of a day there, times that of the same weekday so many weeks earlier, cleared of how busy the city was."""

    def share(of: date) -> float:
        return vehicles(city, of, where) / vehicles(city, of, ~where)

    return share(day) / (sum(share(day - timedelta(weeks=n)) for n in weeks) / len(weeks))


def test_a_day_is_the_same_however_many_days_the_city_has() -> None:
    day = before_last(1)
    assert intervals(city_of(2), day).equals(intervals(city_of(40), day))


def test_another_seed_brings_other_traffic() -> None:
    assert not intervals(city_of(2), LAST_DAY).equals(intervals(city_of(2, seed=15), LAST_DAY))


def test_a_day_has_a_number_of_vehicles_for_each_detector_and_five_minutes(city: City) -> None:
    frame = intervals(city, LAST_DAY)
    detectors = [detector for site in sites() for detector in site.detectors]
    assert frame["detector"].unique(maintain_order=True).to_list() == detectors
    assert frame.height == 288 * len(detectors) == frame.select("detector", "seconds").n_unique()
    assert frame["vehicles"].is_between(0, traffic_world.MOST_VEHICLES).all()
    assert frame.filter(pl.col("vehicles") == 0)["speed_km_h"].null_count() == frame["speed_km_h"].null_count() > 0
    assert frame["speed_km_h"].is_between(5, 140).all()
    assert (frame["vehicles"] * 12 / frame["speed_km_h"]).max() < 100  # type: ignore[operator]


def test_a_thursday_resembles_the_real_loops_of_the_city(city: City) -> None:
    """Against the counts of 21 September 2017 (40 working detectors in streets): shares of the traffic from 2:00."""
    streets = intervals(city, date(2026, 3, 12)).filter(
        ~pl.col("site_id").str.contains(r"_N\d|Meerweg"), pl.col("local_hour") >= 2
    )
    shares = dict(streets.group_by("local_hour").agg(pl.col("vehicles").sum() / streets["vehicles"].sum()).iter_rows())
    real = {3: 0.002, 6: 0.017, 7: 0.049, 8: 0.070, 10: 0.058, 13: 0.064, 16: 0.078, 17: 0.078, 19: 0.058, 22: 0.033}
    assert {hour: shares[hour] for hour in real} == pytest.approx(real, abs=0.005)
    assert max(shares, key=lambda hour: shares[hour]) in (16, 17)
    assert streets["vehicles"].mean() * 12 == pytest.approx(260, rel=0.1)  # type: ignore[operator]
    assert streets["speed_km_h"].mean() == pytest.approx(43.4, abs=2)
    assert streets["speed_km_h"].std() == pytest.approx(9.1, abs=1.5)
    assert (streets["vehicles"] == 0).mean() == pytest.approx(0.078, abs=0.03)


def test_traffic_is_slower_when_it_is_busy(city: City) -> None:
    hours = intervals(city, date(2026, 3, 12)).group_by("local_hour").agg(pl.col("speed_km_h").mean())
    speeds = dict(hours.iter_rows())
    assert speeds[17] < 0.9 * speeds[3]


def test_more_drive_to_the_centre_in_the_morning_and_from_it_in_the_evening(city: City) -> None:
    def share(hours: tuple[int, int], site: str) -> float:
        of_site = intervals(city, date(2026, 3, 12)).filter(pl.col("site_id") == site)
        return int(of_site.filter(pl.col("local_hour").is_in(hours))["vehicles"].sum()) / int(of_site["vehicles"].sum())

    into, out_of = "PGR08_Hereweg_NW_HTN2263", "PGR08_Hereweg_ZO_HTN2263"
    assert share((7, 8), into) > 1.2 * share((7, 8), out_of)
    assert share((16, 17), out_of) > 1.2 * share((16, 17), into)


@pytest.mark.parametrize(
    ("free", "usual", "share"),
    [
        (date(2026, 3, 14), date(2026, 3, 12), traffic_world.SATURDAY_SHARE),
        (date(2026, 3, 15), date(2026, 3, 12), traffic_world.SUNDAY_SHARE),
        (date(2026, 4, 6), date(2026, 4, 9), traffic_world.SUNDAY_SHARE),
    ],
    ids=["saturday", "sunday", "easter_monday"],
)
def test_free_days_have_less_traffic(free: date, usual: date, share: float) -> None:
    city = city_of(30, last=date(2026, 4, 12))
    everywhere = pl.lit(True)
    assert vehicles(city, free, everywhere) / vehicles(city, usual, everywhere) == pytest.approx(share, rel=0.1)


def test_school_holidays_take_the_edge_off_the_morning_rush() -> None:
    city = city_of(60)
    rush = pl.col("local_hour").is_in(traffic_world.RUSH_HOURS)
    quiet = ratio(city, date(2026, 2, 26), rush, weeks=(2,))
    assert quiet == pytest.approx(traffic_world.SCHOOL_HOLIDAY_RUSH, rel=0.05)


def test_a_road_has_twice_its_usual_traffic_on_the_day_of_the_diversion(city: City) -> None:
    day = before_last(traffic_world.DOUBLED_BEFORE_LAST)
    assert day == date(2026, 3, 6)
    assert ratio(city, day, on(traffic_world.DOUBLED_ROAD), weeks=(2, 3)) == pytest.approx(2, rel=0.06)


def test_a_closed_road_has_no_traffic_and_its_neighbours_have_more(city: City) -> None:
    for days in traffic_world.CLOSED_BEFORE_LAST:
        day = before_last(days)
        assert vehicles(city, day, on(traffic_world.CLOSED_ROAD)) == 0
        more = ratio(city, day, on(*traffic_world.CLOSURE_NEIGHBOURS), weeks=(1, 2))
        assert more == pytest.approx(traffic_world.CLOSURE_FACTOR, rel=0.05)
    for days in (traffic_world.CLOSED_BEFORE_LAST[0] - 1, traffic_world.CLOSED_BEFORE_LAST[-1] + 1):
        assert vehicles(city, before_last(days), on(traffic_world.CLOSED_ROAD)) > 1000


def test_road_works_make_traffic_slow(city: City) -> None:
    there = on(*traffic_world.WORKS_SITES)

    def speed(day: date) -> float:
        return float(intervals(city, day).filter(there, BUSY)["speed_km_h"].mean())  # type: ignore[arg-type]

    day = before_last(traffic_world.WORKS_BEFORE_LAST[4])
    later = day + timedelta(weeks=1)
    assert speed(day) / speed(later) == pytest.approx(traffic_world.WORKS_SPEED_FACTOR, rel=0.06)
    assert ratio(city, day, there, weeks=(-1,)) == pytest.approx(traffic_world.WORKS_FLOW_FACTOR, rel=0.05)


def test_traffic_queues_at_one_crossing_on_nearly_every_working_day_and_at_another_on_a_few_days_only(city: City) -> None:
    def speeds(sites: tuple[str, ...], hours: tuple[int, ...]) -> dict[date, float]:
        days = [day for day in city.days if traffic_world.is_weekday(day)]
        then = pl.col("local_hour").is_in(hours)
        return {day: intervals(city, day).filter(on(*sites), then)["speed_km_h"].mean() for day in days}  # type: ignore[misc]

    daily = speeds(traffic_world.CONGESTED_SITES, traffic_world.CONGESTED_HOURS)
    queues = [day for day, speed in daily.items() if speed < 0.6 * max(daily.values())]
    assert queues == [day for day in daily if traffic_world.is_congested_day(city, day)]
    assert 0.75 < len(queues) / len(daily) < 1
    once = speeds(traffic_world.JAMMED_SITES, traffic_world.JAMMED_HOURS)
    jams = [day for day, speed in once.items() if speed < 0.6 * max(once.values())]
    assert jams == sorted(before_last(n) for n in traffic_world.JAMMED_BEFORE_LAST)


def test_a_match_brings_traffic_before_and_after_it(city: City) -> None:
    there = on(*traffic_world.MATCH_SITES)
    coming = pl.col("local_hour").is_in(traffic_world.MATCH_HOURS)
    matches = [day for day in city.days if traffic_world.is_match_day(day)]
    assert all(day.isoweekday() == 6 for day in matches)
    assert {(later - earlier).days for earlier, later in pairwise(matches)} == {traffic_world.MATCH_EVERY_DAYS}
    for day in (date(2026, 3, 7), date(2026, 2, 21)):
        assert ratio(city, day, there & coming) == pytest.approx(traffic_world.MATCH_FACTOR, rel=0.06)
        assert ratio(city, day, there & pl.col("local_hour").is_between(8, 16)) == pytest.approx(1, rel=0.06)


def test_a_site_grows_from_week_to_week(city: City) -> None:
    weekdays = [day for day in city.days if day.isoweekday() == 4]
    share = [vehicles(city, day, on(traffic_world.GROWING_SITE)) / vehicles(city, day, pl.lit(True)) for day in weekdays]
    weeks = len(weekdays) - 1
    assert (share[-1] / share[0]) ** (1 / weeks) == pytest.approx(1 + traffic_world.GROWTH_PER_WEEK, abs=0.012)


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 3, 29), set(range(24)) - {2}),
        (date(2026, 10, 25), set(range(24))),
    ],
    ids=["forward", "back"],
)
def test_the_clock_skips_an_hour_in_spring_and_tells_one_once_in_autumn(day: date, hours: set[int]) -> None:
    frame = intervals(city_of(2, last=day), day)
    assert set(frame["local_hour"]) == hours
    assert not frame.select("detector", "seconds").is_duplicated().any()
