"""The daily snapshots of open public-space reports."""

import gzip
import json
from datetime import UTC, date, datetime

import polars as pl
import pytest

from groningen_data.sources.signalen import SOURCE, parse_open_reports

REPORT = {
    "id": "a1",
    "lng": 6.555,
    "lat": 53.215,
    "category": "Afval",
    "category_slug": "afval",
    "subcategory": "Container is vol",
    "subcategory_slug": "container-is-vol",
    "created_at": "2026-05-17T22:40:49.93+00:00",
    "wijk": "Centrum",
}


def snapshot(payload, *reports: object, name: str = "2026-05-18.json"):
    return payload(SOURCE, name, json.dumps(list(reports)).encode())


def rows(payloads, context) -> pl.DataFrame:
    return pl.concat(list(parse_open_reports(payloads, payloads[-1].batches[0], context)))


def test_a_report_gets_its_day_kind_and_neighbourhood(payload, context):
    row = rows([snapshot(payload, REPORT)], context()).row(0, named=True)
    assert (row["snapshot_on"], row["report_id"]) == (date(2026, 5, 18), "a1")
    assert row["created_at"] == datetime(2026, 5, 17, 22, 40, 49, 930000, tzinfo=UTC)
    assert row["created_on"] == date(2026, 5, 18)
    assert (row["waste_kind"], row["neighbourhood_code"], row["location_status"]) == ("container_full", "BU00140000", "inside")
    assert row["_problems"] == []


@pytest.mark.parametrize(
    "text", ["2026-05-17T22:40:49.938763Z", "2026-05-18T00:40:49.938763+02:00", "2026-05-17T22:40:49.938763+0000"]
)
def test_any_offset_becomes_utc(payload, context, text):
    row = rows([snapshot(payload, REPORT | {"created_at": text})], context()).row(0, named=True)
    assert row["created_at"] == datetime(2026, 5, 17, 22, 40, 49, 938763, tzinfo=UTC)


@pytest.mark.parametrize(
    ("main", "category", "kind"),
    [
        ("afval", "dumping", "dumping"),
        ("afval", "container-bijplaatsing", "beside_container"),
        ("afval", "iets-nieuws", "other_waste"),
        ("overig", "dumping", None),
    ],
)
def test_categories_decide_the_kind_of_waste(payload, context, main, category, kind):
    report = REPORT | {"category_slug": main, "subcategory_slug": category}
    assert rows([snapshot(payload, report)], context())["waste_kind"].to_list() == [kind]


def test_swapped_coordinates_are_put_right_and_noted(payload, context):
    made = context()
    found = rows([snapshot(payload, REPORT | {"lng": 53.215, "lat": 6.555})], made)
    assert (found["longitude"].item(), found["location_status"].item()) == (6.555, "inside")
    assert made.notes["coordinates_swapped"] is True


def test_one_swapped_point_among_others_is_left_to_the_contract(payload, context):
    made = context()
    found = rows([snapshot(payload, REPORT, REPORT | {"id": "b", "lng": 53.215, "lat": 6.555})], made)
    assert found["longitude"].to_list() == [6.555, 53.215]
    assert made.notes["coordinates_swapped"] is False


def test_a_report_without_coordinates_has_no_location(payload, context):
    found = rows([snapshot(payload, REPORT | {"lng": None, "lat": None})], context())
    assert found["location_status"].to_list() == ["no_location"]


def test_free_text_and_reporter_reach_nothing(payload, context):
    secret = REPORT | {"text": "bel mij op 06", "reporter": {"email": "iemand@example.org"}, "id": 7, "lng": "oost"}
    made = context()
    found = rows([snapshot(payload, secret)], made)
    assert "06" not in found["_original"].item() and "example" not in str(found.to_dicts())
    assert made.notes["fields_not_read"] == ["reporter", "text"]
    assert found["_problems"].to_list() == [["longitude.type"]]


def test_the_last_delivery_of_a_day_wins(payload, context):
    old = snapshot(payload, REPORT, name="2026-05-18.json")
    new = snapshot(payload, REPORT, REPORT | {"id": "b"}, name="opnieuw 2026-05-18.json")
    assert rows([old, new], context()).height == 2


def test_the_day_is_found_in_any_name_of_a_packed_file(payload):
    delivered = payload(SOURCE, "meldingen_2026-05-18_open.json.gz", gzip.compress(json.dumps([REPORT]).encode()))
    assert delivered.batches == ("2026-05-18",)


def test_the_real_snapshots_are_read_completely(real_payloads, context):
    delivered = real_payloads(SOURCE)
    assert (len(delivered), delivered[0].batches, delivered[-1].batches) == (59, ("2026-05-18",), ("2026-07-15",))
    found = pl.concat([rows([p], context()) for p in delivered])
    assert (found.height, found["report_id"].n_unique()) == (20_133, 2_405)
    assert found["_problems"].list.len().sum() == 0
    assert found["created_at"].null_count() == 0
    assert found.filter(waste_kind="dumping").height == 1_362 + 66
