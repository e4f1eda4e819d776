"""Collection vehicles, the depot and the tipping site, as the municipality lists them. Made up, at rounded points.

A vehicle's code is also the system id of its weighing unit, so weighings can be joined with vehicles.
"""

from dataclasses import dataclass

from groningen_data.sample.wire import Payloads


@dataclass(frozen=True)
class Vehicle:
    """One collection vehicle and the fractions it takes; the first is the one it drives for every day."""

    code: str
    kind: str
    capacity_kg: int
    fractions: tuple[str, ...]
    in_service: bool = True


@dataclass(frozen=True)
class Depot:
    """Where vehicles stay (`depot`) or unload (`stortlocatie`): longitude and latitude with three decimals."""

    code: str
    name: str
    kind: str
    longitude: float
    latitude: float


VEHICLES = (
    Vehicle("31", "kraanwagen", 9_000, ("RESTAFVAL",)),
    Vehicle("32", "kraanwagen", 9_000, ("RESTAFVAL",)),
    Vehicle("33", "kraanwagen", 9_000, ("RESTAFVAL",)),
    Vehicle("34", "kraanwagen", 9_000, ("RESTAFVAL", "GFT")),
    Vehicle("35", "kraanwagen", 11_000, ("RESTAFVAL", "GFT")),
    Vehicle("36", "kraanwagen", 11_000, ("RESTAFVAL",)),
    Vehicle("37", "kraanwagen", 10_000, ("PAPIER", "PLASTIC")),
    Vehicle("38", "kraanwagen", 12_000, ("GLAS",)),
    Vehicle("39", "kraanwagen", 8_000, ("PLASTIC", "PAPIER")),
    Vehicle("40", "kraanwagen", 10_000, ("GFT",)),
    Vehicle("41", "bakwagen", 3_500, ("TEXTIEL",)),
    Vehicle("42", "kraanwagen", 9_000, ("RESTAFVAL", "PAPIER"), in_service=False),
)
DEPOTS = (
    Depot("D1", "Remise Driebond", "depot", 6.606, 53.219),
    Depot("S1", "Overslag Stainkoel'n", "stortlocatie", 6.621, 53.199),
)


def serving(fraction: str) -> list[Vehicle]:
    """The vehicles in service that drive for a fraction every day."""
    return [v for v in VEHICLES if v.in_service and v.fractions[0] == fraction]


def payloads() -> Payloads:
    """The list of vehicles and the list of depots, the same for every seed."""
    vehicles = ["voertuigcode;type;laadvermogen_kg;fracties;depotcode;in_dienst"]
    for v in VEHICLES:
        fields = (v.code, v.kind, v.capacity_kg, ",".join(v.fractions), DEPOTS[0].code, "ja" if v.in_service else "nee")
        vehicles.append(";".join(map(str, fields)))
    yield "waste/vehicles.csv", _csv(vehicles)
    depots = ["depotcode;naam;soort;breedtegraad;lengtegraad"]
    depots += [f"{d.code};{d.name};{d.kind};{d.latitude};{d.longitude}" for d in DEPOTS]
    yield "waste/depots.csv", _csv(depots)


def _csv(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
