"""NDW's measurement site table."""

import gzip
import re

import polars as pl
import pytest

from groningen_data.sources import ndw_datex
from groningen_data.sources.base import Head
from groningen_data.sources.ndw_site_table import parse_indexes
from groningen_data.sources.ndw_sites import SOURCE, is_table_version, parse_sites

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><SOAP:Envelope xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/"><SOAP:Body>'
    '<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    '<payloadPublication xsi:type="MeasurementSiteTablePublication"><publicationTime>2026-03-02T10:00:00Z</publicationTime>'
)
TAIL = "</payloadPublication></d2LogicalModel></SOAP:Body></SOAP:Envelope>"
ANY = "<vehicleType>anyVehicle</vehicleType>"
PLACE = (
    '<measurementSiteLocation xsi:type="Point"><locationForDisplay><latitude>53.215</latitude><longitude>6.565</longitude>'
    "</locationForDisplay><pointByCoordinates><pointCoordinates><latitude>1</latitude><longitude>2</longitude>"
    "</pointCoordinates></pointByCoordinates></measurementSiteLocation>"
)


def length(operator: str, metres: str) -> str:
    return (
        f"<lengthCharacteristic><comparisonOperator>{operator}</comparisonOperator><vehicleLength>{metres}</vehicleLength>"
        "</lengthCharacteristic>"
    )


def measures(code: str = "1", kind: str = "trafficFlow", lane: str = "lane1", vehicles: str | None = ANY) -> str:
    on = f"<specificLane>{lane}</specificLane>" if lane else ""
    of = f"<specificVehicleCharacteristics>{vehicles}</specificVehicleCharacteristics>" if vehicles is not None else ""
    return (
        f'<measurementSpecificCharacteristics index="{code}"><measurementSpecificCharacteristics><accuracy>95.0</accuracy>'
        f"<period>60.0</period>{on}<specificMeasurementValueType>{kind}</specificMeasurementValueType>{of}"
        "</measurementSpecificCharacteristics></measurementSpecificCharacteristics>"
    )


def site(*indexes: str, name: str = "S1", version: str = "3", place: str = PLACE) -> str:
    return (
        f'<measurementSiteRecord id="{name}" version="{version}"><measurementSiteName><values><value lang="nl">Sontweg </value>'
        "</values></measurementSiteName><measurementSiteNumberOfLanes>2</measurementSiteNumberOfLanes>"
        f"<measurementSide>northBound</measurementSide>{''.join(indexes)}{place}</measurementSiteRecord>"
    )


def table(*sites: str, code: str = "NDW01_MT", version: str = "896") -> bytes:
    return (
        HEAD + f'<measurementSiteTable id="{code}" version="{version}">{"".join(sites)}</measurementSiteTable>' + TAIL
    ).encode()


def rows(payloads, context, key: str = "896/NDW01_MT") -> pl.DataFrame:
    return pl.concat(list(parse_indexes(payloads, key, context)))


def test_an_index_says_what_it_measures_and_where(payload, context):
    delivered = payload(SOURCE, "measurement_current.xml.gz", gzip.compress(table(site(measures()))))
    made = context()
    row = rows([delivered], made).row(0, named=True)
    assert delivered.batches == ("896/NDW01_MT",) and is_table_version(delivered.batches[0])
    assert (row["table_version"], row["table_code"]) == ("896", "NDW01_MT")
    assert (row["site_id"], row["site_version"], row["index_code"]) == ("S1", 3, "1")
    assert (row["quantity"], row["lane_code"], row["vehicle_class"]) == ("flow", "lane1", "any")
    assert (row["period_s"], row["accuracy_pct"]) == (60.0, 95.0)
    assert (row["site_name"], row["direction"], row["lanes"]) == ("Sontweg", "northBound", 2)
    assert (row["longitude"], row["latitude"]) == (6.565, 53.215)
    assert (made.notes["site_versions_read"], made.notes["indexes_read"]) == (1, 1)


@pytest.mark.parametrize(
    ("vehicles", "expected"),
    [
        (ANY, "any"),
        (length("lessThanOrEqualTo", "5.6"), "length_up_to_5.60"),
        (length("greaterThan", "12.2"), "length_over_12.20"),
        (length("greaterThan", "1.85") + length("lessThanOrEqualTo", "2.4"), "length_1.85_2.40"),
        (length("lessThan", "2.4") + length("greaterThanOrEqualTo", "1.85"), "length_1.85_2.40"),
        (ANY + length("lessThan", "0.5"), "length_up_to_0.50"),
        (length("lessThan", "kort"), "unknown"),
        ("<vehicleType>lorry</vehicleType><vehicleType>bus</vehicleType>", "bus+lorry"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_vehicle_class_is_told_by_type_or_length(payload, context, vehicles, expected):
    delivered = payload(SOURCE, "a.xml", table(site(measures(vehicles=vehicles))))
    assert rows([delivered], context())["vehicle_class"].to_list() == [expected]


@pytest.mark.parametrize(
    ("lane", "expected"),
    [("lane2", "lane2"), ("Lane 2", "lane2"), ("Hardshoulder ", "hardShoulder"), ("leftLane", "leftLane"), ("", None)],
)
def test_lanes_have_one_spelling(payload, context, lane, expected):
    assert rows([payload(SOURCE, "a.xml", table(site(measures(lane=lane))))], context())["lane_code"].to_list() == [expected]


def test_what_is_neither_flow_nor_speed_is_another_quantity(payload, context):
    data = table(site(measures("1"), measures("2", "trafficSpeed"), measures("3", "travelTimeInformation")))
    assert rows([payload(SOURCE, "a.xml", data)], context())["quantity"].to_list() == ["flow", "speed", "other"]


def test_versions_of_a_site_and_of_the_table_stay_apart(payload, context):
    both = table(site(measures("1")), site(measures("1", "trafficSpeed"), version="4"))
    assert rows([payload(SOURCE, "a.xml", both)], context()).select("site_version", "quantity").rows() == [
        (3, "flow"),
        (4, "speed"),
    ]
    later = payload(SOURCE, "b.xml", table(site(measures()), version="897"))
    assert later.batches == ("897/NDW01_MT",)


def test_several_tables_in_a_publication_are_batches_of_their_own(payload, context):
    other = '</measurementSiteTable><measurementSiteTable id="B" version="1">'
    delivered = payload(SOURCE, "a.xml", table(site(measures()) + other + site(measures(), name="S2")))
    assert delivered.batches == ("896/NDW01_MT", "1/B")
    assert rows([delivered], context(), "1/B")["site_id"].to_list() == ["S2"]


def test_a_bare_publication_with_other_prefixes_and_extensions_is_read(payload, context):
    extension = "<measurementSiteRecordExtension><latitude>9</latitude><x/></measurementSiteRecordExtension>"
    text = table(site(measures(), extension)).decode()
    bare = re.sub(r"</?SOAP:\w+[^>]*>", "", text).replace("<period>", "<d:period>").replace("</period>", "</d:period>")
    bare = bare.replace("<d2LogicalModel ", '<d2LogicalModel xmlns:d="http://datex2.eu/schema/2/2_0" ')
    row = rows([payload(SOURCE, "a.xml", bare.encode())], context()).row(0, named=True)
    assert (row["period_s"], row["latitude"]) == (60.0, 53.215)


def test_a_point_that_only_openlr_tells_is_read(payload, context):
    place = PLACE.replace("locationForDisplay", "openlrCoordinate").replace("<openlrC", "<pointExtension><openlrC")
    place = place.replace("</openlrCoordinate>", "</openlrCoordinate></pointExtension>")
    place = re.sub("<pointByCoordinates>.*</pointByCoordinates>", "", place)
    row = rows([payload(SOURCE, "a.xml", table(site(measures(), place=place)))], context()).row(0, named=True)
    assert (row["longitude"], row["latitude"]) == (6.565, 53.215)


def test_an_unreadable_number_is_marked(payload, context):
    delivered = payload(SOURCE, "a.xml", table(site(measures(), version="nieuw"), site(measures())))
    assert rows([delivered], context())["_problems"].to_list() == [["site_version.type"], []]


def test_the_table_is_a_registry_of_places_as_well(payload, context):
    section = site(measures(kind="travelTimeInformation"), name="ROUTE")
    older = site(measures(), version="2", place="").replace("Sontweg", "Oud")
    delivered = payload(SOURCE, "a.xml", table(site(measures()), older, section, site(measures(), name="S2", place="")))
    found = pl.concat(list(parse_sites([delivered], "snapshot", context())))
    assert sorted(found.select("site_id", "site_name", "lanes", "location_status").rows()) == [
        ("S1", "Sontweg", 2, "inside"),
        ("S2", "Sontweg", 2, "no_location"),
    ]
    assert found.filter(site_id="S1")["neighbourhood_code"].to_list() == ["BU00140001"]


def test_a_site_of_both_forms_is_described_by_the_one_that_came_last(payload, context):
    registry = b'{"S1": {"c": [6.555, 53.215], "n": "Register", "lanes": 1}, "S9": {"c": [6.555, 53.215], "n": "x", "lanes": 1}}'
    files = [payload(SOURCE, "sites.json", registry), payload(SOURCE, "a.xml", table(site(measures())))]
    for order, name in ((files, "Sontweg"), (files[::-1], "Register")):
        found = pl.concat(list(parse_sites(order, "snapshot", context())))
        assert sorted(found["site_id"]) == ["S1", "S9"]
        assert found.filter(site_id="S1")["site_name"].to_list() == [name]


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (table(site(measures()))[:-40], "was cut off"),
        (table(), "lists no measurement sites"),
        (table(site(measures()), version=""), "which version of the site table"),
        (table(site(measures())).replace(b"MeasurementSiteTable", b"Situation", 1), "publishes SituationPublication"),
        (b"<messageContainer><payload/></messageContainer>", "publishes something else"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + table(site(measures()))[38:], "declares a document type"),
        (table(site(measures())).decode().encode("utf-16"), "not complete JSON|not UTF-8"),
        (b"<html><body/></html>", "outermost element is html"),
        (gzip.compress(table(site(measures())))[:-12], "gzip stream is broken"),
        (table(site(measures()) + "&nbsp;"), "not well-formed XML"),
    ],
)
def test_a_broken_table_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "measurement_current.xml", data)
    assert delivered.batches == ()
    assert re.search(phrase, delivered.problem or "")
    assert delivered.way_out


@pytest.mark.parametrize(
    ("name", "claimed"),
    [("measurement_current.xml.gz", True), ("ndw_site_table_2001.xml", True), ("trafficspeed.xml.gz", False)],
)
def test_the_table_is_claimed_by_its_name(tmp_path, name, claimed):
    (tmp_path / name).write_bytes(b"no xml")
    assert [bool(s.find(tmp_path)) for s in (SOURCE, ndw_datex.SOURCE)] == [claimed, not claimed]


def test_the_table_is_recognised_by_its_content():
    head = Head("x", table(site(measures())))
    assert SOURCE.recognises(head) and not ndw_datex.SOURCE.recognises(head)
