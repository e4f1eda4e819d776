import csv
import io
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from groningen_data.sample import inspections
from groningen_data.sample.containers import ALARM_PCT, containers
from groningen_data.sample.facts import City
from groningen_data.sample.inspections import is_moving_day, payloads
from groningen_data.sample.waste_world import OVERFULL_PCT, fill
from tests.unit.sample.cities import city_of

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def city() -> City:
    return city_of(38)


@pytest.fixture(scope="module")
def rows(city: City) -> Rows:
    return [row for _, data in payloads(city) for row in rows_of(data)]


@pytest.fixture(scope="module")
def judged(city: City, rows: Rows) -> pl.DataFrame:
    """Inspections of a container, with its true fill at that hour."""
    known = [r for r in rows if r["containercode"] and r["tijdstip"][8:10] != "32"]
    hours = [
        datetime.fromisoformat(r["tijdstip"]).replace(minute=0, second=0, tzinfo=city.timezone).astimezone(UTC) for r in known
    ]
    frame = pl.DataFrame(known).with_columns(
        pl.Series("hour_start_at", hours, pl.Datetime("us", "UTC")),
        pl.col("containercode").alias("container_code"),
        (pl.col("bijplaatsing") == "ja").alias("beside"),
        (pl.col("grofvuil_stuks").cast(pl.Int64) > 0).alias("bulky"),
    )
    true = pl.concat([fill(city, day) for day in city.days])
    places = containers(city).select("container_code", "district_code", "longitude", "latitude")
    return frame.join(true, on=["container_code", "hour_start_at"]).join(places, on="container_code")


def rows_of(data: bytes) -> Rows:
    return list(csv.DictReader(io.StringIO(data.decode()), delimiter=";"))


def lines(data: bytes, day: str) -> list[str]:
    return [line for line in data.decode().splitlines() if line.startswith(f"S{day}")]


def test_there_is_one_file_a_month_with_the_fields_agreed(city: City) -> None:
    files = dict(payloads(city))
    assert list(files) == [f"waste/inspections_{month}.csv" for month in ("2026-02", "2026-03")]
    fields = "schouwnummer;containercode;tijdstip;breedtegraad;lengtegraad;bijplaatsing;grofvuil_stuks;oorzaak;opmerking_code"
    assert all(data.decode().splitlines()[0] == fields for data in files.values())


def test_a_day_is_the_same_however_many_days_are_made(city: City) -> None:
    path = "waste/inspections_2026-03.csv"
    short, longer = dict(payloads(city_of(2)))[path], dict(payloads(city))[path]
    for day in ("20260314", "20260315"):
        assert lines(short, day) == lines(longer, day) != []


def test_about_a_hundred_and_fifty_places_are_inspected_a_day(city: City, rows: Rows) -> None:
    low, high = inspections.INSPECTIONS
    for day in city.days:
        count = sum(r["schouwnummer"].startswith(f"S{day:%Y%m%d}") for r in rows)
        assert low <= count <= high + 1


def test_values_are_those_of_the_contract(rows: Rows) -> None:
    assert {r["bijplaatsing"] for r in rows} == {"ja", "nee"}
    assert {r["oorzaak"] for r in rows} == {"vol", "grofvuil", "bouwafval", "onbekend", ""}
    assert all((r["oorzaak"] == "") == (r["bijplaatsing"] == "nee") for r in rows)
    assert all(r["bijplaatsing"] == "ja" for r in rows if int(r["grofvuil_stuks"]))


def test_waste_stands_beside_containers_more_often_the_fuller_they_are(judged: pl.DataFrame) -> None:
    level = pl.col("fill_pct")
    without_bulky = judged.filter(~pl.col("bulky"))
    full = without_bulky.filter(level >= OVERFULL_PCT)["beside"]
    alarm = without_bulky.filter(level.is_between(ALARM_PCT, OVERFULL_PCT, closed="left"))["beside"]
    room = without_bulky.filter(level < ALARM_PCT)["beside"]
    assert len(full) > 30 and full.mean() == pytest.approx(inspections.OVERFULL_BESIDE, abs=0.2)
    assert len(alarm) > 60 and alarm.mean() == pytest.approx(inspections.ALARM_BESIDE, abs=0.12)
    assert room.mean() == pytest.approx(inspections.USUAL_BESIDE, abs=0.01)


def test_people_who_move_leave_bulky_waste_in_one_district(judged: pl.DataFrame) -> None:
    days = [d for d in judged["hour_start_at"].dt.date().unique() if is_moving_day(d)]
    assert sorted(map(str, days)) == ["2026-02-07", "2026-02-08", "2026-03-07", "2026-03-08"]
    there = (pl.col("district_code") == inspections.BULKY_DISTRICT) & pl.col("hour_start_at").dt.date().is_in(days)
    assert judged.filter(there)["bulky"].mean() == pytest.approx(inspections.BULKY_MOVING, abs=0.08)
    assert judged.filter(~there)["bulky"].mean() == pytest.approx(inspections.BULKY_USUAL, abs=0.015)
    assert judged.filter(there).height >= 55 * len(days)


def test_builders_waste_stands_near_the_building_site_while_it_lasts(city: City, judged: pl.DataFrame) -> None:
    longitude, latitude = inspections.BUILDING_SITE
    east, north = (pl.col("longitude") - longitude) * 66_650, (pl.col("latitude") - latitude) * 111_320
    is_there = (east**2 + north**2).sqrt() <= inspections.BUILDING_REACH_M
    began = city.days[-1] - timedelta(days=inspections.BUILDING_BEFORE_LAST[-1])
    is_then = pl.col("hour_start_at").dt.date() >= began
    rubble = judged.filter(~pl.col("bulky")).with_columns(rubble=pl.col("oorzaak") == "bouwafval")
    there = rubble.filter(is_there, is_then)["rubble"]
    assert len(there) > 20 and there.mean() == pytest.approx(inspections.BUILDING_BESIDE, abs=0.2)
    assert rubble.filter(is_there, ~is_then)["rubble"].sum() <= 2
    assert rubble.filter(~is_there, is_then)["rubble"].mean() == pytest.approx(0.01, abs=0.01)


def test_an_inspection_is_at_its_container(judged: pl.DataFrame) -> None:
    metres = judged.select(
        (
            ((pl.col("lengtegraad").cast(pl.Float64) - pl.col("longitude")) * 66_800) ** 2
            + ((pl.col("breedtegraad").cast(pl.Float64) - pl.col("latitude")) * 111_200) ** 2
        ).sqrt()
    ).to_series()
    assert metres.max() < 15  # type: ignore[operator]


def test_a_few_places_have_no_container(city: City, rows: Rows) -> None:
    without = sum(not r["containercode"] for r in rows)
    assert without == inspections.NO_CONTAINER * len(city.days)


def test_once_a_month_a_time_does_not_exist_and_an_inspection_is_listed_twice(rows: Rows) -> None:
    odd = [r for r in rows if r["tijdstip"][8:10] == "32"]
    assert [r["schouwnummer"][:9] for r in odd] == ["S20260210", "S20260310"]
    twice = [r for n, r in enumerate(rows) if r in rows[n + 1 : n + 2]]
    assert [r["schouwnummer"][:9] for r in twice] == ["S20260212", "S20260312"]


@pytest.mark.parametrize(
    ("day", "moving"), [("2026-03-07", True), ("2026-03-08", True), ("2026-03-01", False), ("2026-08-02", True)]
)
def test_the_first_weekend_of_a_month_starts_on_its_first_saturday(day: str, moving: bool) -> None:
    on = date.fromisoformat(day)
    assert is_moving_day(on) == moving
    assert not is_moving_day(on + timedelta(days=14))
