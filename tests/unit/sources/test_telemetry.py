"""Fill levels in the municipality's own form: CSV, JSON and Parquet."""

import gzip
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO

import polars as pl
import pytest

from groningen_data.contracts.waste.fill_levels import WasteFillLevels
from groningen_data.gate.judge import judge
from groningen_data.sources.telemetry import SOURCE, parse_fill_levels

HEADER = "containercode;tijdstip;vulgraad;vullingGewicht\n"
LINE = "10001;2026-03-02T08:05:00+01:00;57;120\n"
CSV = HEADER + LINE
DAY = "2026-03-02/telemetry"
AT = datetime(2026, 3, 2, 8, 5, tzinfo=timezone(timedelta(hours=1)))


def js(*readings: object) -> bytes:
    return json.dumps({"vulgraadmetingen": list(readings)}).encode()


def parquet(**columns: object) -> bytes:
    buffer = BytesIO()
    pl.DataFrame(columns).write_parquet(buffer)
    return buffer.getvalue()


READING = {"containercode": "10001", "tijdstip": "2026-03-02T08:05:00+01:00", "vulgraad": 57, "vullingGewicht": 120}
TEXTS = {name: [str(value)] for name, value in READING.items()}


def rows(payloads, context, key: str = DAY) -> pl.DataFrame:
    return pl.concat(list(parse_fill_levels(payloads, key, context)))


def one(payload, context, data: bytes) -> dict:
    delivered = payload(SOURCE, "x", data)
    assert delivered.problem is None
    return rows([delivered], context, delivered.batches[0]).row(0, named=True)


@pytest.mark.parametrize(
    "data",
    [
        CSV.encode(),
        gzip.compress(CSV.encode(), mtime=0),
        ("\ufeff" + CSV.replace("\n", "\r\n")).encode(),
        CSV.replace(";", ",").encode(),
        CSV.replace("T08:05:00+", " 08:05+").encode(),
        b'"vulgraad";"tijdstip";"extra";"containercode";"vullingGewicht"\n57;2026-03-02T08:05:00+01:00;x; 10001 ;120\n',
        js(READING),
        js(READING | {"vulgraad": "57", "extra": [1]}),
        parquet(**TEXTS),
        parquet(**TEXTS | {"vulgraad": [57], "vullingGewicht": [120], "tijdstip": [AT]}),
        parquet(**TEXTS | {"vulgraad": [57.0], "vullingGewicht": [120], "tijdstip": [AT]}),
    ],
    ids=[
        "csv",
        "gzip",
        "bom and crlf",
        "commas",
        "no seconds",
        "other order",
        "json",
        "json texts",
        "parquet texts",
        "parquet",
        "parquet floats",
    ],
)
def test_every_form_gives_the_same_reading(payload, context, data):
    row = one(payload, context(), data)
    assert (row["source_code"], row["container_code"]) == ("telemetry", "10001")
    assert row["measured_at"] == datetime(2026, 3, 2, 7, 5, tzinfo=UTC)
    assert (str(row["local_date"]), row["local_hour"], row["weekday"]) == ("2026-03-02", 8, 1)
    assert (row["fill_pct"], row["fill_missing_reason"], row["content_weight_kg"], row["_problems"]) == (57.0, None, 120.0, [])


@pytest.mark.parametrize(
    "data",
    [
        CSV.replace(";57;120", ";;").encode(),
        CSV.replace(";57;120", ";  ;").encode(),
        js(READING | {"vulgraad": None}),
        js(READING | {"vulgraad": ""}),
        parquet(**TEXTS | {"vulgraad": pl.Series([None], dtype=pl.Int32)}),
        parquet(**TEXTS | {"vulgraad": [float("nan")]}),
    ],
    ids=["csv", "csv spaces", "json null", "json empty", "parquet null", "parquet nan"],
)
def test_an_empty_level_is_no_reading_and_never_zero(payload, context, data):
    row = one(payload, context(), data)
    assert (row["fill_pct"], row["fill_missing_reason"], row["_problems"]) == (None, "no_reading", [])


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ("10001;2026-03-02T08:05:00+01:00;-1;", ["fill_pct.in_range"]),
        ("10001;2026-03-02T08:05:00+01:00;151;", ["fill_pct.in_range"]),
        ("10001;2026-03-02T08:05:00+01:00;ERR;", ["fill_pct.type"]),
        ("10001;2026-03-02T08:05:00+01:00;5;zwaar", ["content_weight_kg.type"]),
        ("10001;2026-03-02T08:05:00;5;", ["measured_at.type"]),
        ("10001;;5;", ["measured_at.type"]),
        (";2026-03-02T08:05:00+01:00;5;", ["container_code.required"]),
    ],
)
def test_a_broken_row_is_quarantined_with_its_rule_and_the_others_are_not(payload, context, line, rules):
    delivered = payload(SOURCE, "x.csv", (CSV + line + "\n").encode())
    judged = judge(WasteFillLevels, rows([delivered], context()))
    assert (judged.accepted.height, judged.quarantined["rules"].to_list()) == (1, [rules])
    assert judged.quarantined["original"].item().startswith('{"containercode":')


def test_a_press_may_be_fuller_than_full(payload, context):
    assert (
        judge(WasteFillLevels, rows([payload(SOURCE, "x", CSV.replace(";57;", ";150;").encode())], context())).accepted.height
        == 1
    )


def test_readings_fall_on_their_own_local_day_also_when_they_come_later(payload, context):
    late = "10001;2026-03-02T23:30:00Z;9;\n10002;2026-03-02T22:30:00Z;8;\n"
    delivered = payload(SOURCE, "x.csv", (HEADER + late).encode())
    assert delivered.batches == ("2026-03-02/telemetry", "2026-03-03/telemetry")
    assert rows([delivered], context(), "2026-03-03/telemetry")["container_code"].to_list() == ["10001"]


def test_the_hour_that_occurs_twice_is_told_apart_by_its_offset(payload, context):
    lines = "10001;2026-10-25T02:30:00+02:00;1;\n10001;2026-10-25T02:30:00+01:00;2;\n"
    found = rows([payload(SOURCE, "x.csv", (HEADER + lines).encode())], context(), "2026-10-25/telemetry")
    assert found["measured_at"].dt.hour().to_list() == [0, 1]
    assert found["local_hour"].to_list() == [2, 2]


def test_a_later_delivery_of_the_same_reading_counts(payload, context):
    first = payload(SOURCE, "a.csv", (CSV + "10002;2026-03-02T08:05:00+01:00;300;\n").encode())
    second = payload(SOURCE, "b.json", js(READING | {"vulgraad": 60}, READING | {"containercode": "10002", "vulgraad": 30}))
    made = context()
    assert dict(rows([first, second], made).select("container_code", "fill_pct").iter_rows()) == {"10001": 60.0, "10002": 30.0}
    assert (made.notes["rows_read"], made.notes["rows_delivered_anew"]) == (4, 2)


def test_a_row_that_could_not_be_read_goes_when_its_file_is_delivered_anew(payload, context):
    broken = payload(SOURCE, "a.csv", (CSV + "10002;straks;3;\n").encode())
    mended = payload(SOURCE, "a.csv", (CSV + "10002;2026-03-02T09:05:00+01:00;3;\n").encode())
    elsewhere = payload(SOURCE, "b.csv", CSV.encode())
    assert rows([broken, mended], context())["_problems"].list.len().sum() == 0
    assert rows([broken, elsewhere], context())["_problems"].list.len().sum() == 1


def test_clashing_readings_of_one_file_are_left_to_the_gate(payload, context):
    assert rows([payload(SOURCE, "a.csv", (CSV + LINE + LINE.replace("57", "58")).encode())], context()).height == 3


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (HEADER.encode(), "no rows"),
        (CSV.encode()[:-20], "cut off in its last line"),
        (CSV.replace("vulgraad", "vullingsgraad").encode(), r"misses column\(s\) vulgraad; new are vullingsgraad"),
        (CSV.replace("2026-03-02T08:05:00+01:00", "2 maart").encode(), "no row with a readable time"),
        (CSV.encode("utf-16"), "not UTF-8"),
        ((CSV + "1;2;3;4;5;6\n").encode(), "not readable as CSV"),
        (b"<html><body>Not found</body></html>", "not text with a header"),
        (gzip.compress(CSV.encode() * 50, mtime=0)[:-20], "gzip stream is broken"),
        (js(), "lists no vulgraadmetingen"),
        (js(READING)[:-9], "not complete JSON"),
        (b'{"fout": "geen toegang"}', "holds no list of vulgraadmetingen"),
        (js({"containercode": 1}), r"misses column\(s\) tijdstip, vulgraad"),
        (parquet(**TEXTS)[:-9], "not complete Parquet"),
        (parquet(containercode=["1"]), r"misses column\(s\) tijdstip, vulgraad"),
        (parquet(**TEXTS | {"tijdstip": [AT.replace(tzinfo=None)]}), "times without a time zone"),
        (parquet(**TEXTS | {"tijdstip": [1_772_435_100]}), "times without a time zone"),
        (parquet(**{name: pl.Series([], dtype=pl.String) for name in TEXTS}), "columns but no rows"),
    ],
)
def test_a_broken_payload_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "fill_levels_2026-03-02", data)
    assert delivered.batches == () and delivered.way_out
    assert re.search(phrase, delivered.problem or "")


def test_what_is_no_object_in_json_is_marked(payload, context):
    assert rows([payload(SOURCE, "a.json", js(READING, 7))], context())["_problems"].to_list() == [
        [],
        ["row.type", "measured_at.type"],
    ]
