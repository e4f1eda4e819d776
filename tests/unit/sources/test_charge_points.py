"""Charge points: what is made of OCPI locations, and how NDW's file is pulled."""

import gzip
import json
import re

import polars as pl
import pytest

from groningen_data.sources.base import Head
from groningen_data.sources.charge_points import FILE, SOURCE, parse_charge_points


def connector(**more):
    return {"id": "1", "power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": 16, **more}


def evse(uid="1", status="AVAILABLE", connectors=None, **more):
    return {
        "uid": uid,
        "status": status,
        "connectors": connectors or [connector()],
        "last_updated": "2026-03-15T10:00:00Z",
        **more,
    }


def location(*evses, **more):
    found = {"country_code": "NL", "party_id": "LST", "id": "L1", "coordinates": {"latitude": "53.215", "longitude": "6.565"}}
    return {**found, "evses": list(evses), "operator": {"name": "Laadstad"}, "last_updated": "2026-03-15T10:00:00Z", **more}


def packed(*locations) -> bytes:
    return gzip.compress(json.dumps(locations).encode())


def rows(payload, context, *locations) -> pl.DataFrame:
    return pl.concat(list(parse_charge_points([payload(SOURCE, FILE, packed(*locations))], "snapshot", context())))


def test_a_charge_point_gets_its_neighbourhood_power_and_status(payload, context):
    row = rows(payload, context, location(evse())).row(0, named=True)
    assert (row["charge_point_id"], row["location_id"], row["operator_name"]) == ("NL*LST*1", "NL*LST*L1", "Laadstad")
    assert (row["sockets"], row["status_code"], row["status_name"]) == (1, "in_service", "AVAILABLE")
    assert (row["neighbourhood_code"], row["_problems"]) == ("BU00140001", [])
    assert row["updated_at"].isoformat() == "2026-03-15T10:00:00+00:00"


@pytest.mark.parametrize(
    ("connectors", "power_kw", "is_derived"),
    [
        ([connector()], 11.04, True),
        ([connector(max_voltage=400)], 11.085, True),
        ([connector(power_type="AC_1_PHASE")], 3.68, True),
        ([connector(max_electric_power=7400)], 7.4, False),
        ([connector(), connector(power_type="DC", max_electric_power=50_000)], 50.0, False),
        ([connector(max_voltage=0)], None, None),
    ],
)
def test_power_is_that_of_the_strongest_connector(payload, context, connectors, power_kw, is_derived):
    row = rows(payload, context, location(evse(connectors=connectors))).row(0, named=True)
    assert row["power_kw"] == (pytest.approx(power_kw, abs=0.001) if power_kw else None)
    assert (row["is_power_derived"], row["power_missing_reason"]) == (is_derived, None if power_kw else "not_delivered")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("charging", "in_service"),
        ("OUTOFORDER", "fault"),
        ("INOPERATIVE", "out_of_service"),
        ("UNKNOWN", "unknown"),
        ("ODD", "other"),
    ],
)
def test_statuses_of_ocpi_have_a_code(payload, context, status, code):
    assert rows(payload, context, location(evse(status=status)))["status_code"].to_list() == [code]


def test_only_public_charge_points_of_the_municipality_that_are_still_there_are_kept(payload, context):
    elsewhere = {"latitude": "52.37", "longitude": "4.9"}
    found = rows(
        payload,
        context,
        location(evse("1"), evse("2", status="REMOVED"), evse("3", coordinates=elsewhere)),
        location(evse("4"), id="L2", coordinates=elsewhere),
        location(evse("5"), id="L3", publish=False),
        location(evse("6"), id="L4", coordinates=None),
    )
    assert found["charge_point_id"].to_list() == ["NL*LST*1"]


def test_of_a_location_that_is_there_twice_the_newest_counts(payload, context):
    older = location(evse("1", status="UNKNOWN"), evse("2"), last_updated="2024-01-01T00:00:00Z")
    assert rows(payload, context, location(evse("1")), older)["status_name"].to_list() == ["AVAILABLE"]


def test_a_location_that_is_there_twice_to_the_letter_counts_once(payload, context):
    assert rows(payload, context, location(evse("1")), location(evse("1")))["charge_point_id"].to_list() == ["NL*LST*1"]


@pytest.mark.parametrize("odd", ["text", 7, {"a": 1}, [None, 3, "x", []], None])
def test_what_is_no_list_of_objects_loses_nothing_else(payload, context, odd):
    found = rows(
        payload, context, location(evse("1")), location(id="L2", evses=odd), location(evse("3") | {"connectors": odd}, id=None)
    )
    kept = found.filter(found["charge_point_id"].is_not_null())
    assert kept.select("charge_point_id", "location_id").rows() == [("NL*LST*1", "NL*LST*L1"), ("NL*LST*3", None)]


def test_a_time_without_offset_is_utc(payload, context):
    row = rows(payload, context, location(evse(last_updated="2026-03-15T10:00:00"))).row(0, named=True)
    assert row["updated_at"].isoformat() == "2026-03-15T10:00:00+00:00"


def test_a_power_that_is_no_number_is_kept_and_marked(payload, context):
    row = rows(payload, context, location(evse(connectors=[connector(max_electric_power="sterk")]))).row(0, named=True)
    assert row["_problems"] == ["power_kw.type"] and "sterk" in row["_original"]


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (packed(), "lists no locations"),
        (packed(location(evse()))[:-30], "gzip stream is broken"),
        (json.dumps([location(evse())]).encode()[:-5], "not one complete JSON list"),
        (b'{"data": []}', "not one complete JSON list"),
        (packed({"id": "L1"}), "locations without evses, coordinates"),
        ("[]".encode("utf-16"), "not UTF-8"),
    ],
    ids=["empty", "no locations", "cut off gzip", "cut off", "no list", "other fields", "encoding"],
)
def test_a_broken_file_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, FILE, data)
    assert delivered.batches == () and re.search(phrase, delivered.problem or "")


def test_a_file_of_other_cities_is_refused(payload, context):
    with pytest.raises(Exception, match="no charge point in the municipality"):
        rows(payload, context, location(evse(), coordinates={"latitude": "52.37", "longitude": "4.9"}))


def test_the_file_is_recognised_by_its_content():
    assert SOURCE.recognises(Head("x", json.dumps([location(evse())]).encode()))
    assert not SOURCE.recognises(Head("x", b'[{"evses": 1}]'))
