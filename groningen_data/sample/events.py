"""Events, road works and closures of the sample city, as the municipality lists them.

What they do to traffic is decided in `traffic_world`, and to waste in `inspections`; this list tells of the same days and places. An
event that has no effect there is in the list as well, and so is one of which the place is not known yet.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import polars as pl

from groningen_data.sample.facts import City
from groningen_data.sample.inspections import BUILDING_BEFORE_LAST, BUILDING_SITE
from groningen_data.sample.traffic_world import (
    CLOSED_BEFORE_LAST,
    DOUBLED_BEFORE_LAST,
    WORKS_BEFORE_LAST,
    is_match_day,
)
from groningen_data.sample.wire import Payloads

AHEAD_DAYS = 28
"""The list looks so many days ahead of the last day."""
MATCH_NAME = "Voetbalwedstrijd in het stadion"
WITHOUT_PLACE = "Straatfeest, plaats volgt"
STADIUM = (6.592, 53.206)

_COLUMNS = ("nummer", "soort", "naam", "begin", "eind", "wegnaam", "breedtegraad", "lengtegraad", "hinder")
_EVENT, _WORKS, _CLOSURE = "evenement", "wegwerkzaamheden", "afsluiting"
_Row = tuple[str, str, datetime, datetime, str | None, tuple[float, float] | None, str]


def payloads(city: City) -> Payloads:
    """The list as one CSV (`;`), with times on the local clock."""
    yield "traffic/events.csv", events(city).write_csv(separator=";", datetime_format="%Y-%m-%dT%H:%M:%S").encode()


def events(city: City) -> pl.DataFrame:
    """Everything from the first day until `AHEAD_DAYS` after the last, and the planted days even when they came earlier.

    Returns:
        The columns of the list; begin and eind are naive local times, eind is the first moment at which it is over.
    """
    rows = sorted(_rows(city), key=lambda row: (row[2], row[1], row[4] or ""))
    of_day = Counter[str]()
    numbered = []
    for kind, name, begin, end, road, place, hindrance in rows:
        prefix = f"E{begin:%Y%m%d}"
        of_day[prefix] += 1
        longitude, latitude = place or (None, None)
        numbered.append((f"{prefix}-{of_day[prefix]}", kind, name, begin, end, road, latitude, longitude, hindrance))
    return pl.DataFrame(
        numbered,
        schema=dict.fromkeys(_COLUMNS, pl.String)
        | {"begin": pl.Datetime("us"), "eind": pl.Datetime("us"), "breedtegraad": pl.Float64, "lengtegraad": pl.Float64},
        orient="row",
    )


def _rows(city: City) -> Iterator[_Row]:
    first, last = city.days[0], city.days[-1]
    for n in range((last - first).days + AHEAD_DAYS + 1):
        day = first + timedelta(days=n)
        if is_match_day(day):
            begin = datetime.combine(day, time(20))
            yield _EVENT, MATCH_NAME, begin, begin + timedelta(hours=2), "Boumaboulevard", STADIUM, "matig"
    closed = _whole_days(last, CLOSED_BEFORE_LAST)
    yield _CLOSURE, "J.C. Kapteynlaan dicht: vernieuwing van het riool", *closed, "J.C. Kapteynlaan", (6.569, 53.2286), "ernstig"
    works = _whole_days(last, WORKS_BEFORE_LAST)
    yield _WORKS, "Hereweg: herstel van het asfalt, 30 km/h", *works, "Hereweg", (6.5733, 53.2071), "matig"
    doubled = _whole_days(last, range(DOUBLED_BEFORE_LAST, DOUBLED_BEFORE_LAST + 1))
    yield _WORKS, "Omleiding over het Damsterdiep", *doubled, "Damsterdiep", (6.5866, 53.2215), "matig"
    building = _whole_days(last, BUILDING_BEFORE_LAST)
    yield _WORKS, "Noorderplantsoenbuurt: renovatie van woningen", *building, "Kerklaan", BUILDING_SITE, "beperkt"
    fair = datetime.combine(last - timedelta(days=2), time(12))
    yield _EVENT, "Lentekermis", fair, fair + timedelta(days=9, hours=11), "Grote Markt", (6.568, 53.2185), "beperkt"
    party = datetime.combine(last + timedelta(days=13), time(14))
    yield _EVENT, WITHOUT_PLACE, party, party + timedelta(hours=6), None, None, "beperkt"
    ahead = datetime.combine(last + timedelta(days=8), time(7))
    yield (
        _WORKS,
        "Hoendiep: onderhoud aan de brug",
        ahead,
        ahead + timedelta(days=4, hours=10),
        "Hoendiep",
        (6.5438, 53.2135),
        "beperkt",
    )


def _whole_days(last: date, before_last: range) -> tuple[datetime, datetime]:
    begin, end = (datetime.combine(last - timedelta(days=n), time()) for n in (before_last[-1], before_last[0] - 1))
    return begin, end
