import csv
import io
from datetime import date, timedelta

import polars as pl
import pytest

from groningen_data.sample import policy_measures, traffic_world
from groningen_data.sample.policy_measures import IDLE, RECENT, WORKING
from tests.unit.sample.cities import LAST_DAY, city_of


def rows_of(days: int = 60) -> dict[str, dict[str, str]]:
    ((path, data),) = policy_measures.payloads(city_of(days))
    assert path == "traffic/policy_measures.csv"
    return {row["nummer"]: row for row in csv.DictReader(io.StringIO(data.decode()), delimiter=";")}


def vehicles(day: date, sites: tuple[str, ...]) -> int:
    return int(traffic_world.intervals(city_of(60), day).filter(pl.col("site_id").is_in(sites))["vehicles"].sum())


def test_the_list_has_a_measure_that_works_one_that_does_not_and_one_that_has_just_begun() -> None:
    rows = rows_of()
    assert list(rows) == [WORKING, IDLE, RECENT] and rows == rows_of(2)
    assert {row["maat"] for row in rows.values()} == {"verkeer"}
    assert [row["begin"] for row in rows.values()] == ["2026-02-16", "2026-02-16", "2026-03-12"]
    known = {site.id for site in city_of(2).sites}
    assert all(set(row["meetlocaties"].split("|")) <= known for row in rows.values())
    assert all("verzonnen" in row["titel"] for row in rows.values())


def test_no_measure_stands_where_something_else_is_planted() -> None:
    elsewhere = ("Damsterdiep", "Kapteynlaan", "Bedumerweg", "PetrusCampersingel", "Hereweg", "Europaweg", "EUROPAWEG")
    elsewhere += ("SintPetersburgweg", "Westersingel", "Stationsweg")
    for row in rows_of().values():
        assert not any(road in row["meetlocaties"] for road in elsewhere)


@pytest.mark.parametrize(
    ("sites", "factor"), [(traffic_world.MEASURE_SITES, traffic_world.MEASURE_FACTOR), (policy_measures.IDLE_SITES, 1)]
)
def test_traffic_falls_at_the_sites_of_the_working_measure_only_and_stays_there(sites: tuple[str, ...], factor: float) -> None:
    start = LAST_DAY - timedelta(days=traffic_world.MEASURE_STARTS_BEFORE_LAST)
    city = city_of(60)
    others = tuple(s.id for s in city.sites if s.id not in (*traffic_world.MEASURE_SITES, *policy_measures.IDLE_SITES))
    # Thursdays, one of which is a school holiday: their days differ everywhere.
    before, after = (
        sum(vehicles(day, sites) / vehicles(day, others) for day in days)
        for days in ([start - timedelta(days=n) for n in (4, 11, 18)], [start + timedelta(days=n) for n in (3, 10, 17)])
    )
    assert after / before == pytest.approx(factor, abs=0.02)
