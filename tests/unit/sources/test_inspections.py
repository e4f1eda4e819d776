"""Inspections of container places in the municipality's own form."""

import re
from datetime import UTC, date, datetime

import polars as pl
import pytest

from groningen_data.contracts.waste.inspections import WasteInspections
from groningen_data.gate.judge import judge
from groningen_data.sources.inspections import SOURCE, parse_inspections

HEADER = "schouwnummer;containercode;tijdstip;breedtegraad;lengtegraad;bijplaatsing;grofvuil_stuks;oorzaak;opmerking_code\n"
FIELDS = ("S1", "10001", "2026-03-02T10:15:00", "53.215", "6.555", "ja", "3", "grofvuil", "A1")


def line(**changed: str) -> str:
    names = HEADER.strip().split(";")
    return ";".join((dict(zip(names, FIELDS, strict=True)) | changed).values()) + "\n"


def rows(payloads, context, key: str = "2026-03") -> pl.DataFrame:
    return pl.concat(list(parse_inspections(payloads, key, context)))


def one(payload, context, **changed: str) -> dict:
    return rows([payload(SOURCE, "a.csv", (HEADER + line(**changed)).encode())], context()).row(0, named=True)


def test_an_inspection_gets_its_month_time_and_neighbourhood(payload, context):
    delivered = payload(SOURCE, "a.csv", (HEADER + line()).encode())
    found = rows([delivered], context())
    row = found.row(0, named=True)
    assert (delivered.batches, row["month"], row["inspected_on"]) == (("2026-03",), "2026-03", date(2026, 3, 2))
    assert (row["inspected_at"], row["local_hour"], row["weekday"]) == (datetime(2026, 3, 2, 9, 15, tzinfo=UTC), 10, 1)
    assert (row["is_waste_beside"], row["bulky_items"], row["cause_code"], row["remark_code"]) == (True, 3, "bulky", "A1")
    assert (row["container_code"], row["neighbourhood_code"], row["location_status"]) == ("10001", "BU00140000", "inside")
    assert judge(WasteInspections, found).accepted.height == 1


@pytest.mark.parametrize(
    ("changed", "values"),
    [
        ({"bijplaatsing": "nee", "oorzaak": ""}, {"is_waste_beside": False, "cause_code": None}),
        ({"bijplaatsing": " Ja "}, {"is_waste_beside": True}),
        ({"grofvuil_stuks": ""}, {"bulky_items": None, "bulky_missing_reason": "not_counted"}),
        ({"grofvuil_stuks": "0"}, {"bulky_items": 0, "bulky_missing_reason": None}),
        (
            {"containercode": "", "lengtegraad": "", "breedtegraad": ""},
            {"container_code": None, "location_status": "no_location"},
        ),
        ({"tijdstip": "2026-03-02 10:15"}, {"local_hour": 10}),
        ({"oorzaak": "BOUWAFVAL"}, {"cause_code": "construction"}),
    ],
)
def test_what_may_be_empty_or_written_otherwise(payload, context, changed, values):
    row = one(payload, context, **changed)
    assert row["_problems"] == [] and {k: row[k] for k in values} == values


def test_a_remark_that_is_text_is_not_read(payload, context):
    made = context()
    secret = line(opmerking_code="bel mevrouw Jansen op 06 12345678", bijplaatsing="misschien")
    found = rows([payload(SOURCE, "a.csv", (HEADER + secret).encode())], made)
    assert (found["remark_code"].item(), made.notes["remarks_not_read"]) == (None, 1)
    assert "Jansen" not in str(found.to_dicts())


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({"tijdstip": "2026-03-32T10:00:00"}, ["inspected_at.type"]),
        ({"tijdstip": "2026-03-29T02:30:00"}, ["inspected_at.nonexistent"]),
        ({"bijplaatsing": "misschien"}, ["is_waste_beside.type"]),
        ({"grofvuil_stuks": "drie"}, ["bulky_items.type"]),
        ({"oorzaak": "wind"}, ["cause_code.unknown"]),
        ({"lengtegraad": "oost"}, ["longitude.type"]),
    ],
)
def test_a_broken_row_is_kept_and_marked(payload, context, changed, problems):
    delivered = payload(SOURCE, "a.csv", (HEADER + line() + line(schouwnummer="S2", **changed)).encode())
    found = rows([delivered], context())
    assert found["_problems"].to_list() == [[], problems]
    assert '"schouwnummer":"S2"' in found["_original"][1]


def test_an_answer_that_is_missing_is_quarantined(payload, context):
    found = rows([payload(SOURCE, "a.csv", (HEADER + line(bijplaatsing="")).encode())], context())
    assert judge(WasteInspections, found).quarantined["rules"].to_list() == [["is_waste_beside.required"]]


def test_a_file_feeds_each_of_its_months_and_a_later_delivery_counts(payload, context):
    first = payload(SOURCE, "a.csv", (HEADER + line() + line(schouwnummer="S2", tijdstip="2026-04-01T00:10:00")).encode())
    second = payload(SOURCE, "b.csv", (HEADER + line(grofvuil_stuks="5")).encode())
    assert first.batches == ("2026-03", "2026-04")
    assert rows([first, second], context())["bulky_items"].to_list() == [5]
    assert rows([first], context(), "2026-04")["inspection_id"].to_list() == ["S2"]


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (HEADER.encode(), "no rows"),
        ((HEADER + line()).encode()[:-25], "cut off in its last line"),
        ((HEADER + line()).replace("oorzaak", "reden").encode(), r"misses column\(s\) oorzaak; new are reden"),
        ((HEADER + line(tijdstip="maandag")).encode(), "no row with a readable tijdstip"),
        ((HEADER + line()).encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_broken_file_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "inspections.csv", data)
    assert delivered.batches == () and delivered.way_out
    assert re.search(phrase, delivered.problem or "")
