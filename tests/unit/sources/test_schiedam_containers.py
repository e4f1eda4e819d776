"""The container registry of Schiedam."""

import json
import re

import polars as pl
import pytest

from groningen_data.contracts.waste.containers import WasteContainers
from groningen_data.gate.judge import judge
from groningen_data.sources.schiedam_containers import SOURCE, parse_containers

CONTAINER = {
    "unieknr": "Cen 012",
    "locatie": "KETHELBRUG",
    "thv": "112",
    "nummer": "Cen 012",
    "soort": "RESTAFVAL",
    "maximum aantal stortingen": 90,
    "trommel (liter)": 80,
    "capaciteit (m3)": 5,
}
BARE = CONTAINER | {"unieknr": None, "nummer": None, "soort": "PAPIER", "capaciteit (m3)": None}


def collection(*properties: dict, wrapped: str = "var verzamelcontainer = {};") -> bytes:
    point = {"type": "Point", "coordinates": [4.398123, 51.920639]}
    features = [{"type": "Feature", "properties": p, "geometry": point} for p in properties]
    return wrapped.replace("{}", json.dumps({"type": "FeatureCollection", "features": features})).encode()


def rows(payload, context, data: bytes) -> pl.DataFrame:
    delivered = payload(SOURCE, "x.geojson", data)
    assert delivered.batches == ("schiedam",), delivered.problem
    return pl.concat(list(parse_containers([delivered], "schiedam", context)))


@pytest.mark.parametrize("wrapped", ["var a = {};", "\ufeffconst a_1 ={}\r\n", "window.data = {} ;", "{}"])
def test_geojson_is_found_inside_javascript(payload, context, wrapped):
    row = rows(payload, context(), collection(CONTAINER, wrapped=wrapped)).row(0, named=True)
    assert (row["container_code"], row["fraction_code"], row["capacity_l"]) == ("Cen 012", "residual", 5000.0)
    assert (row["location_name"], row["location_status"], row["is_code_derived"]) == ("KETHELBRUG", "outside_municipality", False)


def test_containers_without_a_number_get_one_of_their_fraction_and_place(payload, context):
    found = rows(payload, context(), collection(BARE, BARE, BARE | {"soort": "GFT"}, CONTAINER))
    assert found["container_code"].to_list() == [
        "paper@4.398123,51.920639",
        "paper@4.398123,51.920639#2",
        "organic@4.398123,51.920639",
        "Cen 012",
    ]
    assert found["is_code_derived"].to_list() == [True, True, True, False]


def test_house_numbers_are_not_read(payload, context):
    assert "112" not in str(rows(payload, context(), collection(CONTAINER)).to_dicts())


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (b"var x = 5;", "neither GeoJSON nor JavaScript"),
        (collection(CONTAINER)[:-40], "not complete GeoJSON"),
        (collection(), "holds no features"),
        (collection({"naam": "x"}), r"misses column\(s\) unieknr, locatie, soort; new are naam"),
        (b"<html></html>", "is XML"),
    ],
)
def test_a_broken_file_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "schiedam_containers.geojson", data)
    assert delivered.batches == () and delivered.way_out
    assert re.search(phrase, delivered.problem or "")


def test_an_unreadable_capacity_is_marked(payload, context):
    row = rows(payload, context(), collection(CONTAINER | {"capaciteit (m3)": "groot"})).row(0, named=True)
    assert row["_problems"] == ["capacity_l.type"]


def test_no_container_of_the_real_file_is_lost(real_payloads, context):
    (delivered,) = real_payloads(SOURCE)
    made = context()
    found = pl.concat(list(parse_containers([delivered], "schiedam", made)))
    judged = judge(WasteContainers, found)
    assert (judged.accepted.height, judged.quarantined.height) == (1_060, 0)
    assert judged.accepted["container_code"].n_unique() == 1_060
    assert (made.notes["codes_derived"], made.notes["fractions_not_known"]) == (391, "")
    fractions = dict(found["fraction_code"].value_counts().iter_rows())
    assert fractions == {"residual": 737, "plastic": 84, "glass": 88, "paper": 82, "organic": 52, "textile": 16, None: 1}
    assert found["fraction_missing_reason"].drop_nulls().to_list() == ["not_filled_in"]
    assert dict(found["capacity_l"].value_counts().iter_rows()) == {5000.0: 592, 3000.0: 77, None: 391}
    assert found["location_status"].unique().to_list() == ["outside_municipality"]
