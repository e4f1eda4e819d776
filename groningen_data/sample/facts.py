"""What the sample city takes from reality: the areas and traffic sites of Groningen (public facts in `data/reference`).

Everything else in the sample is made up, and is made elsewhere.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from groningen_data.settings import PROJECT

REFERENCE = PROJECT / "data" / "reference"
MUNICIPALITY_CODE = "GM0014"
MUNICIPALITY_NAME = "Groningen"

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Neighbourhood:
    """One neighbourhood: codes, counts and a centre rounded to 3 decimals (degrees). None: CBS gives no figure."""

    code: str
    name: str
    district_code: str
    district_name: str
    inhabitants: int | None
    households: int | None
    land_area_ha: int
    dwelling_value_keur: int | None
    income_per_inhabitant_keur: float | None
    owner_occupied_pct: int | None
    urbanity_class: int | None
    address_density_km2: int | None
    postcode: str | None
    centre: tuple[float, float]


@dataclass(frozen=True)
class Site:
    """One traffic measurement site; its detectors are `<id>_<lane>`."""

    id: str
    name: str
    direction: str
    lanes: int
    longitude: float
    latitude: float

    @property
    def detectors(self) -> list[str]:
        return [f"{self.id}_{lane}" for lane in range(1, self.lanes + 1)]


@dataclass(frozen=True)
class City:
    """All that the payloads are made from.

    Args:
        seed: Seed of everything made up.
        days: The local days that the sample covers, in order.
        timezone: Time zone of the local days.
        neighbourhoods: In order of code.
        sites: In order of id.
    """

    seed: int
    days: tuple[date, ...]
    timezone: ZoneInfo
    neighbourhoods: tuple[Neighbourhood, ...]
    sites: tuple[Site, ...]

    def random(self, *purpose: object) -> Random:
        """A source of chance of its own for each purpose, so that changing one payload leaves the others as they are."""
        return Random("/".join(map(str, (self.seed, *purpose))))


def neighbourhoods(path: Path = REFERENCE / "groningen_neighbourhoods.csv") -> tuple[Neighbourhood, ...]:
    """The neighbourhoods of Groningen in 2024, in order of code."""
    with path.open(encoding="utf-8", newline="") as stream:
        found = [
            Neighbourhood(
                code=row["neighbourhood_code"],
                name=row["neighbourhood_name"],
                district_code=row["district_code"],
                district_name=row["district_name"],
                inhabitants=_number(row["inhabitants"], int),
                households=_number(row["households"], int),
                land_area_ha=int(row["land_area_ha"]),
                dwelling_value_keur=_number(row["dwelling_value_keur"], int),
                income_per_inhabitant_keur=_number(row["income_per_inhabitant_keur"], float),
                owner_occupied_pct=_number(row["owner_occupied_pct"], int),
                urbanity_class=_number(row["urbanity_class"], int),
                address_density_km2=_number(row["address_density_km2"], int),
                postcode=row["postcode"] or None,
                centre=(float(row["longitude"]), float(row["latitude"])),
            )
            for row in csv.DictReader(stream)
        ]
    return tuple(sorted(found, key=lambda n: n.code))


def sites(path: Path = REFERENCE / "groningen_traffic_sites.csv") -> tuple[Site, ...]:
    """Traffic measurement sites in the city, in order of id."""
    with path.open(encoding="utf-8", newline="") as stream:
        found = [
            Site(
                id=row["site_id"],
                name=row["site_name"],
                direction=row["direction"],
                lanes=int(row["lanes"]),
                longitude=float(row["longitude"]),
                latitude=float(row["latitude"]),
            )
            for row in csv.DictReader(stream)
        ]
    return tuple(sorted(found, key=lambda s: s.id))


def _number(text: str, kind: Callable[[str], Number]) -> Number | None:
    return kind(text) if text else None
