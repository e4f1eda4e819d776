"""What the marts need to know of a day, asked of DuckDB as the marts do."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import polars as pl
import pytest

from groningen_data.gate.recipe import MONTH_VARIABLE, MartContext
from groningen_data.marts.days import daily_weather, hours_of_day
from groningen_data.settings import load_settings

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
EELDE, ELSEWHERE = 280, 290
HOUR = timedelta(hours=1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), AMSTERDAM).astimezone(UTC)


def test_every_day_of_thirty_years_has_as_many_hours_as_its_clock_says():
    days = pl.DataFrame({"day": pl.date_range(date(2000, 1, 1), date(2030, 12, 31), eager=True)})
    table = ibis.memtable(days)
    found = ibis.duckdb.connect().to_polars(table.select("day", hours=hours_of_day(table.day)))
    odd = found.filter(pl.col("hours") != 24)
    assert odd.height == 2 * 31
    lasting = [round((midnight(day + timedelta(days=1)) - midnight(day)) / HOUR) for day in found["day"]]
    assert found["hours"].to_list() == lasting


_COLUMNS = {
    "station_code": pl.Int64,
    "local_date": pl.Date,
    "precipitation_mm": pl.Float64,
    "precipitation_missing_reason": pl.String,
    "temperature_c": pl.Float64,
}
Weather = Callable[..., dict[date, tuple[float | None, float | None]]]


@pytest.fixture
def weather(tmp_path: Path) -> Weather:
    """`weather(month, hours)`: precipitation and temperature per day of a month, from hours given as columns."""

    def ask(month: str, hours: list[dict[str, Any]]) -> dict[date, tuple[float | None, float | None]]:
        backend = ibis.duckdb.connect()
        backend.raw_sql(f"SET VARIABLE {MONTH_VARIABLE} = DATE '{month}'")
        table = ibis.memtable(pl.DataFrame(hours, schema=_COLUMNS))
        context = MartContext(lambda name: table, load_settings(data_dir=tmp_path), lambda source: True)
        found = backend.to_polars(daily_weather(context))
        return {day: (rain, warmth) for day, rain, warmth in found.iter_rows()}

    return ask


def hours_of(day: date, station: int = EELDE, **more: Any) -> list[dict[str, Any]]:
    """The hours of a local day, each with a tenth of a millimetre, and as many degrees as hours have passed."""
    count = round((midnight(day + timedelta(days=1)) - midnight(day)) / HOUR)
    return [
        {
            "station_code": station,
            "local_date": day,
            "precipitation_mm": 0.1,
            "precipitation_missing_reason": None,
            "temperature_c": float(n),
            **more,
        }
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("day", "rain", "warmth"),
    [(date(2026, 3, 10), 2.4, 11.5), (date(2026, 3, 29), 2.3, 11.0), (date(2025, 10, 26), 2.5, 12.0)],
    ids=["usual", "clocks go forward", "clocks go back"],
)
def test_a_day_has_the_rain_and_the_mean_temperature_of_all_its_hours(weather: Weather, day, rain, warmth):
    assert weather(f"{day:%Y-%m}-01", hours_of(day)) == {day: (pytest.approx(rain), pytest.approx(warmth))}


def test_a_trace_of_rain_counts_as_none(weather: Weather):
    day = date(2026, 3, 10)
    dry, traces = hours_of(day, precipitation_mm=0.0), hours_of(day, precipitation_mm=None, precipitation_missing_reason="trace")
    assert weather("2026-03-01", dry[:20] + traces[20:])[day][0] == 0
    assert weather("2026-03-01", [*hours_of(day)[:20], *traces[20:]])[day][0] == pytest.approx(2)
    assert weather("2026-03-01", [hour | {"temperature_c": 1.0} for hour in traces]) == {day: (0, 1)}


def test_a_day_of_which_an_hour_is_missing_has_no_figure(weather: Weather):
    day, cut_off = date(2026, 3, 10), date(2026, 3, 11)
    silent = {"precipitation_mm": None, "precipitation_missing_reason": "not_delivered", "temperature_c": None}
    some = [hour | (silent if n == 5 else {}) for n, hour in enumerate(hours_of(day))]
    assert weather("2026-03-01", some + hours_of(cut_off)[1:]) == {day: (None, None), cut_off: (None, None)}


def test_rain_and_temperature_are_missing_apart(weather: Weather):
    day = date(2026, 3, 10)
    cold = [hour | ({"temperature_c": None} if n == 5 else {}) for n, hour in enumerate(hours_of(day))]
    assert weather("2026-03-01", cold) == {day: (pytest.approx(2.4), None)}


def test_other_months_and_other_stations_are_left_out(weather: Weather):
    hours = [hour for day in (28, 29, 30, 31) for hour in hours_of(date(2026, 1, day))]
    hours += hours_of(date(2026, 2, 1)) + hours_of(date(2026, 2, 1), ELSEWHERE, precipitation_mm=9.0) + hours_of(date(2026, 3, 1))
    assert weather("2026-02-01", hours) == {date(2026, 2, 1): (pytest.approx(2.4), 11.5)}
