"""Car parks of the sample city, as the municipality lists them. All made up, at rounded points."""

from dataclasses import dataclass

import polars as pl

from groningen_data.sample.facts import City
from groningen_data.sample.wire import Payloads


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
    """The list of car parks, the same for every seed."""
    yield "traffic/parking.csv", car_parks().write_csv(separator=";").encode()


def car_parks() -> pl.DataFrame:
    """The columns of the list of car parks."""
    return pl.DataFrame(
        [(p.code, p.name, p.kind, p.capacity, p.latitude, p.longitude) for p in CAR_PARKS],
        schema=("parkeernummer", "naam", "soort", "capaciteit", "breedtegraad", "lengtegraad"),
        orient="row",
    )
