"""What really happens on the roads of the sample city: how many vehicles pass each detector in five minutes, and how fast.

This is the truth from which the payloads are made; no payload and no fault is made here. A day follows from the seed, the
day and the last day of the city (planted days are counted back from it), never from how many days are covered.
"""

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import numpy.typing as npt
import polars as pl

from groningen_data.sample.chance import generator
from groningen_data.sample.facts import REFERENCE, City, Site

INTERVAL_S = 300

SATURDAY_SHARE = 0.6
SUNDAY_SHARE = 0.5
"""Traffic of a Sunday or public holiday, as a share of a usual weekday's."""
SCHOOL_HOLIDAY_RUSH = 0.8
"""Traffic of the hours `RUSH_HOURS` on a weekday of a school holiday, times that of another weekday."""
RUSH_HOURS = (7, 8)

DOUBLED_BEFORE_LAST = 9
"""So many days before the last, traffic was led over `DOUBLED_ROAD`, which then carried twice as much as usual."""
DOUBLED_ROAD = "Damsterdiep"

CLOSED_BEFORE_LAST = range(23, 28)
"""On these days before the last, `CLOSED_ROAD` was closed: no vehicle passed, and its neighbours carried more."""
CLOSED_ROAD = "JCKapteynlaan"
CLOSURE_NEIGHBOURS = ("Bedumerweg", "PetrusCampersingel")
CLOSURE_FACTOR = 1.25

WORKS_BEFORE_LAST = range(36, 47)
"""On these days before the last, `WORKS_SITES` had road works: slower, and less traffic."""
WORKS_SITES = ("PGR08_Hereweg_N_HTN2228", "PGR08_Hereweg_Z_HTN2228")
WORKS_SPEED_FACTOR = 0.7
WORKS_FLOW_FACTOR = 0.85

MEASURE_STARTS_BEFORE_LAST = 27
"""So many days before the last, a measure began at `MEASURE_SITES` that takes `1 - MEASURE_FACTOR` of the traffic away, for good."""
MEASURE_SITES = (
    "PGR08_Rijksstraatweg_NW_HTN2258",
    "PGR08_Rijksstraatweg_N_HTN2257",
    "PGR08_Rijksstraatweg_N_HTN2265",
    "PGR08_Rijksstraatweg_ZO_HTN2258",
    "PGR08_Rijksstraatweg_Z_HTN2257",
    "PGR08_Rijksstraatweg_Z_HTN2265",
)
MEASURE_FACTOR = 0.88

CONGESTED_SITES = ("PGR08_G460_Griffeweg_W_HTN2252", "PGR08_Zuiderpark_O_HTN2251")
"""Both lead to the Oosterbrug, where traffic jams in `CONGESTED_HOURS` of nearly every working day."""
CONGESTED_HOURS = (16, 17)
CONGESTED_SHARE = 0.9
JAMMED_SITES = ("PGR08_Aweg_NO_HTN2245", "PGR08_Westersingel_Z_HTN2244")
"""Both lead to the Westerhaven, where traffic jammed in `JAMMED_HOURS` of a few days only, without a known cause."""
JAMMED_BEFORE_LAST = (12, 19, 31)
JAMMED_HOURS = (7, 8)
QUEUE_SPEED_FACTOR = 0.42
QUEUE_FLOW_FACTOR = 0.9
"""What a queue makes of speed and flow: fewer vehicles get through than would without it."""

MATCH_EXAMPLE = date(2026, 3, 7)
"""A Saturday with a match; there is one every `MATCH_EVERY_DAYS`, whatever days the city covers."""
MATCH_EVERY_DAYS = 14
MATCH_HOURS = (18, 19, 22)
"""Local hours in which visitors come and go; the match itself is from 20:00 to 22:00."""
MATCH_SITES = (
    "PGR08_EUROPAWEG_NW_HTN2230",
    "PGR08_EUROPAWEG_ZO_HTN2231",
    "PGR08_Europaweg_NW_v2_HTN2266",
    "PGR08_Europaweg_ZO_v2_HTN2229",
)
MATCH_FACTOR = 1.8

GROWING_SITE = "PGR08_SintPetersburgweg_NO_HTN2261"
GROWTH_PER_WEEK = 0.03
"""Traffic at `GROWING_SITE` grows by this share from week to week, until the last day; it was never below `LEAST_SHARE`."""
LEAST_SHARE = 0.2

MOST_VEHICLES = 150
"""Vehicles that pass one detector in five minutes at most (1,800 an hour)."""

# Vehicles per hour on a usual lane of a city street, by local hour.
_WEEKDAY = (40, 22, 14, 9, 10, 26, 102, 285, 410, 340, 330, 340, 356, 366, 390, 405, 445, 450, 380, 325, 255, 220, 180, 100)
_FREE_DAY = (55, 40, 28, 20, 20, 32, 55, 90, 150, 215, 275, 310, 325, 330, 325, 305, 285, 250, 210, 165, 135, 110, 85, 60)
_DAY_SPREAD = 0.02
_MOST_PER_HOUR = 1_700.0
# Traffic lights let vehicles through in groups, so counts vary more than chance alone would make them.
_GROUPING = 0.1

# Traffic towards the centre is heavier in the morning, traffic from it in the evening.
_TIDE = (0.0, 0, 0, 0, 0, 0.2, 0.6, 1, 1, 0.6, 0.1, 0, 0, 0, -0.1, -0.4, -0.9, -1, -0.6, -0.2, 0, 0, 0, 0)
_MOST_TIDE = 0.22
_CENTRE = (6.567, 53.217)
_KM_PER_LATITUDE_DEGREE, _KM_PER_LONGITUDE_DEGREE = 111.2, 66.7

_RING = re.compile(r"_N(370|46)_")
_PROVINCIAL = re.compile(r"_N(355|360|361|860)_|Meerweg")
# Share of a city street's flow per lane, flow at which a lane is full, and free speed: mean and spread (km/h).
_KINDS = {"ring": (2.0, 1_800, 77.0, 5.0), "provincial": (1.3, 1_500, 80.0, 5.0), "street": (0.9, 900, 50.0, 8.0)}
_SLOWING = 0.45
_LEAST_OF_FREE_SPEED = 0.45
_LEAST_SPEED = 8.0

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Passing:
    """One day of one city: arrays of detectors (in order of site and lane) by intervals.

    Args:
        seconds: Start of each interval on the local clock, in seconds after midnight.
        expected: Vehicles per hour to be expected.
        vehicles: Vehicles that passed.
        speed: Their mean speed (km/h); where none passed, 0.
    """

    seconds: Integers
    expected: Floats
    vehicles: Integers
    speed: Floats


class TrafficWorld:
    """The roads of one city. Arrays are in the order of `detectors`."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.sites = [site for site in city.sites for _ in site.detectors]
        self.detectors = [detector for site in city.sites for detector in site.detectors]
        kinds = np.array([_KINDS[_kind(site)] for site in self.sites])
        chance = generator(city, "detectors")
        spread = np.exp(0.32 * chance.standard_normal(len(self.sites)))
        self.strength = kinds[:, 0] * np.clip(spread, 0.45, 1.9)
        self.full = kinds[:, 1]
        self.free_speed = kinds[:, 2] + kinds[:, 3] * np.clip(chance.standard_normal(len(self.sites)), -2, 1.8)
        self._tide = np.array([_tide(site) for site in self.sites])

    def expected(self, day: date) -> tuple[Integers, Floats]:
        """Starts of the day's intervals (local seconds), and vehicles per hour to be expected at each detector in each."""
        seconds = clock_seconds(day, self.city.timezone)
        hour = (seconds + INTERVAL_S / 2) / 3600 - 0.5
        usual = np.interp(hour, np.arange(24), hourly_flow(day), period=24)
        tide = np.interp(hour, np.arange(24), _TIDE, period=24)
        of_day = 1 + _DAY_SPREAD * float(generator(self.city, "traffic of the day", day).standard_normal())
        flow = self.strength[:, None] * of_day * usual * (1 + self._tide[:, None] * tide)
        return seconds, np.minimum(flow * self._planted(day, seconds // 3600), _MOST_PER_HOUR)

    def passing(self, day: date) -> Passing:
        """What passes on a local day."""
        seconds, expected = self.expected(day)
        chance = generator(self.city, "passing", day)
        grouped = np.maximum(1 + _GROUPING * chance.standard_normal(expected.shape), 0)
        vehicles = np.minimum(chance.poisson(expected / 12 * grouped), MOST_VEHICLES)
        spread = np.sqrt(5 + 90 / np.maximum(vehicles, 1))
        speed = self.mean_speed(day, seconds // 3600, expected) + spread * chance.standard_normal(expected.shape)
        speed = np.where(vehicles > 0, np.round(np.maximum(speed, _LEAST_SPEED + vehicles / 10), 2), 0.0)
        return Passing(seconds, expected, vehicles, speed)

    def mean_speed(self, day: date, hours: Integers, flow: Floats) -> Floats:
        """Speed to be expected (km/h) at flows per detector in local hours: the fuller the lane, the slower."""
        slowed = np.maximum(1 - _SLOWING * flow / self.full[:, None], _LEAST_OF_FREE_SPEED)
        works = (
            self._at(WORKS_SITES) if days_before_last(self.city, day) in WORKS_BEFORE_LAST else np.zeros(len(self.sites), bool)
        )
        usual = self.free_speed * np.where(works, WORKS_SPEED_FACTOR, 1.0)
        in_queue = np.where(self._queued(day, hours), QUEUE_SPEED_FACTOR, 1.0)
        speed: Floats = usual[:, None] * slowed * in_queue
        return speed

    def _planted(self, day: date, hours: Integers) -> Floats:
        before_last = days_before_last(self.city, day)
        factor = np.ones((len(self.sites), hours.size))
        growth = max(LEAST_SHARE, (1 + GROWTH_PER_WEEK) ** (-before_last / 7))
        factor[self._at((GROWING_SITE,))] *= growth
        if before_last == DOUBLED_BEFORE_LAST:
            factor[self._on((DOUBLED_ROAD,))] *= 2
        if before_last in CLOSED_BEFORE_LAST:
            factor[self._on(CLOSURE_NEIGHBOURS)] *= CLOSURE_FACTOR
            factor[self._on((CLOSED_ROAD,))] = 0
        if before_last in WORKS_BEFORE_LAST:
            factor[self._at(WORKS_SITES)] *= WORKS_FLOW_FACTOR
        if before_last <= MEASURE_STARTS_BEFORE_LAST:
            factor[self._at(MEASURE_SITES)] *= MEASURE_FACTOR
        if is_match_day(day):
            factor[np.ix_(self._at(MATCH_SITES), np.isin(hours, MATCH_HOURS))] *= MATCH_FACTOR
        factor[self._queued(day, hours)] *= QUEUE_FLOW_FACTOR
        return factor

    def _queued(self, day: date, hours: Integers) -> npt.NDArray[np.bool_]:
        """Detectors by intervals: where traffic stands in a queue."""
        queued = np.zeros((len(self.sites), hours.size), dtype=bool)
        if is_congested_day(self.city, day):
            queued[np.ix_(self._at(CONGESTED_SITES), np.isin(hours, CONGESTED_HOURS))] = True
        if days_before_last(self.city, day) in JAMMED_BEFORE_LAST:
            queued[np.ix_(self._at(JAMMED_SITES), np.isin(hours, JAMMED_HOURS))] = True
        return queued

    def _at(self, ids: Iterable[str]) -> npt.NDArray[np.bool_]:
        wanted = set(ids)
        return self._where(lambda site: site.id in wanted)

    def _on(self, roads: Iterable[str]) -> npt.NDArray[np.bool_]:
        names = tuple(roads)
        return self._where(lambda site: any(name in site.id for name in names))

    def _where(self, holds: Callable[[Site], bool]) -> npt.NDArray[np.bool_]:
        return np.array([holds(site) for site in self.sites])


@lru_cache(maxsize=4)
def world_of(city: City) -> TrafficWorld:
    """The roads of a city; made once."""
    return TrafficWorld(city)


def intervals(city: City, day: date) -> pl.DataFrame:
    """What passed on a local day, before any detector went wrong.

    Returns:
        One row per detector and five minutes: `site_id`, `detector`, `seconds` (after local midnight), `local_hour`,
        `expected_veh_h`, `vehicles` (in five minutes), `speed_km_h` (null where no vehicle passed).
    """
    world = world_of(city)
    passing = world.passing(day)
    detectors, count = passing.vehicles.shape
    seconds = np.tile(passing.seconds, detectors)
    return pl.DataFrame(
        {
            "site_id": pl.Series([site.id for site in world.sites]).gather(np.repeat(np.arange(detectors), count)),
            "detector": pl.Series(world.detectors).gather(np.repeat(np.arange(detectors), count)),
            "seconds": seconds,
            "local_hour": seconds // 3600,
            "expected_veh_h": passing.expected.ravel(),
            "vehicles": passing.vehicles.ravel(),
            "speed_km_h": passing.speed.ravel(),
        }
    ).with_columns(pl.when(pl.col("vehicles") > 0).then("speed_km_h"))


def hourly_flow(day: date) -> Floats:
    """Vehicles per hour on a usual lane of a city street, for the 24 local hours of a day."""
    usual = np.array(_WEEKDAY, dtype=np.float64)
    if is_weekday(day):
        if is_school_holiday(day):
            usual[list(RUSH_HOURS)] *= SCHOOL_HOLIDAY_RUSH
        return usual
    free = np.array(_FREE_DAY, dtype=np.float64)
    share = SATURDAY_SHARE if day.isoweekday() == 6 and not is_public_holiday(day) else SUNDAY_SHARE
    flow: Floats = free * (share * usual.sum() / free.sum())
    return flow


def clock_seconds(day: date, timezone: ZoneInfo) -> Integers:
    """Starts of the intervals as local clock seconds.

    A clock that is put forward skips an hour of them; an hour that comes twice can be told only once in this clock.
    """
    midnight = datetime.combine(day, time())
    clock = [(seconds, midnight + timedelta(seconds=seconds)) for seconds in range(0, 86_400, INTERVAL_S)]
    there_and_back = [local.replace(tzinfo=timezone).astimezone(UTC).astimezone(timezone) for _, local in clock]
    return np.array([s for (s, local), back in zip(clock, there_and_back, strict=True) if back.replace(tzinfo=None) == local])


def days_before_last(city: City, day: date) -> int:
    """How many days before the city's last day a day is."""
    return (city.days[-1] - day).days


def is_match_day(day: date) -> bool:
    """Whether there is a match in the evening."""
    return (day - MATCH_EXAMPLE).days % MATCH_EVERY_DAYS == 0


def is_congested_day(city: City, day: date) -> bool:
    """Whether traffic jams at `CONGESTED_SITES`."""
    return is_weekday(day) and float(generator(city, "queue of the day", day).random()) < CONGESTED_SHARE


def is_weekday(day: date) -> bool:
    """Whether people go to work: Monday to Friday, and no public holiday."""
    return day.isoweekday() <= 5 and not is_public_holiday(day)


def is_public_holiday(day: date) -> bool:
    """Whether the law makes the day a holiday."""
    return day in _public_holidays(day.year)


def is_school_holiday(day: date) -> bool:
    """Whether schools in region north are closed, as far as the published list goes."""
    return any(first <= day <= last for first, last in _school_holidays())


@cache
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("NL", years=year))


@cache
def _school_holidays() -> tuple[tuple[date, date], ...]:
    with (REFERENCE / "school_holidays.csv").open(encoding="utf-8", newline="") as stream:
        north = [row for row in csv.DictReader(stream) if row["region"] == "noord"]
    return tuple((date.fromisoformat(row["first_on"]), date.fromisoformat(row["last_on"])) for row in north)


def _kind(site: Site) -> str:
    if _RING.search(site.id):
        return "ring"
    return "provincial" if _PROVINCIAL.search(site.id) else "street"


def _tide(site: Site) -> float:
    """How much a site's direction leads to the centre (positive) or away from it, at most `_MOST_TIDE`."""
    side = site.direction.lower()
    east = side.count("east") - side.count("west")
    north = side.count("north") - side.count("south")
    x = (_CENTRE[0] - site.longitude) * _KM_PER_LONGITUDE_DEGREE
    y = (_CENTRE[1] - site.latitude) * _KM_PER_LATITUDE_DEGREE
    lengths = float(np.hypot(east, north) * np.hypot(x, y))
    return _MOST_TIDE * (east * x + north * y) / lengths if lengths else 0.0
