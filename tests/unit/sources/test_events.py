"""Events, road works and closures."""

import re
from datetime import UTC, date, datetime

import polars as pl
import pytest

from groningen_data.sources.base import Head
from groningen_data.sources.events import SOURCE, parse_events

HEADER = "nummer;soort;naam;begin;eind;wegnaam;breedtegraad;lengtegraad;hinder\n"
USUAL = "E1;evenement;Markt;2026-03-01T10:00:00;2026-03-01T18:00:00;Grote Markt;53.215;6.565;Klein\n"


def rows(payloads, context) -> pl.DataFrame:
    return pl.concat(list(parse_events(payloads, "snapshot", context())))


def one(payload, context, line: str, header: str = HEADER) -> dict:
    return rows([payload(SOURCE, "a.csv", (header + line).encode())], context).row(0, named=True)


def test_an_event_gets_its_time_and_place(payload, context):
    row = one(payload, context, USUAL)
    assert (row["event_id"], row["event_kind"], row["name"], row["road_name"]) == ("E1", "event", "Markt", "Grote Markt")
    assert (row["starts_at"], row["ends_at"]) == (datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 3, 1, 17, tzinfo=UTC))
    assert (row["starts_on"], row["ends_on"], row["end_missing_reason"]) == (date(2026, 3, 1), date(2026, 3, 1), None)
    assert (row["neighbourhood_code"], row["location_status"], row["hindrance"]) == ("BU00140001", "inside", "klein")


@pytest.mark.parametrize(("kind", "code"), [("wegwerkzaamheden", "road_works"), ("Afsluiting ", "closure")])
def test_kinds_have_codes(payload, context, kind, code):
    assert one(payload, context, USUAL.replace("evenement", kind))["event_kind"] == code


def test_an_end_that_is_not_known_says_so(payload, context):
    row = one(payload, context, USUAL.replace("2026-03-01T18:00:00", ""))
    assert (row["ends_at"], row["ends_on"], row["end_missing_reason"]) == (None, None, "not_known_yet")


@pytest.mark.parametrize(
    ("end", "instant", "last_day"),
    [
        ("2026-03-03", datetime(2026, 3, 3, 23, tzinfo=UTC), date(2026, 3, 3)),
        ("2026-03-04T00:00:00", datetime(2026, 3, 3, 23, tzinfo=UTC), date(2026, 3, 3)),
        ("2026-03-04 00:01", datetime(2026, 3, 3, 23, 1, tzinfo=UTC), date(2026, 3, 4)),
    ],
)
def test_the_last_day_is_the_last_on_which_it_lasts(payload, context, end, instant, last_day):
    row = one(payload, context, USUAL.replace("2026-03-01T18:00:00", end))
    assert (row["ends_at"], row["ends_on"]) == (instant, last_day)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("evenement", "optocht", "event_kind.unknown"),
        ("2026-03-01T10:00:00", "1 maart", "starts_at.type"),
        ("2026-03-01T10:00:00", "2025-03-30T02:30:00", "starts_at.nonexistent"),
        ("2026-03-01T18:00:00", "straks", "ends_at.type"),
        ("2026-03-01T18:00:00", "2026-03-29T02:30:00", "ends_at.nonexistent"),
        ("2026-03-01T18:00:00", "2026-02-01T18:00:00", "ends_at.before_start"),
        ("53.215", "noord", "latitude.type"),
    ],
)
def test_a_broken_row_is_kept_and_marked(payload, context, old, new, problem):
    row = one(payload, context, USUAL.replace(old, new))
    assert row["_problems"] == [problem]
    assert new in row["_original"]


def test_of_the_same_number_the_last_delivery_counts_and_the_others_stay(payload, context):
    old = payload(SOURCE, "a.csv", (HEADER + USUAL + USUAL.replace("E1", "E2")).encode())
    new = payload(SOURCE, "b.csv", (HEADER + USUAL.replace("Markt;2", "Kermis;2")).encode())
    assert sorted(rows([old, new], context).select("event_id", "name").rows()) == [("E1", "Kermis"), ("E2", "Markt")]


def test_commas_other_columns_and_no_hindrance_are_fine(payload, context):
    header, line = HEADER.replace(";hinder", ";extra").replace(";", ","), USUAL.replace(";", ",")
    row = one(payload, context, line, header)
    assert (row["event_id"], row["hindrance"]) == ("E1", None)


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (HEADER.encode(), "no rows"),
        ((HEADER + USUAL).encode()[:-20], "cut off in its last line"),
        ((HEADER.replace("begin", "start") + USUAL).encode(), r"misses column\(s\) begin"),
        ((HEADER + USUAL).encode("utf-16"), "not UTF-8"),
        (b"{}", "not text with a header"),
    ],
)
def test_a_broken_payload_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "events.csv", data)
    assert delivered.batches == ()
    assert re.search(phrase, delivered.problem or "")


def test_a_list_is_recognised_by_its_columns():
    assert SOURCE.recognises(Head("x", (HEADER + USUAL).encode()))
    assert not SOURCE.recognises(Head("x", b"nummer;soort;naam\n"))
