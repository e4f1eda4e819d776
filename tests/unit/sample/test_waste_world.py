import itertools
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from groningen_data.sample import containers as register
from groningen_data.sample import waste_world
from groningen_data.sample.containers import OVERFULL_NEIGHBOURHOODS, containers
from groningen_data.sample.facts import City
from groningen_data.sample.waste_world import emptyings, fill, world_of
from tests.unit.sample.cities import LAST_DAY, city_of


@pytest.fixture(scope="module")
def city() -> City:
    return city_of(14)


@pytest.fixture(scope="module")
def filled(city: City) -> pl.DataFrame:
    of_container = containers(city).select(
        "container_code", "district_code", "neighbourhood_code", "fraction_code", "is_overfull_planted"
    )
    days = [fill(city, day).with_columns(pl.lit(day).alias("day")) for day in city.days]
    return pl.concat(days).join(of_container, on="container_code")


@pytest.fixture(scope="module")
def emptied(city: City) -> pl.DataFrame:
    return pl.concat([emptyings(city, day).with_columns(pl.lit(day).alias("day")) for day in city.days])


def overfull(frame: pl.DataFrame) -> float:
    return (frame["fill_pct"] >= waste_world.OVERFULL_PCT).sum() / frame.height


@pytest.mark.parametrize("of", [fill, emptyings], ids=["fill", "emptyings"])
def test_a_day_is_the_same_however_many_days_the_city_has(of: Callable[[City, date], pl.DataFrame]) -> None:
    day = LAST_DAY - timedelta(days=1)
    assert of(city_of(2), day).equals(of(city_of(40), day))


def test_another_seed_is_another_city() -> None:
    assert not containers(city_of(2)).equals(containers(city_of(2, seed=15)))


def test_every_container_is_full_to_some_degree_at_every_hour(city: City, filled: pl.DataFrame) -> None:
    assert filled.height == register.CONTAINERS * 24 * len(city.days)
    assert filled["fill_pct"].is_between(0, waste_world.FULLEST_PCT).all()
    assert not filled.select("container_code", "hour_start_at").is_duplicated().any()


def test_a_container_gets_emptier_only_when_it_is_emptied(filled: pl.DataFrame, emptied: pl.DataFrame) -> None:
    hourly = filled.sort("container_code", "hour_start_at").with_columns(
        pl.col("fill_pct").diff().over("container_code").alias("change"),
        (pl.col("hour_start_at") - pl.duration(hours=1)).alias("from"),
    )
    drops = hourly.filter(pl.col("change") < 0).select("container_code", "from")
    at = emptied.select("container_code", pl.col("emptied_at").dt.truncate("1h").alias("from"))
    assert drops.height > 5_000
    assert drops.join(at, on=["container_code", "from"], how="anti").is_empty()


def test_no_container_waits_longer_than_the_longest_wait() -> None:
    city = city_of(waste_world.LONGEST_WAIT)
    seen = pl.concat([emptyings(city, day) for day in city.days])["container_code"]
    assert set(seen) == set(containers(city)["container_code"])


def test_a_few_per_cent_of_the_containers_pass_their_alarm_limit_on_a_day(filled: pl.DataFrame) -> None:
    highest = filled.group_by("day", "container_code").agg(pl.col("fill_pct").max())
    shares = highest.group_by("day").agg((pl.col("fill_pct") >= register.ALARM_PCT).mean().alias("share"))["share"]
    assert shares.is_between(0.02, 0.13).all()
    assert 0.03 < shares.mean() < 0.08  # type: ignore[operator]


def test_residual_waste_overflows_in_the_planted_neighbourhoods(filled: pl.DataFrame) -> None:
    planted = filled.filter("is_overfull_planted")
    assert set(planted["neighbourhood_code"]) == set(OVERFULL_NEIGHBOURHOODS)
    assert set(planted["fraction_code"]) == {"residual"}
    assert overfull(planted) > 10 * overfull(filled.filter(~pl.col("is_overfull_planted")))


def test_a_skipped_round_empties_nothing_there_and_fills_the_district(
    city: City, filled: pl.DataFrame, emptied: pl.DataFrame
) -> None:
    day = city.days[-1] - timedelta(days=waste_world.SKIPPED_BEFORE_LAST)
    there = filled.filter(pl.col("district_code") == waste_world.SKIPPED_DISTRICT, pl.col("fraction_code") == "residual")
    residual = emptied.filter(pl.col("container_code").is_in(there["container_code"].unique().to_list()))
    counts = {on: residual.filter(pl.col("day") == on).height for on in (day, day - timedelta(days=7), day + timedelta(days=1))}
    assert counts[day] == 0
    assert min(counts[day - timedelta(days=7)], counts[day + timedelta(days=1)]) > 10
    after = pl.col("day") == day + timedelta(days=2)
    elsewhere = filled.filter(after & (pl.col("district_code") != waste_world.SKIPPED_DISTRICT))
    assert overfull(there.filter(after)) > 4 * overfull(elsewhere)


def test_the_market_brings_more_waste_on_market_days(city: City) -> None:
    market = (containers(city)["neighbourhood_code"] == waste_world.MARKET_NEIGHBOURHOOD).to_numpy()
    longer = city_of(42)
    inflow = {day: rise(longer, day, market) / rise(longer, day, ~market) for day in longer.days}
    on, off = (
        np.mean([x for day, x in inflow.items() if (day.isoweekday() in waste_world.MARKET_WEEKDAYS) == is_market])
        for is_market in (True, False)
    )
    assert on / off == pytest.approx(waste_world.MARKET_FACTOR, rel=0.12)


def rise(city: City, day: date, which: np.ndarray) -> float:
    """Mean rise of the fill over an afternoon and evening, when nothing is emptied any more."""
    level = world_of(city).fill_pct(day)[which]
    room = level[:, -1] < waste_world.OVERFULL_PCT
    return float((level[room, -1] - level[room, 16]).mean())


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-03-14", 24)])
def test_a_day_has_the_hours_of_its_local_clock(day: str, hours: int) -> None:
    city = city_of(1, date.fromisoformat(day))
    starts = fill(city, city.days[0])["hour_start_at"].unique().sort()
    assert len(starts) == hours
    assert {b - a for a, b in itertools.pairwise(starts)} == {timedelta(hours=1)}
    assert {str(s.astimezone(city.timezone).date()) for s in starts} == {day}


def test_weight_follows_the_volume_and_the_fraction(emptied: pl.DataFrame) -> None:
    per_m3 = pl.col("weight_kg").sum() / (pl.col("fill_pct") / 100 * pl.col("capacity_l") / 1000).sum()
    found = dict(emptied.group_by("fraction_name").agg(per_m3.alias("kg")).iter_rows())
    assert found["GLAS"] > 200 > found["GFT"] > found["RESTAFVAL"] > found["PAPIER"] > found["PLASTIC"]
    assert found["RESTAFVAL"] == pytest.approx(78, rel=0.02)


def test_a_vehicle_empties_one_container_after_another(emptied: pl.DataFrame) -> None:
    assert emptied["emptied_at_local"].dt.hour().is_between(6, 16).all()
    for _, round_ in emptied.group_by("vehicle_code", "day", maintain_order=True):
        assert round_["emptied_at"].is_sorted()
        assert round_.height < 130


def test_only_the_inner_city_is_emptied_on_sundays(emptied: pl.DataFrame, city: City) -> None:
    sunday = emptied.filter(pl.col("day").dt.weekday() == 7).join(
        containers(city).select("container_code", "district_code"), on="container_code"
    )
    assert set(sunday["district_code"]) == {"WK001400"} and set(sunday["fraction_name"]) == {"RESTAFVAL"}
