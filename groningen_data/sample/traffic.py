"""Traffic payloads: the register of sites, loop counts per day, and a quarter of an hour of DATEX II with its site table.

What passes is decided in `traffic_world`, what the national feed says of it in `traffic_feed`; the faults of loops are planted
here. All are listed in `docs/sample-city.md`.
"""

import gzip
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl

from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City, Site
from groningen_data.sample.traffic_feed import (
    CLASSES,
    DEAD_DETECTOR,
    any_vehicle_indexes,
    measured_at,
    minute_of,
    publication,
    site_table,
)
from groningen_data.sample.traffic_world import MOST_VEHICLES, Integers, days_before_last, world_of
from groningen_data.sample.wire import Payloads, json_bytes, packed

POISONED_BEFORE_LAST = 5
"""So many days before the last, a firmware fault spoiled the loops."""
FAULTY_EVERY = 3
"""On that day, every so many-th detector is faulty."""
BAD_ROWS = 40
INFINITE_ROWS = 3

STUCK_DETECTOR = "PGR08_Stationsweg_W_HTN2250_2"
STUCK_BEFORE_LAST = range(6, 13)
"""On these days before the last, `STUCK_DETECTOR` repeats one and the same reading, day and night."""
STUCK_VEHICLES = 31
STUCK_SPEED = 41.5

DRIFTING_DETECTOR = "PGR08_LaanCorpusDenHoorn_O_HTN2221_2"
DRIFTS_BEFORE_LAST = 20
DRIFT_PER_DAY = 0.025
"""From so many days before the last, `DRIFTING_DETECTOR` misses this share of the vehicles more each day."""

PUBLICATIONS = 15
"""Publications of the feed, one a minute; the last is that of `LAST_PUBLICATION` (UTC), on the last day."""
LAST_PUBLICATION = time(7, 42)


def payloads(city: City) -> Payloads:
    """Register, loop counts per day, and the site table and the publications of the last day."""
    yield "traffic/ndw_measurement_locations.json.gz", packed(json_bytes(_register(city.sites), compact=True))
    for day in city.days:
        yield f"traffic/loops_{day}.csv.gz", _packed_fast(loops(city, day).write_csv().encode())
    day = city.days[-1]
    yield f"traffic/measurement_{day}.xml.gz", _packed_fast(site_table(city, publications_on(day)[0]).encode())
    for at in publications_on(day):
        name = f"traffic/ndw_trafficspeed_{at:%Y-%m-%dT%H%M}Z.xml.gz"
        yield name, _packed_fast(publication(city, at).encode())


def _packed_fast(data: bytes) -> bytes:
    # The fastest level: the files of two months are packed while somebody waits for them.
    return gzip.compress(data, compresslevel=1, mtime=0)


def loops(city: City, day: date) -> pl.DataFrame:
    """The loops of a local day as they are delivered, faults and all.

    Returns:
        day, interval (seconds after local midnight), detid, flow (vehicles per hour, as text), occ, error, city, speed.
    """
    world = world_of(city)
    passing = world.passing(day)
    vehicles, speed = passing.vehicles.copy(), passing.speed.copy()
    dead, stuck = (world.detectors.index(detector) for detector in (DEAD_DETECTOR, STUCK_DETECTOR))
    before_last = days_before_last(city, day)
    if before_last in STUCK_BEFORE_LAST:
        vehicles[stuck], speed[stuck] = STUCK_VEHICLES, STUCK_SPEED
    if before_last < DRIFTS_BEFORE_LAST:
        drifting = world.detectors.index(DRIFTING_DETECTOR)
        seen = 1 - DRIFT_PER_DAY * (DRIFTS_BEFORE_LAST - before_last)
        vehicles[drifting] = generator(city, "drift of a detector", day).binomial(vehicles[drifting], seen)
        speed[drifting] = np.where(vehicles[drifting] > 0, speed[drifting], 0.0)
    flow = vehicles * 12.0
    with np.errstate(divide="ignore", invalid="ignore"):
        occupancy = np.where(vehicles > 0, np.round(flow / speed, 6), 0.0)
    error = np.zeros(vehicles.shape, dtype=bool)
    error[dead] = True

    chance = generator(city, "faults of loops", day)
    sound = np.ones(vehicles.shape, dtype=bool)
    sound[[dead, stuck]] = False
    bad = np.zeros(vehicles.shape, dtype=bool)
    if before_last == POISONED_BEFORE_LAST:
        bad[::FAULTY_EVERY] = True
        bad &= sound
    else:
        bad.ravel()[chance.choice(np.flatnonzero(sound), BAD_ROWS, replace=False)] = True
    infinite = chance.choice(np.flatnonzero(sound & ~bad & (vehicles > 0)), INFINITE_ROWS, replace=False)
    occupancy.ravel()[infinite], error.ravel()[infinite], speed.ravel()[infinite] = np.inf, True, 0.0

    detectors, intervals = vehicles.shape
    return pl.DataFrame(
        {
            "day": pl.repeat(str(day), vehicles.size, eager=True),
            "interval": np.tile(passing.seconds, detectors),
            "detid": pl.Series(world.detectors).gather(np.repeat(np.arange(detectors), intervals)),
            "flow": _FLOW_TEXTS.gather(_which_text(vehicles, bad, chance)),
            "occ": occupancy.ravel(),
            "error": pl.Series(error.ravel()).replace_strict({True: 1.0, False: None}, return_dtype=pl.Float64),
            "city": pl.repeat("groningen", vehicles.size, eager=True),
            "speed": speed.ravel(),
        }
    )


# Every text that column `flow` can hold: flows, then what a spoiled row says instead.
_BAD_TEXTS = [f"ERR-{code}" for code in range(1, 10)] + [f"-{12.0 * n}" for n in range(1, 21)]
_FLOW_TEXTS = pl.Series([str(12.0 * n) for n in range(MOST_VEHICLES + 1)] + _BAD_TEXTS)


def _which_text(
    vehicles: Integers, bad: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], chance: np.random.Generator
) -> Integers:
    which = vehicles.ravel().copy()
    which[bad.ravel()] = MOST_VEHICLES + 1 + chance.integers(0, len(_BAD_TEXTS), int(bad.sum()))
    return which


def publications_on(day: date) -> list[datetime]:
    """The minutes of the publications of a day, in order."""
    last = datetime.combine(day, LAST_PUBLICATION, UTC)
    return [last - timedelta(minutes=n) for n in reversed(range(PUBLICATIONS))]


def measured(city: City) -> pl.DataFrame:
    """What the publications of the last day say in all, read with the site table.

    Returns:
        One row per reading: site_id, lane (from 1), measured_at (UTC), length_class (1 to 5; null: any vehicle),
        flow_veh_h, speed_km_h (-1: no vehicle), and is_data_error.
    """
    rows = []
    for published_at in publications_on(city.days[-1]):
        detector = 0
        for position, site in enumerate(city.sites):
            at = measured_at(position, published_at)
            minute = minute_of(city, at)
            for lane, name in enumerate(site.detectors, start=1):
                counts, speeds = minute.vehicles[detector].tolist(), minute.speed[detector].tolist()
                for n, (vehicles, speed) in enumerate(zip(counts, speeds, strict=True)):
                    length_class = None if n == CLASSES else n + 1
                    rows.append((site.id, lane, at, length_class, vehicles * 60, speed, name == DEAD_DETECTOR))
                detector += 1
    columns = ("site_id", "lane", "measured_at", "length_class", "flow_veh_h", "speed_km_h", "is_data_error")
    return pl.DataFrame(rows, schema=columns, orient="row")


def _register(sites: Sequence[Site]) -> dict[str, object]:
    return {
        site.id: {
            "c": [site.longitude, site.latitude],
            "n": site.name,
            "side": site.direction,
            "lanes": site.lanes,
            "m": [[lane, *any_vehicle_indexes(site, lane)] for lane in range(1, site.lanes + 1)],
        }
        for site in sites
    }
