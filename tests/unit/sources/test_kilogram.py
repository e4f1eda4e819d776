"""Weighings of collection vehicles, as the Kilogram system answers."""

import json
import re
from datetime import UTC, datetime

import polars as pl
import pytest

from groningen_data.contracts.waste.emptyings import WasteEmptyings
from groningen_data.gate.judge import judge
from groningen_data.sources.kilogram import SOURCE, parse_emptyings

RECORD = {
    "SystemId": "31",
    "Seq": "6210",
    "Date": "2026-03-02",
    "Time": "10:14:33",
    "CustId": "5743116",
    "NoOfCont": "1",
    "ContIds": "14974",
    "Location": "Tielstraat 4711",
    "FractionId": "Rest",
    "FirstWeight": "1130",
    "SecondWeight": "780",
    "NettWeight": "350",
    "Latitude": "53.21500",
    "Longitude": "6.55500",
}
DAY = "2026-03-02/kilogram"


def answer(*records: dict, **members: object) -> bytes:
    fields = list(records[0]) if records else list(RECORD)
    listed = [[record[name] for name in fields] for record in records]
    return json.dumps({"Fields": fields, "Records": listed, "Status": "SUCCESSFUL", "Message": ""} | members).encode()


def rows(payloads, context, key: str = DAY) -> pl.DataFrame:
    return pl.concat(list(parse_emptyings(payloads, key, context)))


def one(payload, context, **changed: str) -> dict:
    return rows([payload(SOURCE, "a.json", answer(RECORD | changed))], context()).row(0, named=True)


def test_a_weighing_becomes_an_emptying(payload, context):
    found = rows([payload(SOURCE, "a.json", answer(RECORD))], context())
    row = found.row(0, named=True)
    assert (row["system_code"], row["emptying_id"], row["vehicle_code"]) == ("31", "6210", "31")
    assert (row["container_code"], row["container_codes"], row["containers"]) == ("14974", "14974", 1)
    assert row["emptied_at"] == datetime(2026, 3, 2, 9, 14, 33, tzinfo=UTC)
    assert (str(row["local_date"]), row["local_hour"], row["weekday"]) == ("2026-03-02", 10, 1)
    assert (row["weight_kg"], row["first_weight_kg"], row["second_weight_kg"]) == (350.0, 1130.0, 780.0)
    assert (row["fraction_code"], row["fraction_name"], row["neighbourhood_code"]) == ("residual", "Rest", "BU00140000")
    assert judge(WasteEmptyings, found).accepted.height == 1


def test_customers_and_addresses_reach_nothing(payload, context):
    made = context()
    found = rows([payload(SOURCE, "a.json", answer(RECORD, RECORD | {"Seq": "6211", "NettWeight": "veel"}))], made)
    assert not re.search("4711|Tielstraat|5743116", str(found.to_dicts()) + str(made.notes))


@pytest.mark.parametrize(
    ("changed", "weight", "reason"),
    [
        ({"NettWeight": ""}, None, "not_delivered"),
        ({"NettWeight": "0", "SecondWeight": "1130"}, None, "zero"),
        ({"NettWeight": "-20", "SecondWeight": "1150"}, None, "negative"),
        ({"NettWeight": "400"}, None, "weights_disagree"),
        ({"FirstWeight": "", "SecondWeight": ""}, 350.0, None),
    ],
)
def test_a_weight_that_is_none_says_why_and_the_emptying_stays(payload, context, changed, weight, reason):
    row = one(payload, context, **changed)
    assert (row["weight_kg"], row["weight_missing_reason"], row["_problems"]) == (weight, reason, [])


def test_a_weighing_listed_once_per_container_is_one_emptying(payload, context):
    other = RECORD | {"ContIds": "76771", "Location": "elders"}
    made = context()
    row = rows([payload(SOURCE, "a.json", answer(RECORD, other))], made).row(0, named=True)
    assert (row["container_code"], row["container_codes"], row["containers"], row["weight_kg"]) == (None, "14974,76771", 2, 350.0)
    assert made.notes["rows_of_weighings_listed_before"] == 1
    assert [r["ContIds"] for r in json.loads(row["_original"])] == ["14974", "76771"]


@pytest.mark.parametrize("codes", ["14974,76771", "14974;76771", "76771 14974", " 14974 | 76771,"])
def test_one_record_can_name_several_containers(payload, context, codes):
    row = one(payload, context, ContIds=codes, NoOfCont="2")
    assert (row["container_code"], row["container_codes"], row["containers"]) == (None, "14974,76771", 2)


def test_a_weighing_of_an_unknown_container_is_kept(payload, context):
    row = one(payload, context, ContIds="", NoOfCont="", CustId="")
    assert (row["container_code"], row["container_codes"], row["containers"], row["weight_kg"]) == (None, None, None, 350.0)


def test_two_weighings_with_one_number_but_other_weights_clash(payload, context):
    found = rows([payload(SOURCE, "a.json", answer(RECORD, RECORD | {"FirstWeight": "1230", "NettWeight": "450"}))], context())
    assert found.select("system_code", "emptying_id", "emptied_at").unique().height == 1 < found.height


def test_a_later_delivery_of_the_same_weighing_counts(payload, context):
    first = payload(SOURCE, "a.json", answer(RECORD, RECORD | {"Seq": "6211"}))
    second = payload(SOURCE, "b.json", answer(RECORD | {"FirstWeight": "1230", "NettWeight": "450"}))
    assert dict(rows([first, second], context()).select("emptying_id", "weight_kg").iter_rows()) == {"6210": 450.0, "6211": 350.0}


@pytest.mark.parametrize(
    ("day", "problems", "hour"),
    [("2026-03-29", ["emptied_at.nonexistent"], None), ("2026-10-25", [], 0)],
)
def test_clock_changes(payload, context, day, problems, hour):
    delivered = payload(SOURCE, "a.json", answer(RECORD | {"Date": day, "Time": "02:30:00"}, RECORD | {"Date": day}))
    row = rows([delivered], context(), f"{day}/kilogram").row(0, named=True)
    assert row["_problems"] == problems
    assert (row["emptied_at"].hour if row["emptied_at"] else None) == hour


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({"Date": "2 maart"}, ["emptied_at.type"]),
        ({"Time": ""}, ["emptied_at.type"]),
        ({"NettWeight": "veel"}, ["weight_kg.type"]),
        ({"Latitude": "noord"}, ["latitude.type"]),
        ({"NoOfCont": "een"}, ["containers.type"]),
    ],
)
def test_a_broken_record_is_kept_and_marked(payload, context, changed, problems):
    found = rows([payload(SOURCE, "a.json", answer(RECORD, RECORD | {"Seq": "6211"} | changed))], context())
    assert found["_problems"].to_list() == [[], problems]
    assert '"Seq":"6211"' in found["_original"][1]


def test_an_earlier_form_with_other_names_is_read(payload, context):
    names = {"ContIds": "ContNr", "FractionId": "AfvalNaam"}
    record = {names.get(k, k): v for k, v in RECORD.items() if k not in ("NoOfCont", "Location")} | {"Wijk": "x"}
    row = rows([payload(SOURCE, "a.json", answer(record))], context()).row(0, named=True)
    assert (row["container_code"], row["containers"], row["fraction_code"]) == ("14974", 1, "residual")


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (answer(RECORD)[:-40], "not complete JSON"),
        (answer(), "lists no weighings"),
        (answer(RECORD, Status="FAILED", Message="Period too long"), "with status FAILED: Period too long"),
        (json.dumps({"Systems": ["4", "5"], "Status": "SUCCESSFUL", "Message": ""}).encode(), "has no Fields and Records"),
        (b"[1, 2]", "no answer of Kilogram"),
        (answer({"SystemId": "4"}), r"misses column\(s\) Seq, Date"),
        (answer(RECORD).replace(b'["31", ', b"["), "1 of 1 records that do not fit its 14 fields"),
        (answer(RECORD | {"Date": "2 maart"}), "no row with a readable time"),
    ],
)
def test_a_broken_answer_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "kilogram_weigh.json", data)
    assert delivered.batches == () and delivered.way_out
    assert re.search(phrase, delivered.problem or "")


def test_the_real_answers_are_one_day_of_nine_emptyings(real_payloads, context):
    delivered = real_payloads(SOURCE)
    problems = {p.name: p.problem for p in delivered}
    assert problems == {"kilogram_weigh.json": None, "kilogram_weigh42.json": None, "kilogram_weight0.json": "lists no weighings"}
    made = context()
    found = rows([p for p in delivered if p.batches], made, "2017-01-01/kilogram")
    judged = judge(WasteEmptyings, found)
    assert (judged.accepted.height, judged.quarantined.height, made.notes["rows_of_weighings_listed_before"]) == (9, 0, 1)
    # 350 + 190 of the first answer; 230 + 260 + 225 (once, of two containers) + 235 + 275 + 240 + 235 of the second.
    assert found["weight_kg"].sum() == 2_240
    assert (found["container_code"].null_count(), found["container_codes"].null_count()) == (3, 2)
    assert found.filter(pl.col("containers") == 2)["container_codes"].to_list() == ["62479,76771"]
