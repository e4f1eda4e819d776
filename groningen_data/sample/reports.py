"""Daily snapshots of open public-space reports, as a Signalen installation lists them. Reports are made up, and so are their ids.

The patterns planted here are listed in `docs/sample-city.md`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from groningen_data.sample.facts import City, Neighbourhood
from groningen_data.sample.geography import Ring, point_in
from groningen_data.sample.wire import Payloads, json_bytes, packed

MARKET_NEIGHBOURHOOD = "BU00140000"
MARKET_WEEKDAYS = (2, 5, 6)
MARKET_DAY_REPORTS = 9
OTHER_DAY_REPORTS = 2
OUTSIDE_REPORTS = 2
STUCK_LAMPS = 12

_INNER_CITY = "WK001400"
_OUTSIDE = ((6.42, 53.10), (6.51, 53.34), (6.80, 53.10))
_WARM_UP_DAYS = 60
_SHORTEST_OPEN_H = 30
_LONGER_OPEN_H = 150

Category = tuple[str, str, str, str]


_WASTE: dict[Category, int] = {
    ("Afval", "afval", "Dumping", "dumping"): 22,
    ("Afval", "afval", "Container", "container"): 20,
    ("Afval", "afval", "Minicontainer", "minicontainer"): 10,
    ("Afval", "afval", "Veeg en zwerfvuil", "veeg-en-zwerfvuil"): 8,
    ("Afval", "afval", "Overig Afval", "overig-afval"): 6,
    ("Afval", "afval", "Gevaarlijk afval", "gevaarlijk-afval"): 4,
    ("Afval", "afval", "Afvalbak", "afvalbak"): 3,
}
_LAMP: Category = (
    "Wegen, verkeer en straatmeubilair",
    "wegen-verkeer-en-straatmeubilair",
    "Straatverlichting",
    "straatverlichting",
)
_OTHER: dict[Category, int] = {
    _LAMP: 8,
    (_LAMP[0], _LAMP[1], "Onveilige verkeerssituatie", "onveilige-verkeerssituatie"): 5,
    ("Openbaar groen en water", "openbaar-groen-en-water", "Snoeien", "snoeien"): 9,
    ("Openbaar groen en water", "openbaar-groen-en-water", "Boom", "boom"): 5,
    ("Overlast Openbare Ruimte", "overlast-openbare-ruimte", "Graffiti", "graffiti"): 4,
    ("Overlast Dier", "overlast-dier", "Hond", "hond"): 3,
    ("Riolering", "riolering", "Riool", "riool"): 2,
    ("overig", "overig", "overig", "overig"): 3,
}
_MARKET_WASTE: dict[Category, int] = {
    c: weight for c, weight in _WASTE.items() if c[3] in ("container", "veeg-en-zwerfvuil", "dumping")
}


@dataclass(frozen=True)
class _Report:
    created_at: datetime
    closes_at: datetime
    listed: Mapping[str, object]


def payloads(city: City, outlines: Mapping[str, Ring]) -> Payloads:
    """One list of open reports per day, newest report first."""
    still_open = list(_stuck_lamps(city, outlines))
    for day in (city.days[0] - timedelta(days=n) for n in range(_WARM_UP_DAYS, 0, -1)):
        still_open.extend(_made_on(city, outlines, day))
    for day in city.days:
        still_open.extend(_made_on(city, outlines, day))
        taken_at = _instant(day, city.random("snapshot", day), 7, 10)
        still_open = [r for r in still_open if r.closes_at > taken_at]
        listed = sorted((r for r in still_open if r.created_at < taken_at), key=lambda r: r.created_at, reverse=True)
        yield f"waste/open_reports/{day}.json.gz", packed(json_bytes([r.listed for r in listed]))


def _made_on(city: City, outlines: Mapping[str, Ring], day: date) -> Iterator[_Report]:
    """Everything reported on a local day."""
    random = city.random("reports", day)
    usual = random.randint(26, 34) if day.isoweekday() <= 5 else random.randint(18, 24)
    for _ in range(usual):
        yield _usual_report(city, outlines, day, random)
    market = day.isoweekday() in MARKET_WEEKDAYS
    at_market = next(n for n in city.neighbourhoods if n.code == MARKET_NEIGHBOURHOOD)
    for _ in range(MARKET_DAY_REPORTS if market else OTHER_DAY_REPORTS):
        created_at = _instant(day, random, 14, 17)
        yield _report(created_at, _one_of(_MARKET_WASTE, random), point_in(outlines[at_market.code], random), at_market, random)
    for _ in range(OUTSIDE_REPORTS):
        longitude, latitude = random.choice(_OUTSIDE)
        point = (round(longitude + random.random() / 100, 9), round(latitude + random.random() / 100, 9))
        yield _report(_instant(day, random), _one_of(_WASTE | _OTHER, random), point, None, random)
    for _ in range(random.randint(1, 2)):
        yield _report(_instant(day, random), _one_of(_WASTE | _OTHER, random), None, None, random)


def _usual_report(city: City, outlines: Mapping[str, Ring], day: date, random: Random) -> _Report:
    about_waste = random.random() < 0.6
    weights = [_weight(n, about_waste) for n in city.neighbourhoods]
    neighbourhood = random.choices(city.neighbourhoods, weights)[0]
    category = _one_of(_WASTE if about_waste else _OTHER, random)
    return _report(_instant(day, random), category, point_in(outlines[neighbourhood.code], random), neighbourhood, random)


def _weight(n: Neighbourhood, about_waste: bool) -> float:
    """Reports follow the people; waste is reported most in the inner city, and at the market only as planted."""
    people = (n.inhabitants or 0) + 100
    if not about_waste:
        return people
    if n.code == MARKET_NEIGHBOURHOOD:
        return 0
    return people * (6 if n.district_code == _INNER_CITY else 1)


def _stuck_lamps(city: City, outlines: Mapping[str, Ring]) -> Iterator[_Report]:
    """Reports about street lamps that nobody closes: in every snapshot of the sample."""
    random = city.random("stuck lamps")
    after = datetime.combine(city.days[-1] + timedelta(days=2), time(), UTC)
    for neighbourhood in random.sample(city.neighbourhoods, STUCK_LAMPS):
        day = city.days[0] - timedelta(days=random.randint(100, 300))
        point = point_in(outlines[neighbourhood.code], random)
        yield _report(_instant(day, random), _LAMP, point, neighbourhood, random, closes_at=after)


def _report(
    created_at: datetime,
    category: Category,
    point: tuple[float, float] | None,
    neighbourhood: Neighbourhood | None,
    random: Random,
    closes_at: datetime | None = None,
) -> _Report:
    # Longer than the longest time between two snapshots: every report is seen at least once.
    hours_open = _SHORTEST_OPEN_H + random.expovariate(1 / _LONGER_OPEN_H)
    main, slug, sub, sub_slug = category
    listed = {
        "id": f"{random.getrandbits(64):016x}",
        "lng": point[0] if point else None,
        "lat": point[1] if point else None,
        "category": main,
        "category_slug": slug,
        "subcategory": sub,
        "subcategory_slug": sub_slug,
        "created_at": _with_fraction(created_at),
        "wijk": neighbourhood.district_name if neighbourhood else "Buitengebied",
    }
    return _Report(created_at, closes_at or created_at + timedelta(hours=hours_open), listed)


def _instant(day: date, random: Random, from_h: int = 6, until_h: int = 20) -> datetime:
    """A UTC instant of `day`, to the microsecond, rarely with fewer digits: sources leave out closing zeros."""
    digits = random.choices((6, 5, 4, 3, 2), (88, 8, 2, 1, 1))[0]
    seconds = random.randrange(from_h * 3600, until_h * 3600)
    microseconds = random.randrange(10**digits) * 10 ** (6 - digits)
    return datetime.combine(day, time(), UTC) + timedelta(seconds=seconds, microseconds=microseconds)


def _with_fraction(instant: datetime) -> str:
    fraction = f"{instant.microsecond:06d}".rstrip("0").ljust(2, "0")
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{fraction}+00:00"


def _one_of(weights: Mapping[Category, int], random: Random) -> Category:
    return random.choices(list(weights), list(weights.values()))[0]
