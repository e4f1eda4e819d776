"""Inspections at containers (schouw): whether waste stands beside them, per month as the municipality's own contract has it.

Whether there is anything depends on how full the container is at that hour (`waste_world`). The patterns planted here are
listed in `docs/sample-city.md`.
"""

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from random import Random

import numpy as np

from groningen_data.sample.facts import City
from groningen_data.sample.waste_world import OVERFULL_PCT, WasteWorld, world_of
from groningen_data.sample.wire import Payloads

USUAL_BESIDE = 0.06
"""Chance of waste beside a container that has room."""
ALARM_BESIDE = 0.25
"""The same from the container's alarm limit on."""
OVERFULL_BESIDE = 0.60
"""The same when nothing fits any more."""
BULKY_DISTRICT = "WK001401"
"""On the first weekend of a month people move house here (Oud-Zuid): bulky waste at `BULKY_MOVING` of the containers."""
BULKY_MOVING = 0.70
BULKY_USUAL = 0.06
BUILDING_SITE = (6.5536, 53.2255)
BUILDING_REACH_M = 250
BUILDING_BEFORE_LAST = range(21)
"""Dwellings are renovated here (Noorderplantsoenbuurt) from so many days before the last: builders' waste stands beside the containers
within `BUILDING_REACH_M`, at `BUILDING_BESIDE` of the inspections."""
BUILDING_BESIDE = 0.30
INSPECTIONS = (130, 170)
AT_MOVING = 60
"""Of the inspections of such a day, so many are in that district."""
NO_CONTAINER = 3
"""Inspections a day of places without a container."""
BAD_TIME_ON = 10
"""On this day of the month one inspection has a time that does not exist."""
DOUBLED_ON = 12
"""On this day of the month one inspection is listed twice, word for word."""

_HEADER = "schouwnummer;containercode;tijdstip;breedtegraad;lengtegraad;bijplaatsing;grofvuil_stuks;oorzaak;opmerking_code"
_FROM_H, _UNTIL_H = 8, 17
_AWAY = 0.0008
_NEAR = 0.00007
_REMARKS = ("", "", "", "", "", "", "", "A1", "A2", "B1")


def payloads(city: City) -> Payloads:
    """One file per month, with the days of the sample in it."""
    months: dict[str, list[str]] = defaultdict(list)
    for day in city.days:
        months[f"{day:%Y-%m}"] += _inspected(city, day)
    for month, lines in months.items():
        yield f"waste/inspections_{month}.csv", ("\n".join([_HEADER, *lines]) + "\n").encode()


def is_moving_day(day: date) -> bool:
    """Whether a day is in the first weekend of its month (the first Saturday, and the Sunday after it)."""
    return (day.isoweekday() == 6 and day.day <= 7) or (day.isoweekday() == 7 and 2 <= day.day <= 8)


def is_near_building_site(city: City, day: date, world: WasteWorld, place: int) -> bool:
    """Whether dwellings are renovated near a container on a day."""
    if (city.days[-1] - day).days not in BUILDING_BEFORE_LAST:
        return False
    (longitude, latitude), metres = BUILDING_SITE, (66_650, 111_320)
    east, north = (
        (world.frame[place, "longitude"] - longitude) * metres[0],
        (world.frame[place, "latitude"] - latitude) * metres[1],
    )
    return bool(east**2 + north**2 <= BUILDING_REACH_M**2)


def _inspected(city: City, day: date) -> list[str]:
    random = city.random("inspections", day)
    world = world_of(city)
    fill = world.fill_pct(day)
    lines = []
    for number, place in enumerate(_places(world, day, random), start=1):
        clock = datetime.combine(day, time()) + timedelta(seconds=random.randrange(_FROM_H * 3600, _UNTIL_H * 3600))
        full = float(fill[place, world.local_hours(day).index(clock.hour)])
        bulky = random.randint(1, 4) if random.random() < _bulky(world, day, place) else 0
        beside = bulky > 0 or random.random() < _beside(full, world, place)
        cause = _cause(bulky, full, random) if beside else ""
        if not bulky and is_near_building_site(city, day, world, place) and random.random() < BUILDING_BESIDE:
            beside, cause = True, "bouwafval"
        is_away = number <= NO_CONTAINER
        error = _AWAY if is_away else _NEAR
        latitude, longitude = (world.frame[place, name] + random.uniform(-error, error) for name in ("latitude", "longitude"))
        fields = (
            f"S{day:%Y%m%d}-{number:03d}",
            "" if is_away else world.frame[place, "container_code"],
            f"{day:%Y-%m}-32T10:00:00" if day.day == BAD_TIME_ON and number == NO_CONTAINER + 1 else clock.isoformat(),
            f"{latitude:.6f}",
            f"{longitude:.6f}",
            "ja" if beside else "nee",
            str(bulky),
            cause,
            random.choice(_REMARKS),
        )
        lines.append(";".join(fields))
    return lines + lines[-1:] if day.day == DOUBLED_ON else lines


def _places(world: WasteWorld, day: date, random: Random) -> list[int]:
    """Positions of the containers that are inspected: anywhere, and on moving days many in one district."""
    count = random.randint(*INSPECTIONS)
    if not is_moving_day(day):
        return random.sample(range(world.frame.height), count)
    is_there = (world.frame["district_code"] == BULKY_DISTRICT).to_numpy()
    there, elsewhere = np.flatnonzero(is_there).tolist(), np.flatnonzero(~is_there).tolist()
    return random.sample(elsewhere, count - AT_MOVING) + random.sample(there, AT_MOVING)


def _bulky(world: WasteWorld, day: date, place: int) -> float:
    moving = is_moving_day(day) and world.frame[place, "district_code"] == BULKY_DISTRICT
    return BULKY_MOVING if moving else BULKY_USUAL


def _beside(full: float, world: WasteWorld, place: int) -> float:
    if full >= OVERFULL_PCT:
        return OVERFULL_BESIDE
    return ALARM_BESIDE if full >= world.frame[place, "alarm_pct"] else USUAL_BESIDE


def _cause(bulky: int, full: float, random: Random) -> str:
    if bulky:
        return "grofvuil"
    if full >= OVERFULL_PCT:
        return random.choices(("vol", "onbekend"), (85, 15))[0]
    return random.choices(("onbekend", "vol", "bouwafval"), (60, 25, 15))[0]
