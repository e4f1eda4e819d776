import gzip
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from groningen_data.sample import bicycles
from groningen_data.sample.bicycles import COUNTERS, counts, payloads
from groningen_data.sample.facts import City
from tests.unit.sample.cities import LAST_DAY, city_of

Row = dict[str, Any]
SILENT = [LAST_DAY - timedelta(days=n) for n in bicycles.SILENT_BEFORE_LAST]


@pytest.fixture(scope="module")
def files() -> dict[str, list[Row]]:
    return sent(city_of(60))


@pytest.fixture(scope="module")
def year() -> pl.DataFrame:
    city = city_of(365, last=date(2025, 12, 31))
    frame = pl.concat([counts(city, day) for day in city.days])
    return frame.with_columns(
        both=pl.col("main") + pl.col("opposite"), local=pl.col("hour_start_at").dt.convert_time_zone("Europe/Amsterdam")
    )


def sent(city: City) -> dict[str, list[Row]]:
    return {path: json.loads(gzip.decompress(data)) for path, data in payloads(city) if path.endswith(".gz")}


def test_the_same_city_gives_the_same_bytes() -> None:
    assert list(payloads(city_of(20))) == list(payloads(city_of(20)))


def test_a_day_is_the_same_however_many_days_the_city_has() -> None:
    day = LAST_DAY - timedelta(days=1)
    assert counts(city_of(2), day).equals(counts(city_of(40), day))


def test_each_month_has_a_file_with_the_days_of_the_city(files: dict[str, list[Row]]) -> None:
    assert list(files) == [f"traffic/bicycles_2026-0{month}.json.gz" for month in (1, 2, 3)]
    for path, rows in files.items():
        assert {row["datum"][:7] for row in rows} == {path[17:24]}
    days = {row["datum"] for rows in files.values() for row in rows}
    assert days == {str(day) for day in city_of(60).days}


def test_rows_have_the_form_in_which_ghent_sends_them(files: dict[str, list[Row]]) -> None:
    for rows in files.values():
        for row in rows:
            assert list(row) == ["uur5minuten", "datum", "tegenrichting", "hoofdrichting", "totaal", "locatie"]
            assert row["totaal"] == row["tegenrichting"] + row["hoofdrichting"]
        assert [row["uur5minuten"] for row in rows[:24]] == [f"{hour}:00" for hour in range(24)]


def test_a_counter_has_24_rows_a_day_unless_it_was_silent(files: dict[str, list[Row]]) -> None:
    rows = pl.DataFrame([row for of_month in files.values() for row in of_month])
    of_day = rows.group_by("locatie", "datum").len()
    assert of_day["len"].unique().to_list() == [24]
    missing = {(c.name, str(day)) for c in COUNTERS for day in city_of(60).days} - set(
        of_day.select("locatie", "datum").iter_rows()
    )
    assert missing == {(bicycles.SILENT_COUNTER, str(day)) for day in SILENT}


def test_the_places_name_the_same_counters_as_the_counts(files: dict[str, list[Row]]) -> None:
    places = json.loads(dict(payloads(city_of(2)))["traffic/bicycle_counters.json"])
    assert [place["fields"]["naam"] for place in places] == sorted({r["locatie"] for rows in files.values() for r in rows})
    for place in places:
        fields = place["fields"]
        assert fields["geo_point_2d"] == [float(fields["lat"]), float(fields["long"])]
        assert place["geometry"]["coordinates"] == fields["geo_point_2d"][::-1]
        assert 53.1 < fields["geo_point_2d"][0] < 53.3 and 6.4 < fields["geo_point_2d"][1] < 6.8


@pytest.mark.parametrize(("day", "local_rush"), [(date(2026, 3, 27), 7), (date(2026, 3, 30), 6)], ids=["winter", "summer"])
def test_the_counters_clock_knows_no_summer_time(day: date, local_rush: int) -> None:
    """Cyclists go to work by the clock on the wall, an hour earlier by the counters' own clock in summer."""
    frame = counts(city_of(10, last=date(2026, 4, 1)), day)
    assert frame["hour_start_at"].min() == datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=1)
    by_hour = dict(
        frame.filter(pl.col("hour") < 12).group_by("hour").agg((pl.col("main") + pl.col("opposite")).sum()).iter_rows()
    )
    assert sorted(by_hour, key=lambda hour: by_hour[hour])[-2:] in ([local_rush, local_rush + 1], [local_rush + 1, local_rush])


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=["forward", "back"])
def test_a_day_on_which_clocks_change_has_24_hours(day: date) -> None:
    frame = counts(city_of(3, last=day + timedelta(days=1)), day)
    assert frame.group_by("counter").agg(pl.col("hour_start_at").n_unique())["hour_start_at"].to_list() == [24] * len(COUNTERS)


def test_main_direction_leads_to_work_where_the_counter_says_so(year: pl.DataFrame) -> None:
    morning = year.filter(pl.col("local").dt.hour().is_in([7, 8]), pl.col("day").dt.weekday() <= 5)
    share = dict(morning.group_by("counter").agg(pl.col("main").sum() / pl.col("both").sum()).iter_rows())
    assert {name: main > 0.5 for name, main in share.items()} == {counter.name: counter.to_work > 0 for counter in COUNTERS}


def test_rain_keeps_cyclists_at_home_and_warmth_brings_them_out(year: pl.DataFrame) -> None:
    """Of the logarithm of cyclists, within an hour of weekdays outside the long holidays."""
    weekdays = year.filter(
        pl.col("local").dt.weekday() <= 5, pl.col("both") > 0, pl.col("local").dt.month().is_in([1, 3, 6, 9, 11])
    )
    of = ["counter", pl.col("local").dt.hour()]
    wet = (pl.col("precipitation_mm") >= bicycles.RAIN_FROM_MM).cast(pl.Float64)
    names = {"log": pl.col("both").log(), "warm": pl.col("temperature_c"), "wet": wet}
    within = weekdays.with_columns(**names).select(pl.col(name) - pl.col(name).mean().over(of) for name in names).to_numpy()
    warmth, rain = np.linalg.lstsq(within[:, 1:], within[:, 0], rcond=None)[0]
    assert warmth == pytest.approx(bicycles.TEMPERATURE_EFFECT, rel=0.1)
    assert np.exp(rain) == pytest.approx(bicycles.RAIN_FACTOR, rel=0.05)


@pytest.mark.parametrize(
    ("weekday", "share"), [(6, bicycles.SATURDAY_SHARE), (7, bicycles.SUNDAY_SHARE)], ids=["saturday", "sunday"]
)
def test_weekends_have_fewer_cyclists(year: pl.DataFrame, weekday: int, share: float) -> None:
    daily = year.group_by("day").agg(pl.col("both").sum())
    of = pl.col("day").dt.weekday()
    usual = daily.filter(of <= 5)["both"].mean()
    assert daily.filter(of == weekday)["both"].mean() / usual == pytest.approx(share, rel=0.15)  # type: ignore[operator]
