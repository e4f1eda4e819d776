"""Car parks and charge points of the sample city, as the municipality lists them. All made up, at rounded points."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City
from groningen_data.sample.wire import Payloads

CHARGE_POINTS = 240
BROKEN_EVERY = 20
"""Every so many-th charge point is out of order."""
OPERATORS = ("Stroomplein", "Laadstad", "Volt Noord")
FEWEST_INHABITANTS = 100
"""Charge points stand in neighbourhoods with at least so many inhabitants."""

_POWER_KW = (11, 22, 50)
_POWER_SHARES = (0.55, 0.4, 0.05)
_SPREAD_DEGREES = 0.002


@dataclass(frozen=True)
class CarPark:
    """One car park: longitude and latitude with three decimals."""

    code: str
    name: str
    kind: str
    capacity: int
    longitude: float
    latitude: float


CAR_PARKS = (
    CarPark("P01", "Parkeergarage Marktplein", "garage", 450, 6.569, 53.219),
    CarPark("P02", "Parkeergarage Westerhaven", "garage", 750, 6.556, 53.216),
    CarPark("P03", "Parkeergarage Zuiderdiep", "garage", 280, 6.566, 53.214),
    CarPark("P04", "Parkeergarage Stationsplein", "garage", 350, 6.563, 53.211),
    CarPark("P05", "Parkeergarage Oosterpoort", "garage", 380, 6.574, 53.213),
    CarPark("P06", "Parkeergarage Ziekenhuis", "garage", 1_100, 6.577, 53.222),
    CarPark("P07", "Parkeerterrein Oosterpark", "terrein", 120, 6.583, 53.225),
    CarPark("P08", "Parkeerterrein Stadion", "terrein", 600, 6.591, 53.207),
    CarPark("P09", "P+R Hoogkerk", "p+r", 650, 6.505, 53.21),
    CarPark("P10", "P+R Haren", "p+r", 500, 6.592, 53.176),
    CarPark("P11", "P+R Kardinge", "p+r", 420, 6.598, 53.239),
    CarPark("P12", "P+R Reitdiep", "p+r", 350, 6.531, 53.233),
)


def payloads(city: City) -> Payloads:
    """The list of car parks, the same for every seed, and the list of charge points."""
    yield "traffic/parking.csv", car_parks().write_csv(separator=";").encode()
    yield "traffic/charge_points.csv", charge_points(city).write_csv(separator=";").encode()


def car_parks() -> pl.DataFrame:
    """The columns of the list of car parks."""
    return pl.DataFrame(
        [(p.code, p.name, p.kind, p.capacity, p.latitude, p.longitude) for p in CAR_PARKS],
        schema=("parkeernummer", "naam", "soort", "capaciteit", "breedtegraad", "lengtegraad"),
        orient="row",
    )


def charge_points(city: City) -> pl.DataFrame:
    """The columns of the list of charge points: more of them where more people live."""
    homes = [n for n in city.neighbourhoods if (n.inhabitants or 0) >= FEWEST_INHABITANTS]
    inhabitants = np.array([n.inhabitants for n in homes], dtype=np.float64)
    chance = generator(city, "charge points")
    where = chance.choice(len(homes), CHARGE_POINTS, p=inhabitants / inhabitants.sum())
    centres = np.array([n.centre for n in homes])[where]
    places = np.round(centres + _SPREAD_DEGREES * np.clip(chance.standard_normal(centres.shape), -1, 1), 4)
    broken = np.arange(1, CHARGE_POINTS + 1) % BROKEN_EVERY == 0
    return pl.DataFrame(
        {
            "laadpaalnummer": [f"L{number:04}" for number in range(1, CHARGE_POINTS + 1)],
            "exploitant": [OPERATORS[n] for n in chance.choice(len(OPERATORS), CHARGE_POINTS)],
            "aansluitingen": chance.choice([1, 2], CHARGE_POINTS, p=[0.2, 0.8]),
            "vermogen_kw": chance.choice(_POWER_KW, CHARGE_POINTS, p=_POWER_SHARES),
            "status": np.where(broken, "storing", "in bedrijf").tolist(),
            "breedtegraad": places[:, 1],
            "lengtegraad": places[:, 0],
        }
    )
