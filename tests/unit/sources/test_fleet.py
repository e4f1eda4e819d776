"""Collection vehicles and depots in the municipality's own form."""

import re

import polars as pl
import pytest

from groningen_data.contracts.waste.depots import WasteDepots
from groningen_data.contracts.waste.vehicles import WasteVehicles
from groningen_data.gate.judge import judge
from groningen_data.sources.fleet import DEPOTS, VEHICLES, parse_depots, parse_vehicles

VEHICLE = "voertuigcode;type;laadvermogen_kg;fracties;depotcode;in_dienst\n34;kraanwagen;9000;RESTAFVAL,GFT;D1;ja\n"
DEPOT = "depotcode;naam;soort;breedtegraad;lengtegraad\nD1;Remise Driebond;depot;53.209;6.602\n"


def vehicles(payload, context, text: str) -> pl.DataFrame:
    delivered = payload(VEHICLES, "a.csv", text.encode())
    assert delivered.batches == ("snapshot",), delivered.problem
    return pl.concat(list(parse_vehicles([delivered], "snapshot", context)))


def depots(payload, context, text: str) -> pl.DataFrame:
    delivered = payload(DEPOTS, "a.csv", text.encode())
    assert delivered.batches == ("snapshot",), delivered.problem
    return pl.concat(list(parse_depots([delivered], "snapshot", context)))


def test_a_vehicle_has_fractions_a_depot_and_a_capacity(payload, context):
    found = vehicles(payload, context(), VEHICLE)
    row = judge(WasteVehicles, found).accepted.row(0, named=True)
    assert row == {
        "vehicle_code": "34",
        "vehicle_kind": "kraanwagen",
        "capacity_kg": 9000.0,
        "fraction_codes": "organic,residual",
        "depot_code": "D1",
        "is_in_service": True,
    }


@pytest.mark.parametrize(
    ("delivered", "codes"),
    [("PAPIER | PLASTIC", "paper,plastic"), ("GLAS,BONT GLAS", "glass"), ("", None), ("NIET INGEVULD", None), ("Drab", "other")],
)
def test_fractions_are_listed_once_in_order(payload, context, delivered, codes):
    assert vehicles(payload, context(), VEHICLE.replace("RESTAFVAL,GFT", delivered))["fraction_codes"].to_list() == [codes]


def test_a_depot_has_a_kind_and_a_place(payload, context):
    found = depots(payload, context(), DEPOT + "S1;Overslag;Stortlocatie;53.194;6.625\n")
    accepted = judge(WasteDepots, found).accepted
    assert accepted["depot_kind"].to_list() == ["depot", "tipping"]
    assert accepted["longitude"].to_list() == [6.602, 6.625]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (";9000;", ";zwaar;", "capacity_kg.type"),
        (";9000;", ";0;", "capacity_kg.greater_than"),
        (";ja", ";soms", "is_in_service.type"),
        (";ja", "; ", "is_in_service.required"),
        ("34;", " ;", "vehicle_code.required"),
    ],
)
def test_a_broken_vehicle_is_quarantined(payload, context, old, new, rule):
    assert judge(WasteVehicles, vehicles(payload, context(), VEHICLE.replace(old, new))).quarantined["rules"].to_list() == [
        [rule]
    ]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [(";depot;", ";kantoor;", "depot_kind.unknown"), ("6.602", "oost", "longitude.type"), ("6.602", "", "longitude.required")],
)
def test_a_broken_depot_is_quarantined(payload, context, old, new, rule):
    assert judge(WasteDepots, depots(payload, context(), DEPOT.replace(old, new))).quarantined["rules"].to_list() == [[rule]]


@pytest.mark.parametrize(
    ("source", "text", "phrase"),
    [
        (VEHICLES, "", "is empty"),
        (VEHICLES, VEHICLE.replace("fracties", "soorten"), r"misses column\(s\) fracties; new are soorten"),
        (VEHICLES, VEHICLE.split("\n")[0], "no rows"),
        (VEHICLES, VEHICLE[:-9], "cut off in its last line"),
        (DEPOTS, DEPOT.replace("soort", "type"), r"misses column\(s\) soort; new are type"),
        (DEPOTS, "<html></html>", "not text with a header"),
    ],
)
def test_a_broken_list_is_refused_with_its_reason(payload, source, text, phrase):
    delivered = payload(source, "a.csv", text.encode())
    assert delivered.batches == () and delivered.way_out
    assert re.search(phrase, delivered.problem or "")
