"""Bicycle counts per hour of six counters, and where they stand, in the form in which Ghent publishes its own.

The counters and their counts are made up. Cyclists go to work and school, stay at home when it rains, and come out when it
is warm; the planted effects are the constants below. The counters' clock knows no daylight saving: 24 rows every day.
"""

import gzip
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
import polars as pl

from groningen_data.sample import weather
from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City
from groningen_data.sample.traffic_world import (
    Floats,
    days_before_last,
    is_public_holiday,
    is_school_holiday,
    is_weekday,
)
from groningen_data.sample.wire import Payloads, json_bytes

TEMPERATURE_EFFECT = 0.025
"""Each degree (°C) between `COLDEST_C` and `WARMEST_C` brings this share of cyclists more."""
COLDEST_C, WARMEST_C = -5.0, 25.0
USUAL_C = 8.0
RAIN_FACTOR = 0.65
"""Cyclists in an hour with at least `RAIN_FROM_MM` of rain, times those of a dry hour."""
RAIN_FROM_MM = 0.05
SATURDAY_SHARE = 0.65
SUNDAY_SHARE = 0.5
"""Cyclists of a Sunday or public holiday, as a share of a usual weekday's."""
SCHOOL_HOLIDAY_SHARE = 0.75
"""Cyclists of a weekday in a school holiday, as a share of a usual weekday's."""

SILENT_COUNTER = "Oosterhamrikkade"
SILENT_BEFORE_LAST = (10, 11)
"""On these days before the last, `SILENT_COUNTER` delivered nothing: no rows, which is not the same as no cyclists."""


@dataclass(frozen=True)
class Counter:
    """One counter: cyclists of both directions on a usual weekday, and how much the main direction leads to work."""

    name: str
    code: str
    daily: int
    to_work: float
    longitude: float
    latitude: float
    built_in: int


COUNTERS = (
    Counter("Herebrug", "HER", 9_400, 0.3, 6.567, 53.212, 2019),
    Counter("Korreweg", "KOR", 7_200, 0.5, 6.572, 53.228, 2019),
    Counter("Oosterhamrikkade", "OOS", 3_100, 0.4, 6.584, 53.226, 2020),
    Counter("Paterswoldseweg", "PAT", 5_600, 0.5, 6.556, 53.205, 2020),
    Counter("Plantsoenbrug", "PLA", 6_800, -0.6, 6.554, 53.222, 2018),
    Counter("Zonnelaan", "ZON", 8_300, -0.8, 6.544, 53.235, 2018),
)

# Cyclists per local hour, of 1,000 a day; and which way they go: 1 = to work, -1 = home.
_WEEKDAY = (10, 6, 4, 3, 4, 9, 28, 85, 98, 42, 32, 36, 50, 46, 46, 60, 92, 108, 68, 44, 33, 30, 27, 19)
_FREE_DAY = (38, 28, 22, 18, 12, 9, 9, 14, 24, 38, 50, 60, 66, 66, 66, 66, 72, 76, 70, 56, 44, 38, 36, 32)
_WAY = (0.0, 0, 0, 0, 0, 0.3, 0.7, 1, 1, 0.6, 0.1, 0, 0, 0, 0, -0.4, -0.9, -1, -0.7, -0.3, 0, 0, 0, 0)
_STANDARD_TIME = timedelta(hours=1)
_DAY_SPREAD = 0.04


def payloads(city: City) -> Payloads:
    """Where the counters stand, and their counts, a file per month with the city's days of that month."""
    yield "traffic/bicycle_counters.json", json_bytes([_place(number, counter) for number, counter in enumerate(COUNTERS, 11)])
    months: dict[str, list[date]] = {}
    for day in city.days:
        months.setdefault(f"{day:%Y-%m}", []).append(day)
    for month, days in months.items():
        rows = pl.concat([_as_sent(counts(city, day)) for day in days]).sort("locatie", "datum", maintain_order=True)
        data = rows.write_json().encode()
        yield f"traffic/bicycles_{month}.json.gz", gzip.compress(data, compresslevel=5, mtime=0)


def counts(city: City, day: date) -> pl.DataFrame:
    """What the counters counted on a day of their own clock (UTC+1 all year): 24 rows each, in order of counter and hour.

    Returns:
        counter, day, hour (0 to 23), hour_start_at (UTC), main and opposite (cyclists per direction), and the `temperature_c`
        and `precipitation_mm` of the hour. A counter that was silent has no rows.
    """
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - _STANDARD_TIME
    hours = [start + timedelta(hours=n) for n in range(24)]
    known_from, temperatures, rains = _weather(city)
    first = round((start - known_from) / timedelta(hours=1))
    temperature, rain = temperatures[first : first + 24], rains[first : first + 24]
    local = [hour.astimezone(city.timezone) for hour in hours]
    usual = np.array([_usual_share(clock.date(), clock.hour) for clock in local])
    effect = np.exp(TEMPERATURE_EFFECT * (np.clip(temperature, COLDEST_C, WARMEST_C) - USUAL_C))
    effect *= np.where(rain >= RAIN_FROM_MM, RAIN_FACTOR, 1.0)
    way = np.array([_WAY[clock.hour] for clock in local])

    chance = generator(city, "bicycles", day)
    of_day = 1 + _DAY_SPREAD * float(chance.standard_normal())
    daily = np.array([counter.daily for counter in COUNTERS], dtype=np.float64)[:, None]
    main_share = 0.5 + 0.3 * np.array([counter.to_work for counter in COUNTERS])[:, None] * way
    both = daily * usual * effect * of_day
    main, opposite = chance.poisson(both * main_share), chance.poisson(both * (1 - main_share))

    counters, n = main.shape
    rows = pl.DataFrame(
        {
            "counter": np.repeat([counter.name for counter in COUNTERS], n).tolist(),
            "day": pl.repeat(day, counters * n, eager=True),
            "hour": np.tile(np.arange(n), counters),
            "hour_start_at": pl.Series(hours * counters, dtype=pl.Datetime("us", "UTC")),
            "main": main.ravel(),
            "opposite": opposite.ravel(),
            "temperature_c": np.tile(temperature, counters),
            "precipitation_mm": np.tile(rain, counters),
        }
    )
    silent = days_before_last(city, day) in SILENT_BEFORE_LAST
    return rows.filter(pl.col("counter") != SILENT_COUNTER) if silent else rows


def _usual_share(day: date, hour: int) -> float:
    """Cyclists of a local hour in usual weather, as a share of all those of a usual weekday."""
    if is_weekday(day):
        return _WEEKDAY[hour] / sum(_WEEKDAY) * (SCHOOL_HOLIDAY_SHARE if is_school_holiday(day) else 1)
    share = SATURDAY_SHARE if day.isoweekday() == 6 and not is_public_holiday(day) else SUNDAY_SHARE
    return _FREE_DAY[hour] / sum(_FREE_DAY) * share


@lru_cache(maxsize=4)
def _weather(city: City) -> tuple[datetime, Floats, Floats]:
    """The first hour of which the weather is known, and temperature and rain from then on."""
    hours = weather.hourly(city)
    return hours["hour_start_at"][0], hours["temperature_c"].to_numpy(), hours["precipitation_mm"].to_numpy()


def _as_sent(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        pl.format("{}:00", "hour").alias("uur5minuten"),
        pl.col("day").cast(pl.String).alias("datum"),
        pl.col("opposite").alias("tegenrichting"),
        pl.col("main").alias("hoofdrichting"),
        (pl.col("main") + pl.col("opposite")).alias("totaal"),
        pl.col("counter").alias("locatie"),
    )


def _place(number: int, counter: Counter) -> dict[str, object]:
    fields = {
        "display": "Ja",
        "naam": counter.name,
        "code": counter.code,
        "urid": f"mob/ftstel{number}",
        "display_codedvalue": 1,
        "geometry": {"coordinates": [counter.longitude, counter.latitude], "type": "Point"},
        "eigenaar": "Voorbeeldstad Groningen",
        "bouwjaar": counter.built_in,
        "actief_codedvalue": 1,
        "begindatum": f"{counter.built_in}-01-06T23:00:00Z",
        "actief": "Ja",
        "long": str(counter.longitude),
        "sensoren": 2,
        "lat": str(counter.latitude),
        "geo_point_2d": [counter.latitude, counter.longitude],
    }
    return {
        "datasetid": "fietstelpalen-voorbeeldstad",
        "recordid": f"{number:040x}",
        "fields": fields,
        "geometry": {"type": "Point", "coordinates": [counter.longitude, counter.latitude]},
        "record_timestamp": "2026-01-01T00:01:10.698+01:00",
    }
