from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from groningen_data.sample import weather
from groningen_data.sample.facts import City

LAST = date(2026, 3, 15)
HEADER = "# STN,YYYYMMDD,   HH,   DD,   FH,   FF,   FX,    T, T10N,   TD,   SQ,    Q,   DR,   RH,    P,   VV,    N,    U,"
HEADER += "   WW,   IX,    M,    R,    S,    O,    Y"


def city(days: int = 60, last: date = LAST, seed: int = 14) -> City:
    return City(seed, tuple(last - timedelta(days=n) for n in reversed(range(days))), ZoneInfo("Europe/Amsterdam"), (), ())


def files(*args: object, **kwargs: object) -> dict[str, str]:
    return {path: data.decode() for path, data in weather.payloads(city(*args, **kwargs))}  # type: ignore[arg-type]


def fields(text: str) -> list[list[str]]:
    """The data lines of a KNMI file as trimmed fields."""
    after = text.split("# STN", 1)[1].split("\r\n", 1)[1]
    return [[f.strip() for f in line.split(",")] for line in after.split("\r\n") if line]


@pytest.fixture(scope="module")
def ten_years() -> pl.DataFrame:
    frame = weather.hourly(city(3650, date(2025, 12, 31)))
    return frame.with_columns(
        month=pl.col("hour_start_at").dt.month(), hour=pl.col("hour_start_at").dt.hour(), day=pl.col("hour_start_at").dt.date()
    )


def resemblance(values: pl.Series, hours: int = 1) -> float:
    series = values.to_numpy().astype(float)
    return float(np.corrcoef(series[:-hours], series[hours:])[0, 1])


def test_there_is_weather_for_every_hour_of_every_day_and_a_margin() -> None:
    frame = weather.hourly(city())
    assert frame.columns == ["hour_start_at", "temperature_c", "precipitation_mm", "wind_speed_m_s", "sunshine_h"]
    assert frame["hour_start_at"][0] == datetime(2025, 12, 11, tzinfo=UTC)
    assert frame["hour_start_at"][-1] == datetime(2026, 3, 17, 23, tzinfo=UTC)
    assert frame["hour_start_at"].diff().drop_nulls().unique().to_list() == [timedelta(hours=1)]
    assert frame.null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize(("days", "last"), [(2, LAST), (14, LAST), (400, LAST), (30, date(2026, 3, 31))])
def test_the_weather_of_an_hour_does_not_depend_on_the_days_of_the_sample(days: int, last: date) -> None:
    usual, other = weather.hourly(city()), weather.hourly(city(days, last))
    shared = usual.join(other, on="hour_start_at", how="inner", suffix="_other")
    assert shared.height >= 24 * (2 + weather.MARGIN_BEFORE)
    for column in usual.columns[1:]:
        assert shared[column].to_list() == shared[f"{column}_other"].to_list()


def test_another_seed_is_other_weather() -> None:
    assert weather.hourly(city())["temperature_c"].to_list() != weather.hourly(city(seed=15))["temperature_c"].to_list()


def test_seasons_are_those_of_the_north_of_the_netherlands(ten_years: pl.DataFrame) -> None:
    means = dict(ten_years.group_by("month").agg(pl.col("temperature_c").mean()).iter_rows())
    assert 1.5 < means[1] < 5.5 and 16 < means[7] < 19.5
    assert 9 < ten_years["temperature_c"].mean() < 11.5  # type: ignore[operator]
    assert -20 < ten_years["temperature_c"].min() < -5 and 28 < ten_years["temperature_c"].max() < 40  # type: ignore[operator]


def test_it_is_warmest_in_the_afternoon_and_the_day_swings_more_in_summer(ten_years: pl.DataFrame) -> None:
    by_hour = ten_years.group_by("hour").agg(pl.col("temperature_c").mean()).sort("temperature_c")["hour"].to_list()
    assert by_hour[0] in (1, 2, 3, 4) and by_hour[-1] in (12, 13, 14)
    swing = ten_years.group_by("day", "month").agg(s=pl.col("temperature_c").max() - pl.col("temperature_c").min())
    means = dict(swing.group_by("month").agg(pl.col("s").mean()).iter_rows())
    assert 3 < means[1] < 6 and 9 < means[6] < 13


def test_it_rains_as_often_as_it_should_and_in_spells(ten_years: pl.DataFrame) -> None:
    is_wet = ten_years["precipitation_mm"] >= 0.05
    share = dict(ten_years.group_by("month").agg((pl.col("precipitation_mm") >= 0.05).mean()).iter_rows())
    assert 0.09 < is_wet.mean() < 0.13 and share[12] > 1.4 * share[6]  # type: ignore[operator]
    assert 600 < ten_years["precipitation_mm"].sum() / 10 < 950
    assert 0.5 < resemblance(is_wet) < 0.75
    assert 0.05 < ((ten_years["precipitation_mm"] > 0) & ~is_wet).mean() < 0.12  # type: ignore[operator]


def test_no_day_has_more_rain_than_was_ever_measured_in_its_season(ten_years: pl.DataFrame) -> None:
    per_day = ten_years.group_by("day", "month").agg(pl.col("precipitation_mm").sum())
    most = dict(per_day.group_by("month").agg(pl.col("precipitation_mm").max()).iter_rows())
    assert max(most.values()) < 56 and max(most[month] for month in (12, 1, 2, 3)) < 40
    assert max(most.values()) > 35
    assert 15 < per_day.filter(pl.col("precipitation_mm") > 30).height < 60


def test_weather_changes_slowly(ten_years: pl.DataFrame) -> None:
    assert resemblance(ten_years["temperature_c"]) > 0.97
    assert 0.88 < resemblance(ten_years["wind_speed_m_s"]) < 0.97
    assert 0.3 < resemblance(ten_years["wind_speed_m_s"], 24) < 0.6
    assert 3 < ten_years["wind_speed_m_s"].mean() < 5  # type: ignore[operator]


def test_the_sun_shines_by_day_and_some_1750_hours_a_year(ten_years: pl.DataFrame) -> None:
    assert ten_years.filter(pl.col("hour").is_in([22, 23, 0, 1]))["sunshine_h"].max() == 0
    assert 1_500 < ten_years["sunshine_h"].sum() / 10 < 2_000
    assert ten_years["sunshine_h"].is_between(0, 1).all()


def test_the_station_sends_a_file_of_hours_and_one_of_days_per_year() -> None:
    assert list(files()) == ["weather/uurgeg_280_2026.txt", "weather/etmgeg_280_2026.txt"]
    found = files(40, date(2026, 1, 20))
    assert list(found) == [
        "weather/uurgeg_280_2025.txt",
        "weather/etmgeg_280_2025.txt",
        "weather/uurgeg_280_2026.txt",
        "weather/etmgeg_280_2026.txt",
    ]
    assert len(fields(found["weather/uurgeg_280_2025.txt"])) == 21 * 24
    assert len(fields(found["weather/etmgeg_280_2026.txt"])) == 20


def test_the_files_have_the_form_of_knmi() -> None:
    text = files()["weather/uurgeg_280_2026.txt"]
    lines = text.split("\r\n")
    assert "\n" not in text.replace("\r\n", "") and lines[-1] == ""
    assert HEADER in lines and lines[lines.index(HEADER) + 1] == ""
    rows = lines[lines.index(HEADER) + 2 : -1]
    assert rows[0].startswith("  280,20260114,    1,") and rows[-1].startswith("  280,20260315,   24,")
    assert len(rows) == 61 * 24 and {len(row) for row in rows} == {len(HEADER) - 2 + 1 + 1}
    assert [row.split(",")[2].strip() for row in rows[:24]] == [str(h) for h in range(1, 25)]


def test_traces_and_blanks_are_as_planted() -> None:
    rows = fields(files()["weather/uurgeg_280_2026.txt"])
    silent = [(r[1], r[2]) for r in rows if not any(r[3:])]
    assert silent == [("20260207", "13"), ("20260307", "13")]
    windless = [(r[1], r[2]) for r in rows if any(r[3:]) and not any(r[3:7])]
    assert windless == [(day, hour) for day in ("20260120", "20260220") for hour in ("4", "5", "6")]
    assert 0.05 < sum(r[13] == "-1" for r in rows) / len(rows) < 0.2
    assert all((r[8] != "") == (int(r[2]) % 6 == 0) for r in rows if any(r[3:]))


def test_the_station_measures_the_weather_of_the_city() -> None:
    true = weather.hourly(city()).filter(pl.col("hour_start_at") >= datetime(2026, 1, 14, tzinfo=UTC)).head(61 * 24)
    for row, hour in zip(fields(files()["weather/uurgeg_280_2026.txt"]), true.iter_rows(named=True), strict=True):
        if row[7]:
            assert int(row[7]) / 10 == pytest.approx(hour["temperature_c"], abs=0.06)
            assert max(int(row[13]), 0) / 10 == pytest.approx(hour["precipitation_mm"], abs=0.06)


def test_a_day_is_made_of_its_hours() -> None:
    found = files()
    hours, days = fields(found["weather/uurgeg_280_2026.txt"]), fields(found["weather/etmgeg_280_2026.txt"])
    assert len(days) == 61 and {len(day) for day in days} == {41}
    for day in days:
        own = [h for h in hours if h[1] == day[1] and h[7]]
        if len(own) == 24:
            assert int(day[11]) == pytest.approx(sum(int(h[7]) for h in own) / 24, abs=1)
            assert int(day[12]) <= min(int(h[7]) for h in own) <= max(int(h[7]) for h in own) <= int(day[14])
            wet = sum(max(int(h[13]), 0) for h in own)
            assert int(day[22]) == (wet or (-1 if any(h[13] == "-1" for h in own) else 0))


def test_the_prose_says_that_it_is_made_up() -> None:
    for text in files().values():
        assert "verzonnen" in text.split("# STN")[0]
