"""The press containers of Sidcon: containers and fill levels from one answer."""

import json
import re
from datetime import UTC, date, datetime

import polars as pl
import pytest

from groningen_data.contracts.waste.containers import WasteContainers
from groningen_data.contracts.waste.fill_levels import WasteFillLevels
from groningen_data.gate.judge import judge
from groningen_data.sources.sidcon import SOURCE, parse_containers, parse_fill_levels

STATE = {
    "Id": 1,
    "ContainerId": 208,
    "Lat": "53.215",
    "Lon": "6.555",
    "Street": "Watteaustraat",
    "HouseNumber": "4711",
    "Filling": 2,
    "Fraction": "Rest Afval",
    "LimitNearFull": 80,
    "CommunicationDateTime": "2018-11-28T11:20:17.12Z",
}
DAY = "2018-11-28/sidcon"


def answer(*states: object, **result: object) -> bytes:
    data = {"data": list(states), "success": True, "totalRecords": len(states)} | result
    return json.dumps(
        [
            {"tid": 21, "type": "rpc", "action": "TardifOverview", "method": "GetStateView", "result": data},
            {"tid": 23, "type": "rpc", "method": "GetUnlinkedDevicesAll", "result": {"data": [{"Id": 2}], "success": True}},
            {"tid": 25, "type": "rpc", "action": "AccountExt", "method": "MarkActivity", "result": {"success": True}},
        ]
    ).encode()


def levels(payloads, context) -> pl.DataFrame:
    return pl.concat(list(parse_fill_levels(payloads, DAY, context)))


def test_a_container_has_a_street_a_sensor_and_an_alarm(payload, context):
    made = context()
    delivered = payload(SOURCE, "a.json", answer(STATE))
    row = pl.concat(list(parse_containers([delivered], "sidcon", made))).row(0, named=True)
    assert delivered.batches == ("sidcon", DAY)
    assert (row["container_code"], row["fraction_code"], row["location_name"]) == ("208", "residual", "Watteaustraat")
    assert (row["has_sensor"], row["alarm_pct"], row["neighbourhood_code"]) == (True, 80.0, "BU00140000")
    assert "4711" not in str(row) and made.notes["not_loaded_GetUnlinkedDevicesAll"] == 1


def test_a_reading_is_of_the_moment_the_device_was_heard(payload, context):
    row = levels([payload(SOURCE, "a.json", answer(STATE | {"Filling": 106}))], context()).row(0, named=True)
    assert row["measured_at"] == datetime(2018, 11, 28, 11, 20, 17, 120_000, tzinfo=UTC)
    assert (row["local_date"], row["local_hour"], row["weekday"]) == (date(2018, 11, 28), 12, 3)
    assert (row["fill_pct"], row["fill_missing_reason"], row["_problems"]) == (106.0, None, [])


def test_a_silent_device_gave_no_reading_when_the_others_did(payload, context):
    silent = STATE | {"ContainerId": 2, "CommunicationDateTime": "2018-11-27T15:33:05.727Z", "Filling": 50}
    delivered = payload(SOURCE, "a.json", answer(STATE, silent, STATE | {"ContainerId": 3}))
    row = levels([delivered], context()).row(1, named=True)
    assert delivered.batches == ("sidcon", DAY)
    assert (row["fill_pct"], row["fill_missing_reason"]) == (None, "silent")
    assert row["measured_at"] == datetime(2018, 11, 28, 11, 20, 17, 120_000, tzinfo=UTC)


def test_a_device_ahead_of_all_others_is_quarantined_and_silences_none(payload, context):
    ahead = STATE | {"ContainerId": 2, "CommunicationDateTime": "2030-01-01T00:00:00Z"}
    found = levels([payload(SOURCE, "a.json", answer(STATE, ahead, STATE | {"ContainerId": 3}))], context())
    assert found["_problems"].to_list() == [[], ["measured_at.after_response"], []]
    assert found["fill_missing_reason"].to_list() == [None, None, None]


def test_the_same_contact_in_a_later_answer_is_one_reading(payload, context):
    early = payload(SOURCE, "a.json", answer(STATE))
    late = payload(SOURCE, "b.json", answer(STATE, STATE | {"CommunicationDateTime": "2018-11-28T12:20:00Z", "Filling": 9}))
    made = context()
    assert levels([early, late], made)["fill_pct"].to_list() == [2.0, 9.0]
    assert made.notes["rows_delivered_anew"] == 1


@pytest.mark.parametrize(
    ("changed", "problems", "reason"),
    [
        ({"Filling": None}, [], "no_reading"),
        ({"Filling": "vol"}, ["fill_pct.type"], None),
        ({"CommunicationDateTime": "gisteren"}, ["measured_at.type"], None),
        ({"CommunicationDateTime": None}, ["measured_at.type"], None),
    ],
)
def test_a_reading_without_value_or_time_says_so(payload, context, changed, problems, reason):
    row = levels([payload(SOURCE, "a.json", answer(STATE, STATE | {"ContainerId": 2} | changed))], context()).row(1, named=True)
    assert (row["_problems"], row["fill_missing_reason"], row["fill_pct"]) == (
        problems,
        reason,
        None if not problems or "fill" in problems[0] else 2.0,
    )


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (answer(STATE)[:-50], "not complete JSON"),
        (answer(), "lists no containers"),
        (answer(STATE, success=False), "did not succeed"),
        (answer(STATE, totalRecords=241), "holds 1 of 241 containers"),
        (answer({"Id": 1}), r"misses column\(s\) ContainerId, Lat"),
        (
            json.dumps([{"type": "exception", "message": "Session expired"}]).encode(),
            "error message of the portal: Session expired",
        ),
        (b'{"login": true}', "holds no result of GetStateView"),
        (answer(STATE | {"CommunicationDateTime": ""}), "no row with a readable time"),
    ],
)
def test_a_broken_answer_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "sidcon_response.json", data)
    assert delivered.batches == () and delivered.way_out
    assert re.search(phrase, delivered.problem or "")


def test_the_real_answer_is_read_completely(real_payloads, context):
    (delivered,) = real_payloads(SOURCE)
    made = context()
    containers = judge(WasteContainers, pl.concat(list(parse_containers([delivered], "sidcon", made))))
    assert delivered.batches == ("sidcon", DAY)
    assert (containers.accepted.height, containers.quarantined.height) == (241, 0)
    assert dict(containers.accepted["fraction_code"].value_counts().iter_rows()) == {"residual": 238, "plastic": 3}
    assert dict(containers.accepted["location_status"].value_counts().iter_rows()) == {
        "outside_municipality": 239,
        "no_location": 2,
    }
    assert containers.accepted["latitude"].max() == 53.345398
    readings = judge(WasteFillLevels, levels([delivered], context())).accepted
    assert (readings.height, readings["fill_pct"].max(), readings["fill_pct"].null_count()) == (241, 106.0, 1)
    assert readings["fill_missing_reason"].drop_nulls().to_list() == ["silent"]
    assert readings["local_date"].unique().to_list() == [date(2018, 11, 28)]
