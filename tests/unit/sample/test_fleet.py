import csv
import io

import pytest

from groningen_data.sample.containers import FRACTIONS
from groningen_data.sample.fleet import payloads, serving

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def files() -> dict[str, Rows]:
    return {path: list(csv.DictReader(io.StringIO(data.decode()), delimiter=";")) for path, data in payloads()}


def test_vehicles_and_depots_have_the_fields_agreed(files: dict[str, Rows]) -> None:
    vehicles, depots = files["waste/vehicles.csv"], files["waste/depots.csv"]
    assert list(vehicles[0]) == ["voertuigcode", "type", "laadvermogen_kg", "fracties", "depotcode", "in_dienst"]
    assert list(depots[0]) == ["depotcode", "naam", "soort", "breedtegraad", "lengtegraad"]
    assert len(vehicles) == len({v["voertuigcode"] for v in vehicles}) == 12
    assert {d["soort"] for d in depots} == {"depot", "stortlocatie"}
    assert {v["depotcode"] for v in vehicles} <= {d["depotcode"] for d in depots if d["soort"] == "depot"}
    assert sum(v["in_dienst"] == "nee" for v in vehicles) == 1


@pytest.mark.parametrize("fraction", FRACTIONS)
def test_every_fraction_is_collected(fraction: str) -> None:
    assert serving(fraction)
