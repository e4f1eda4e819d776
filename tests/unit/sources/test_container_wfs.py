"""The container registry of the municipality's WFS."""

import json
import re

import polars as pl
import pytest

from groningen_data.contracts.waste.containers import WasteContainers
from groningen_data.gate.judge import judge
from groningen_data.sources.container_wfs import SOURCE, parse_containers

CONTAINER = {
    "CLUSTERCODE": "1235",
    "CLUSTEROMSCHRIJVING": "1235 - Teststraat",
    "CONTAINERCODE": "10235",
    "FRACTIE": "RESTAFVAL",
    "LATITUDE": 53.215,
    "LONGITUDE": 6.555,
}
POINT = {"type": "Point", "coordinates": [6.555, 53.215]}
EXCEPTION = (
    '<?xml version="1.0"?><ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1"><ows:Exception '
    'exceptionCode="InvalidParameterValue"><ows:ExceptionText>Feature type geo-data:CONTAINERS\n unknown</ows:ExceptionText>'
    "</ows:Exception></ows:ExceptionReport>"
)


def collection(*properties: object, geometry: object = POINT, **members: object) -> bytes:
    features = [{"type": "Feature", "properties": p, "geometry": geometry} for p in properties]
    return json.dumps({"type": "FeatureCollection", "features": features} | members).encode()


def rows(payload, context, data: bytes) -> pl.DataFrame:
    delivered = payload(SOURCE, "wfs.json", data)
    assert delivered.batches == ("wfs",), delivered.problem
    return pl.concat(list(parse_containers([delivered], "wfs", context)))


def test_a_container_gets_its_fraction_street_and_neighbourhood(payload, context):
    found = rows(payload, context(), collection(CONTAINER))
    row = found.row(0, named=True)
    assert (row["source_code"], row["container_code"], row["cluster_code"]) == ("wfs", "10235", "1235")
    assert (row["fraction_code"], row["fraction_name"], row["fraction_missing_reason"]) == ("residual", "RESTAFVAL", None)
    assert (row["location_name"], row["neighbourhood_code"], row["location_status"]) == ("Teststraat", "BU00140000", "inside")
    assert (row["capacity_l"], row["has_sensor"], row["alarm_pct"]) == (None, None, None)
    assert judge(WasteContainers, found).accepted.height == 1


@pytest.mark.parametrize(
    ("geometry", "properties"),
    [
        (None, {}),
        (POINT, {"LONGITUDE": None, "LATITUDE": None}),
        (POINT, {"LONGITUDE": "", "LATITUDE": " "}),
        ({"type": "Point", "coordinates": [233_052.0, 581_712.0]}, {"LONGITUDE": None, "LATITUDE": None}),
        ({"type": "Point", "coordinates": [53.215, 6.555]}, {}),
        ({"type": "Point", "coordinates": [53.215, 6.555]}, {"LONGITUDE": None, "LATITUDE": None}),
        (None, {"LONGITUDE": 53.215, "LATITUDE": 6.555}),
    ],
    ids=["no geometry", "no properties", "blank properties", "metres", "swapped axes", "swapped axes only", "swapped properties"],
)
def test_the_place_is_found_in_properties_or_geometry(payload, context, geometry, properties):
    row = rows(payload, context(), collection(CONTAINER | properties, geometry=geometry)).row(0, named=True)
    assert (row["longitude"], row["latitude"]) == (pytest.approx(6.555, abs=0.003), pytest.approx(53.215, abs=0.003))
    assert row["location_status"] == "inside"


def test_names_in_another_case_padding_and_extra_properties_do_no_harm(payload, context):
    properties = {name.lower(): f" {value} " for name, value in CONTAINER.items()} | {"fid": 1}
    row = rows(payload, context(), collection(properties)).row(0, named=True)
    assert (row["container_code"], row["fraction_code"], row["location_status"]) == ("10235", "residual", "inside")


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("RESTAFVAL   ", "residual", None),
        ("Papier en karton", "paper", None),
        ("GFT-afval", "organic", None),
        ("BONT EN WIT GLAS", "glass", None),
        ("Kunststof", "plastic", None),
        ("Hondenpoep", "other", None),
        ("NIET INGEVULD", None, "not_filled_in"),
        (None, None, "not_delivered"),
    ],
)
def test_delivered_names_become_fractions(payload, context, name, code, reason):
    row = rows(payload, context(), collection(CONTAINER, CONTAINER | {"FRACTIE": name})).row(1, named=True)
    assert (row["fraction_code"], row["fraction_missing_reason"]) == (code, reason)


def test_fractions_that_nobody_knows_are_noted(payload, context):
    made = context()
    rows(payload, made, collection(CONTAINER, CONTAINER | {"FRACTIE": "Hondenpoep"}))
    assert made.notes["fractions_not_known"] == "Hondenpoep"


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (EXCEPTION.encode(), "error message of the WFS: Feature type geo-data:CONTAINERS unknown"),
        (b"<html><body>502</body></html>", "is XML, but not GeoJSON"),
        (collection(CONTAINER)[:-30], "not complete JSON"),
        (b"[]", "not a GeoJSON FeatureCollection"),
        (collection(), "holds no features"),
        (json.dumps({"type": "FeatureCollection", "features": None}).encode(), "holds no features"),
        (collection(CONTAINER, numberMatched=1_957, numberReturned=1), "holds 1 of 1,957 features"),
        (collection({"CLUSTERCODE": "1"}), r"misses column\(s\) CONTAINERCODE, FRACTIE"),
        (collection(CONTAINER).decode().encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_broken_answer_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "containers_wfs.json", data)
    assert delivered.batches == () and delivered.way_out
    assert re.search(phrase, delivered.problem or "")


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({"LONGITUDE": "oost"}, ["longitude.type"]),
        ({"LATITUDE": "NaN"}, ["latitude.type"]),
    ],
)
def test_a_broken_row_is_kept_and_marked(payload, context, changed, problems):
    row = rows(payload, context(), collection(CONTAINER | changed)).row(0, named=True)
    assert row["_problems"] == problems and '"CONTAINERCODE":"10235"' in row["_original"]


def test_what_is_no_feature_is_marked(payload, context):
    data = json.loads(collection(CONTAINER))
    data["features"].append("onzin")
    assert rows(payload, context(), json.dumps(data).encode())["_problems"].to_list() == [[], ["row.type"]]
