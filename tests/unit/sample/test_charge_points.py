"""Charge points as OCPI 2.2.1 describes them (https://github.com/ocpi/ocpi, mod_locations)."""

import gzip
import json
from collections import Counter

import jsonschema
import pytest

from groningen_data.sample import charge_points
from tests.unit.sample.cities import city_of

TEXT = {"type": "string", "minLength": 1}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
STATUSES = ["AVAILABLE", "BLOCKED", "CHARGING", "INOPERATIVE", "OUTOFORDER", "PLANNED", "REMOVED", "RESERVED", "UNKNOWN"]


def strict(required: dict, **optional) -> dict:
    return {"type": "object", "required": list(required), "properties": required | optional, "additionalProperties": False}


CONNECTOR = strict(
    {
        "id": TEXT,
        "standard": {"enum": ["IEC_62196_T2", "IEC_62196_T2_COMBO"]},
        "format": {"enum": ["SOCKET", "CABLE"]},
        "power_type": {"enum": ["AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC"]},
        "max_voltage": {"type": "integer"},
        "max_amperage": {"type": "integer"},
        "last_updated": TIME,
    },
    max_electric_power={"type": "integer"},
)
EVSE = strict(
    {
        "uid": TEXT,
        "status": {"enum": STATUSES},
        "connectors": {"type": "array", "items": CONNECTOR, "minItems": 1},
        "last_updated": TIME,
    },
    evse_id={"type": "string", "pattern": r"^[A-Z]{2}\*[A-Z0-9]{3}\*E[A-Z0-9*]+$"},
)
LOCATION = strict(
    {
        "country_code": {"type": "string", "pattern": "^[A-Z]{2}$"},
        "party_id": {"type": "string", "pattern": "^[A-Z0-9]{3}$"},
        "id": TEXT,
        "publish": {"type": "boolean"},
        "address": TEXT,
        "city": TEXT,
        "country": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "coordinates": strict(
            {
                "latitude": {"type": "string", "pattern": r"^-?\d{1,2}\.\d{5,7}$"},
                "longitude": {"type": "string", "pattern": r"^-?\d{1,3}\.\d{5,7}$"},
            }
        ),
        "time_zone": TEXT,
        "last_updated": TIME,
    },
    evses={"type": "array", "items": EVSE},
    operator=strict({"name": TEXT}),
    parking_type={"enum": ["ON_STREET", "PARKING_GARAGE", "PARKING_LOT"]},
)


@pytest.fixture(scope="module")
def locations() -> list[dict]:
    [(path, data)] = charge_points.payloads(city_of(2))
    assert path == "traffic/charging_point_locations_ocpi.json.gz"
    return json.loads(gzip.decompress(data))


def test_every_location_is_one_of_ocpi(locations) -> None:
    jsonschema.validate(locations, {"type": "array", "items": LOCATION})


def test_the_seed_decides_and_the_days_only_date_them(locations) -> None:
    again, other = charge_points.locations(city_of(2)), charge_points.locations(city_of(2, seed=15))
    assert again == locations != other


def test_the_oddities_are_there(locations) -> None:
    statuses = Counter(evse["status"] for found in locations for evse in found["evses"])
    assert statuses["REMOVED"] == (charge_points.LOCATIONS + charge_points.ELSEWHERE) // charge_points.REMOVED_EVERY
    copies = [name for name, count in Counter(found["id"] for found in locations).items() if count > 1]
    assert len(copies) == (charge_points.LOCATIONS + charge_points.ELSEWHERE) // charge_points.COPIED_EVERY
    broken = {found["id"] for found in locations if any(e["status"] == "OUTOFORDER" for e in found["evses"])}
    assert len(broken) == (charge_points.LOCATIONS + charge_points.ELSEWHERE) // charge_points.BROKEN_EVERY
    assert sum(found["city"] == "Amsterdam" for found in locations) == charge_points.ELSEWHERE
    stated = [c.get("max_electric_power") for found in locations for e in found["evses"] for c in e["connectors"]]
    assert 0 < sum(power is not None for power in stated) < len(stated) / 4
