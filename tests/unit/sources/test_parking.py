"""Parking places."""

import re

import polars as pl
import pytest

from groningen_data.sources.base import Head
from groningen_data.sources.parking import SOURCE, parse_parking

PLACES = "parkeernummer;naam;soort;capaciteit;breedtegraad;lengtegraad\nP1;Forum;Parkeergarage;390;53.215;6.565\n"


def rows(payload, context, *texts: str) -> pl.DataFrame:
    delivered = [payload(SOURCE, f"{n}.csv", text.encode()) for n, text in enumerate(texts)]
    return pl.concat(list(parse_parking(delivered, "snapshot", context())))


def test_a_place_gets_its_kind_and_neighbourhood(payload, context):
    row = rows(payload, context, PLACES).row(0, named=True)
    assert (row["parking_id"], row["parking_name"], row["capacity"]) == ("P1", "Forum", 390)
    assert (row["parking_kind"], row["kind_name"]) == ("garage", "Parkeergarage")
    assert (row["neighbourhood_code"], row["location_status"], row["_problems"]) == ("BU00140001", "inside", [])


@pytest.mark.parametrize(("name", "code"), [("P+R", "park_and_ride"), ("terrein", "lot"), ("boomhut", "other"), ("", "other")])
def test_kinds_that_are_not_known_are_other(payload, context, name, code):
    row = rows(payload, context, PLACES.replace("Parkeergarage", name)).row(0, named=True)
    assert (row["parking_kind"], row["kind_name"]) == (code, name or None)


def test_a_capacity_that_is_not_there_says_so(payload, context):
    row = rows(payload, context, PLACES.replace("390", "")).row(0, named=True)
    assert (row["capacity"], row["capacity_missing_reason"]) == (None, "not_delivered")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [("390", "veel", "capacity.type"), ("53.215", "noord", "latitude.type"), ("6.565", "oost", "longitude.type")],
)
def test_a_broken_row_is_kept_and_marked(payload, context, old, new, problem):
    row = rows(payload, context, PLACES.replace(old, new)).row(0, named=True)
    assert row["_problems"] == [problem]
    assert new in row["_original"]


def test_the_list_landed_last_counts(payload, context):
    assert rows(payload, context, PLACES, PLACES.replace("P1", "P2"))["parking_id"].to_list() == ["P2"]


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
def test_a_broken_payload_is_refused_with_its_reason(payload, broken, phrase):
    delivered = payload(SOURCE, "a.csv", broken(PLACES))
    assert delivered.batches == ()
    assert re.search(phrase, delivered.problem or "")


def test_a_list_is_recognised_by_its_columns():
    assert SOURCE.recognises(Head("x", PLACES.encode()))
    assert not SOURCE.recognises(Head("x", PLACES.replace("soort", "type").encode()))
