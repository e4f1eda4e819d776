"""What really happens to the sample's containers: how full each is at every hour, and when it is emptied.

This is the truth from which the payloads are made; no payload is made here. A day needs at most the `LONGEST_WAIT` days
before it, so it is the same however many days the city covers.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from groningen_data.sample import fleet
from groningen_data.sample.chance import generator
from groningen_data.sample.containers import FRACTIONS, containers
from groningen_data.sample.facts import City

__all__ = ["WasteWorld", "containers", "emptyings", "fill", "world_of"]

OVERFULL_PCT = 100.0
"""From here on nothing fits any more: waste is put beside the container, and reported."""
FULLEST_PCT = 115.0
"""Waste piles up above the rim up to here."""
SKIPPED_DISTRICT = "WK001404"
SKIPPED_BEFORE_LAST = 6
"""So many days before the last, the round of residual waste in `SKIPPED_DISTRICT` (Oosterparkwijk) was not driven."""
MARKET_NEIGHBOURHOOD = "BU00140000"
MARKET_WEEKDAYS = (2, 5, 6)
MARKET_FACTOR = 1.3
"""Inflow in `MARKET_NEIGHBOURHOOD` on market days, times that of other days."""
LONGEST_WAIT = 14
"""Days between two emptyings at most: a week, and a skipped round."""

# Inflow per local hour and weekday (Monday first), as shares of a mean hour and day; glass is brought away at weekends.
_HOURS = (30, 20, 15, 15, 20, 50, 120, 220, 300, 340, 360, 340, 350, 350, 340, 330, 340, 360, 380, 320, 220, 150, 90, 50)
_WEEK = (1.05, 0.95, 0.95, 0.95, 1.0, 1.12, 0.98)
_WEEK_GLASS = (1.15, 0.85, 0.85, 0.85, 0.95, 1.3, 1.05)
_DAY_SPREAD = 0.25
_BURSTS = 2.0

# Kilograms in a cubic metre of a full container, and the spread of its logarithm.
_DENSITIES = {"RESTAFVAL": 78, "PAPIER": 55, "GLAS": 270, "PLASTIC": 24, "GFT": 190, "TEXTIEL": 90}
_DENSITY_SPREAD = 0.09

_FIRST_MINUTE = 6 * 60 + 30
_ROUND_MINUTES = 510
_LONGEST_STOP = 12

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Day:
    """What one local day brings to every container, whatever was in it before.

    Args:
        hours: Starts of the day's hours (UTC); 23 or 25 when the clock changes.
        local_hours: The same on the local clock.
        before: Inflow of the day until the start of each hour, per container (percent of its room).
        total: Inflow of the whole day.
        emptied: Which containers are emptied.
        minute: Local minute of the day at which they are.
        until_emptied: Inflow of the day until then.
    """

    hours: tuple[datetime, ...]
    local_hours: tuple[int, ...]
    before: Floats
    total: Floats
    emptied: Flags
    minute: npt.NDArray[np.int64]
    until_emptied: Floats

    @cached_property
    def hour_emptied(self) -> npt.NDArray[np.int64]:
        """Position of the hour in which each container would be emptied."""
        return np.searchsorted(np.array(self.local_hours), self.minute // 60)


class WasteWorld:
    """The containers of one city through time. Arrays are in the order of `containers(city)`."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.frame = containers(city)
        self.codes: npt.NDArray[Any] = self.frame["container_code"].to_numpy()
        self._kinds = np.array([FRACTIONS.index(name) for name in self.frame["fraction_name"]])
        self._rates = self.frame["rate_pct_per_day"].to_numpy()
        self._residue = generator(city, "residue").random(self.frame.height) * 3
        self._skipped = (self.frame["district_code"] == SKIPPED_DISTRICT).to_numpy() & (self._kinds == 0)
        self._market = (self.frame["neighbourhood_code"] == MARKET_NEIGHBOURHOOD).to_numpy()
        weeks = [[day in week for day in range(1, 8)] for week in self.frame["emptied_on"].to_list()]
        self._emptied_on: Flags = np.array(weeks, dtype=bool)
        self.vehicles = self._driven_by()
        self._minutes = np.stack([self._round(weekday) for weekday in range(1, 8)])
        self._known: OrderedDict[date, _Day] = OrderedDict()

    def hours(self, day: date) -> tuple[datetime, ...]:
        """Starts of the hours of a local day (UTC)."""
        return self._day(day).hours

    def local_hours(self, day: date) -> tuple[int, ...]:
        """The same on the local clock."""
        return self._day(day).local_hours

    def fill_pct(self, day: date) -> Floats:
        """How full each container is at the start of each hour of a local day: containers × hours."""
        of_day, start = self._day(day), self._at_start(day)
        level = start[:, None] + of_day.before
        later = np.arange(len(of_day.hours))[None, :] > of_day.hour_emptied[:, None]
        emptied = of_day.emptied[:, None] & later
        since = self._residue[:, None] + of_day.before - of_day.until_emptied[:, None]
        return _piled(np.where(emptied, since, level))

    def inflow_pct(self, day: date) -> Floats:
        """What comes into each container on a local day, also beside it once it is full (percent of its room)."""
        return self._day(day).total

    def emptied(self, day: date) -> pl.DataFrame:
        """The emptyings of a local day, in the order of each vehicle's round."""
        of_day = self._day(day)
        position = np.flatnonzero(of_day.emptied)
        chance = generator(self.city, "weights", day)
        spread = np.exp(_DENSITY_SPREAD * chance.standard_normal(self.frame.height))[position]
        before = _piled(self._at_start(day) + of_day.until_emptied)[position]
        density = np.array([_DENSITIES[name] for name in FRACTIONS])[self._kinds[position]]
        room_m3 = self.frame["capacity_l"].to_numpy()[position] / 1000
        midnight = datetime.combine(day, time())
        clock = [midnight + timedelta(minutes=int(minute)) for minute in of_day.minute[position]]
        return (
            self.frame[position]
            .select("container_code", "cluster_code", "location_name", "fraction_name", "capacity_l", "longitude", "latitude")
            .with_columns(
                self.frame["neighbourhood_code"][position],
                pl.Series("vehicle_code", self.vehicles[position]),
                pl.Series("emptied_at", [c.replace(tzinfo=self.city.timezone).astimezone(UTC) for c in clock]),
                pl.Series("emptied_at_local", clock, pl.Datetime("us")),
                pl.Series("fill_pct", before),
                pl.Series("weight_kg", before / 100 * room_m3 * density * spread),
            )
            .sort("vehicle_code", "emptied_at", "container_code")
        )

    def _day(self, day: date) -> _Day:
        found = self._known.get(day)
        if found is None:
            found = self._known[day] = self._made(day)
            if len(self._known) > 3 * LONGEST_WAIT:
                self._known.popitem(last=False)
        return found

    def _made(self, day: date) -> _Day:
        hours, local_hours = _hours_of(day, self.city)
        chance = generator(self.city, "inflow", day)
        size = self.frame.height
        strength = np.exp(_DAY_SPREAD * chance.standard_normal(size) - _DAY_SPREAD**2 / 2)
        week = np.where(self._kinds == FRACTIONS.index("GLAS"), _WEEK_GLASS[day.weekday()], _WEEK[day.weekday()])
        market = np.where(self._market & (day.isoweekday() in MARKET_WEEKDAYS), MARKET_FACTOR, 1.0)
        profile = np.array(_HOURS, float)[list(local_hours)] / sum(_HOURS)
        bursts = chance.standard_gamma(_BURSTS, (size, len(hours)), dtype=np.float32) / _BURSTS
        inflow = (self._rates * strength * week * market)[:, None] * profile[None, :] * bursts
        through = np.cumsum(inflow, axis=1)
        late = chance.integers(0, 20, len(fleet.VEHICLES))
        of_vehicle = {vehicle.code: int(minutes) for vehicle, minutes in zip(fleet.VEHICLES, late, strict=True)}
        minute = self._minutes[day.weekday()] + np.array([of_vehicle[code] for code in self.vehicles])
        column = np.searchsorted(np.array(local_hours), minute // 60)
        rows = np.arange(size)
        before = through - inflow
        return _Day(
            hours,
            local_hours,
            before,
            through[:, -1],
            self._driven(day),
            minute,
            before[rows, column] + inflow[rows, column] * (minute % 60) / 60,
        )

    def _driven(self, day: date) -> Flags:
        """Which containers are emptied on a day: as planned, except for the skipped round."""
        planned = self._emptied_on[:, day.weekday()]
        if day != self.city.days[-1] - timedelta(days=SKIPPED_BEFORE_LAST):
            return planned
        driven: Flags = planned & ~self._skipped
        return driven

    def _at_start(self, day: date) -> Floats:
        """What is in each container at midnight: everything since its last emptying."""
        level = np.zeros(self.frame.height)
        waiting = np.ones(self.frame.height, dtype=bool)
        for ago in range(1, LONGEST_WAIT + 1):
            of_day = self._day(day - timedelta(days=ago))
            since = self._residue + of_day.total - of_day.until_emptied
            level += np.where(waiting, np.where(of_day.emptied, since, of_day.total), 0)
            waiting &= ~of_day.emptied
            if not waiting.any():
                break
        return level

    def _driven_by(self) -> npt.NDArray[Any]:
        """The vehicle of each container: those of its fraction share the city, and the week's emptyings evenly."""
        codes = np.empty(self.frame.height, dtype=object)
        for kind, name in enumerate(FRACTIONS):
            of_kind = np.flatnonzero(self._kinds == kind)
            until = np.cumsum(self._emptied_on[of_kind].sum(axis=1))
            vehicles = np.array([vehicle.code for vehicle in fleet.serving(name)], dtype=object)
            codes[of_kind] = vehicles[(until - 1) * len(vehicles) // until[-1]]
        return codes

    def _round(self, weekday: int) -> npt.NDArray[np.int64]:
        """Local minute of the day at which each container is reached, if its vehicle empties it on this weekday."""
        minutes = np.full(self.frame.height, _FIRST_MINUTE)
        for vehicle in fleet.VEHICLES:
            stops = np.flatnonzero((self.vehicles == vehicle.code) & self._emptied_on[:, weekday - 1])
            if stops.size:
                step = min(_LONGEST_STOP, _ROUND_MINUTES / stops.size)
                minutes[stops] = _FIRST_MINUTE + (np.arange(stops.size) * step).astype(int)
        return minutes


@lru_cache(maxsize=2)
def world_of(city: City) -> WasteWorld:
    """The waste world of a city; made once."""
    return WasteWorld(city)


def fill(city: City, day: date) -> pl.DataFrame:
    """How full every container truly is, sensor or not: container_code, hour_start_at (UTC), fill_pct."""
    world = world_of(city)
    hours = world.hours(day)
    return pl.DataFrame(
        {
            "container_code": np.repeat(world.codes, len(hours)),
            "hour_start_at": pl.Series(list(hours) * len(world.codes), dtype=pl.Datetime("us", "UTC")),
            "fill_pct": world.fill_pct(day).ravel(),
        }
    )


def emptyings(city: City, day: date) -> pl.DataFrame:
    """Every emptying of a local day: container, vehicle, emptied_at (UTC), fill_pct just before, true weight_kg and place."""
    return world_of(city).emptied(day)


def _piled(level: Floats) -> Floats:
    """Above the rim waste piles up more and more slowly, never beyond `FULLEST_PCT`."""
    room = FULLEST_PCT - OVERFULL_PCT
    over = np.maximum(level - OVERFULL_PCT, 0)
    return np.minimum(level, OVERFULL_PCT) + room * (1 - np.exp(-over / room))


def _hours_of(day: date, city: City) -> tuple[tuple[datetime, ...], tuple[int, ...]]:
    start, end = (datetime.combine(d, time(), city.timezone).astimezone(UTC) for d in (day, day + timedelta(days=1)))
    hours = tuple(start + timedelta(hours=n) for n in range(round((end - start).total_seconds() / 3600)))
    return hours, tuple(hour.astimezone(city.timezone).hour for hour in hours)
