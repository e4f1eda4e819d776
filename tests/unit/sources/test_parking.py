"""Parking places and charge points."""

import re

import polars as pl
import pytest

from groningen_data.sources.base import Head
from groningen_data.sources.parking import CHARGE_POINTS, PARKING, parse_charge_points, parse_parking

PLACES = "parkeernummer;naam;soort;capaciteit;breedtegraad;lengtegraad\nP1;Forum;Parkeergarage;390;53.215;6.565\n"
POINTS = (
    "laadpaalnummer;exploitant;aansluitingen;vermogen_kw;status;breedtegraad;lengtegraad\n"
    "L1;Laadbedrijf;2;11,0;in_bedrijf;53.215;6.565\n"
)
SOURCES = {PARKING: (parse_parking, PLACES), CHARGE_POINTS: (parse_charge_points, POINTS)}


def rows(payload, context, source, *texts: str) -> pl.DataFrame:
    delivered = [payload(source, f"{n}.csv", text.encode()) for n, text in enumerate(texts)]
    return pl.concat(list(SOURCES[source][0](delivered, "snapshot", context())))


def test_a_place_gets_its_kind_and_neighbourhood(payload, context):
    row = rows(payload, context, PARKING, PLACES).row(0, named=True)
    assert (row["parking_id"], row["parking_name"], row["capacity"]) == ("P1", "Forum", 390)
    assert (row["parking_kind"], row["kind_name"]) == ("garage", "Parkeergarage")
    assert (row["neighbourhood_code"], row["location_status"], row["_problems"]) == ("BU00140001", "inside", [])


@pytest.mark.parametrize(("name", "code"), [("P+R", "park_and_ride"), ("terrein", "lot"), ("boomhut", "other"), ("", "other")])
def test_kinds_that_are_not_known_are_other(payload, context, name, code):
    row = rows(payload, context, PARKING, PLACES.replace("Parkeergarage", name)).row(0, named=True)
    assert (row["parking_kind"], row["kind_name"]) == (code, name or None)


def test_a_charge_point_gets_its_power_and_status(payload, context):
    row = rows(payload, context, CHARGE_POINTS, POINTS).row(0, named=True)
    assert (row["charge_point_id"], row["operator_name"], row["sockets"], row["power_kw"]) == ("L1", "Laadbedrijf", 2, 11.0)
    assert (row["status_code"], row["status_name"], row["location_status"]) == ("in_service", "in_bedrijf", "inside")


def test_figures_that_are_not_there_say_so(payload, context):
    row = rows(payload, context, CHARGE_POINTS, POINTS.replace(";2;11,0;in_bedrijf", ";;;")).row(0, named=True)
    assert (row["sockets"], row["sockets_missing_reason"]) == (None, "not_delivered")
    assert (row["power_kw"], row["power_missing_reason"], row["status_code"]) == (None, "not_delivered", None)
    row = rows(payload, context, PARKING, PLACES.replace("390", "")).row(0, named=True)
    assert (row["capacity"], row["capacity_missing_reason"]) == (None, "not_delivered")


@pytest.mark.parametrize(
    ("source", "old", "new", "problem"),
    [
        (PARKING, "390", "veel", "capacity.type"),
        (PARKING, "53.215", "noord", "latitude.type"),
        (CHARGE_POINTS, ";2;", ";twee;", "sockets.type"),
        (CHARGE_POINTS, "11,0", "sterk", "power_kw.type"),
        (CHARGE_POINTS, "6.565", "oost", "longitude.type"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_broken_row_is_kept_and_marked(payload, context, source, old, new, problem):
    row = rows(payload, context, source, SOURCES[source][1].replace(old, new)).row(0, named=True)
    assert row["_problems"] == [problem]
    assert new.strip(";") in row["_original"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_the_list_landed_last_counts(payload, context, source):
    text = SOURCES[source][1]
    found = rows(payload, context, source, text, text.replace("P1", "P2").replace("L1", "L2"))
    assert found[found.columns[0]].to_list() in (["P2"], ["L2"])


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
@pytest.mark.parametrize(
    ("broken", "phrase"),
    [
        (lambda text: b"", "is empty"),
        (lambda text: text.split("\n")[0].encode(), "no rows"),
        (lambda text: text.encode()[:-20], "cut off in its last line"),
        (lambda text: text.replace("breedtegraad", "y").encode(), r"misses column\(s\) breedtegraad"),
        (lambda text: text.encode("utf-16"), "not UTF-8"),
        (lambda text: b"[]", "not text with a header"),
    ],
    ids=["empty", "header only", "cut off", "missing column", "wrong encoding", "wrong type"],
)
def test_a_broken_payload_is_refused_with_its_reason(payload, source, broken, phrase):
    delivered = payload(source, "a.csv", broken(SOURCES[source][1]))
    assert delivered.batches == ()
    assert re.search(phrase, delivered.problem or "")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_list_is_recognised_by_its_columns(source):
    head = Head("x", SOURCES[source][1].encode())
    assert [s.name for s in SOURCES if s.recognises(head)] == [source.name]
