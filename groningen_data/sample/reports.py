"""Daily snapshots of open public-space reports, as a Signalen installation lists them. Reports are made up, and so are their ids.

Some follow from the city itself: containers that nothing fits into any more (`waste_world`) are reported. The patterns planted
here are listed in `docs/sample-city.md`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from math import exp, log
from random import Random

import numpy as np

from groningen_data.sample.chance import generator
from groningen_data.sample.containers import inside
from groningen_data.sample.facts import City, Neighbourhood
from groningen_data.sample.geography import Point, Ring, point_in
from groningen_data.sample.waste_world import MARKET_NEIGHBOURHOOD, MARKET_WEEKDAYS, OVERFULL_PCT, world_of
from groningen_data.sample.wire import Payloads, json_bytes, packed

__all__ = ["MARKET_NEIGHBOURHOOD", "MARKET_WEEKDAYS", "Report", "everything", "payloads", "snapshot_taken_at"]

MARKET_DAY_REPORTS = 9
OTHER_DAY_REPORTS = 2
OUTSIDE_REPORTS = 2
STUCK_LAMPS = 12
REPORTS_PER_OVERFULL_HOUR = 0.03
"""Reports to expect in each hour of `REPORTING_HOURS` in which a container is full to `OVERFULL_PCT` or more: at once, within
`REPORTED_WITHIN_M` metres, about `container` or `dumping`. Not in `MARKET_NEIGHBOURHOOD`, whose reports are planted."""
REPORTING_HOURS = range(7, 22)
REPORTED_WITHIN_M = 20

_INNER_CITY = "WK001400"
_OUTSIDE = ((6.42, 53.10), (6.51, 53.34), (6.80, 53.10))
_WARM_UP_DAYS = 60
_NEAR_DEGREES = (0.00018, 0.00012)

# Reports per weekday (Monday first) and hour (UTC): people report in the morning, and what they saw at the weekend on Monday.
_USUAL = (31, 28, 26, 23, 27, 17, 14)
_SPREAD = 3
_WASTE_SHARE = 0.43
_HOURS = {
    5: 3,
    6: 17,
    7: 35,
    8: 27,
    9: 15,
    10: 14,
    11: 14,
    12: 16,
    13: 16,
    14: 13,
    15: 5,
    16: 6,
    17: 5,
    18: 7,
    19: 5,
    20: 5,
    21: 3,
}


@dataclass(frozen=True)
class _Handling:
    """How long a report stays open after the first snapshot that has it (days): most a short time, some a long one."""

    short: float
    long: float
    long_share: float
    longest: float


_HANDLING = {"container": _Handling(0.9, 9, 0.12, 30), "dumping": _Handling(1.2, 10, 0.35, 30)}
_OTHER_WASTE = _Handling(0.9, 12, 0.15, 30)
_NOT_WASTE = _Handling(2.0, 28, 0.5, _WARM_UP_DAYS - 2)
_FULL_WARM_UP_DAYS = 32

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


_FULL: dict[Category, int] = {c: weight for c, weight in _WASTE.items() if c[3] in ("container", "dumping")}


@dataclass(frozen=True)
class Report:
    """What really happened to one report: when it was made and closed, and how lists show it."""

    created_at: datetime
    closes_at: datetime
    listed: Mapping[str, object]


def payloads(city: City, outlines: Mapping[str, Ring]) -> Payloads:
    """One list of open reports per day, newest report first; every report stands in one list at least."""
    maker = _Maker(city, outlines)
    still_open = list(maker.made_before())
    for day in city.days:
        still_open.extend(maker.made_on(day))
        taken_at = snapshot_taken_at(city, day)
        still_open = [r for r in still_open if r.closes_at > taken_at]
        listed = sorted((r for r in still_open if r.created_at < taken_at), key=lambda r: r.created_at, reverse=True)
        yield f"waste/open_reports/{day}.json.gz", packed(json_bytes([r.listed for r in listed]))


def everything(city: City, outlines: Mapping[str, Ring]) -> list[Report]:
    """Every report that the lists are made of, also those that stood in none, in order of when they were made."""
    maker = _Maker(city, outlines)
    made = [*maker.made_before(), *(report for day in city.days for report in maker.made_on(day))]
    return sorted(made, key=lambda r: (r.created_at, str(r.listed["id"])))


class _Maker:
    """Makes the reports of one city, day by day; the reports of a day are the same whichever other days are made."""

    def __init__(self, city: City, outlines: Mapping[str, Ring]) -> None:
        self.city, self.outlines = city, outlines
        self.areas = {n.code: n for n in city.neighbourhoods}
        self.weights = {
            about_waste: list(accumulate(_weight(n, about_waste) for n in city.neighbourhoods)) for about_waste in (True, False)
        }

    def made_before(self) -> Iterator[Report]:
        """Everything reported before the first day that may still be open then."""
        yield from self.stuck_lamps()
        for ago in range(_WARM_UP_DAYS, 0, -1):
            yield from self.made_on(self.city.days[0] - timedelta(days=ago), full=ago <= _FULL_WARM_UP_DAYS)

    def made_on(self, day: date, *, full: bool = True) -> Iterator[Report]:
        """Everything reported on a local day; `full`: also about containers that are full."""
        random = self.city.random("reports", day)
        usual = _USUAL[day.weekday()]
        for _ in range(random.randint(usual - _SPREAD, usual + _SPREAD)):
            yield self._usual(day, random)
        at_market = self.areas[MARKET_NEIGHBOURHOOD]
        for _ in range(MARKET_DAY_REPORTS if day.isoweekday() in MARKET_WEEKDAYS else OTHER_DAY_REPORTS):
            created_at = _instant(day, random, random.randrange(14, 17))
            yield self._report(created_at, _one_of(_MARKET_WASTE, random), self._point(at_market, random), at_market, random)
        for _ in range(OUTSIDE_REPORTS):
            longitude, latitude = random.choice(_OUTSIDE)
            point = (round(longitude + random.random() / 100, 9), round(latitude + random.random() / 100, 9))
            yield self._report(_usual_instant(day, random), _one_of(_WASTE | _OTHER, random), point, None, random)
        for _ in range(random.randint(1, 2)):
            yield self._report(_usual_instant(day, random), _one_of(_WASTE | _OTHER, random), None, None, random)
        if full:
            yield from self._about_full_containers(day)

    def stuck_lamps(self) -> Iterator[Report]:
        """Reports about street lamps that nobody closes: in every snapshot of the last five months."""
        random = self.city.random("stuck lamps")
        last = self.city.days[-1]
        after = datetime.combine(last + timedelta(days=2), time(), UTC)
        for neighbourhood in random.sample(self.city.neighbourhoods, STUCK_LAMPS):
            created_at = _usual_instant(last - timedelta(days=random.randint(160, 360)), random)
            yield self._report(created_at, _LAMP, self._point(neighbourhood, random), neighbourhood, random, closes_at=after)

    def _usual(self, day: date, random: Random) -> Report:
        about_waste = random.random() < _WASTE_SHARE
        neighbourhood = random.choices(self.city.neighbourhoods, cum_weights=self.weights[about_waste])[0]
        category = _one_of(_WASTE if about_waste else _OTHER, random)
        return self._report(_usual_instant(day, random), category, self._point(neighbourhood, random), neighbourhood, random)

    def _about_full_containers(self, day: date) -> Iterator[Report]:
        """Whoever finds a container full reports it, or the waste beside it, at once."""
        random, world = self.city.random("full containers", day), world_of(self.city)
        is_full = world.fill_pct(day) >= OVERFULL_PCT
        is_full[(world.frame["neighbourhood_code"] == MARKET_NEIGHBOURHOOD).to_numpy()] = False
        is_full[:, [hour not in REPORTING_HOURS for hour in world.local_hours(day)]] = False
        places, hours = np.nonzero(is_full)
        counts = generator(self.city, "full containers", day).poisson(REPORTS_PER_OVERFULL_HOUR, len(places))
        for n in np.repeat(np.arange(len(places)), counts).tolist():
            place = int(places[n])
            neighbourhood = self.areas[world.frame[place, "neighbourhood_code"]]
            created_at = world.hours(day)[int(hours[n])] + _within_hour(random)
            point = self._near((world.frame[place, "longitude"], world.frame[place, "latitude"]), neighbourhood, random)
            yield self._report(created_at, _one_of(_FULL, random), point, neighbourhood, random)

    def _point(self, neighbourhood: Neighbourhood, random: Random) -> Point:
        return point_in(self.outlines[neighbourhood.code], random)

    def _near(self, point: Point, neighbourhood: Neighbourhood, random: Random) -> Point:
        """A point within `REPORTED_WITHIN_M` of another, in the same neighbourhood."""
        longitude, latitude = (round(x + random.uniform(-d, d), 9) for x, d in zip(point, _NEAR_DEGREES, strict=True))
        near = (longitude, latitude)
        return near if inside(self.outlines[neighbourhood.code], near) else point

    def _report(
        self,
        created_at: datetime,
        category: Category,
        point: Point | None,
        neighbourhood: Neighbourhood | None,
        random: Random,
        closes_at: datetime | None = None,
    ) -> Report:
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
        first_seen_at = next(t for t in self._snapshots_from(created_at.date()) if t > created_at)
        return Report(created_at, closes_at or first_seen_at + _open_for(slug, sub_slug, random), listed)

    def _snapshots_from(self, day: date) -> Iterator[datetime]:
        return (snapshot_taken_at(self.city, day + timedelta(days=n)) for n in range(3))


def _weight(n: Neighbourhood, about_waste: bool) -> float:
    """Reports follow the people; waste is reported most in the inner city, and at the market only as planted."""
    people = (n.inhabitants or 0) + 100
    if not about_waste:
        return people
    if n.code == MARKET_NEIGHBOURHOOD:
        return 0
    return people * (6 if n.district_code == _INNER_CITY else 1)


def snapshot_taken_at(city: City, day: date) -> datetime:
    """When the snapshot of a day is taken: some time in the morning."""
    random = city.random("snapshot", day)
    return _instant(day, random, random.randrange(7, 10))


def _open_for(main: str, sub: str, random: Random) -> timedelta:
    handling = _HANDLING.get(sub, _OTHER_WASTE) if main == "afval" else _NOT_WASTE
    mean = handling.long if random.random() < handling.long_share else handling.short
    # An exponential wait cut off at the longest: what is open at the start of the sample was made in its warm-up.
    days = -mean * log(1 - random.random() * (1 - exp(-handling.longest / mean)))
    return timedelta(days=days, microseconds=1)


def _usual_instant(day: date, random: Random) -> datetime:
    return _instant(day, random, random.choices(list(_HOURS), list(_HOURS.values()))[0])


def _instant(day: date, random: Random, hour: int) -> datetime:
    """An instant within an hour (UTC) of `day`."""
    return datetime.combine(day, time(hour), UTC) + _within_hour(random)


def _within_hour(random: Random) -> timedelta:
    """To the microsecond, rarely with fewer digits: sources leave out closing zeros."""
    digits = random.choices((6, 5, 4, 3, 2), (88, 8, 2, 1, 1))[0]
    return timedelta(seconds=random.randrange(3600), microseconds=random.randrange(10**digits) * 10 ** (6 - digits))


def _with_fraction(instant: datetime) -> str:
    fraction = f"{instant.microsecond:06d}".rstrip("0").ljust(2, "0")
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{fraction}+00:00"


def _one_of(weights: Mapping[Category, int], random: Random) -> Category:
    return random.choices(list(weights), list(weights.values()))[0]
