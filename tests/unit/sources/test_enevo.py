"""Containers and fill levels of Enevo, joined from the scopes that were delivered."""

import json
import re
from datetime import UTC, datetime

import polars as pl
import pytest

from groningen_data.contracts.waste.containers import WasteContainers
from groningen_data.contracts.waste.fill_levels import WasteFillLevels
from groningen_data.gate.judge import judge
from groningen_data.sources.enevo import SOURCE, parse_containers, parse_fill_levels

CONTAINERS = [{"id": 1, "type": 5, "site": 7, "containerSlot": 11, "devices": [3]}, {"id": 2, "type": 5, "site": 7}]
SLOTS = [{"id": 11, "contentType": 4, "container": 1, "site": 7}, {"id": 12, "contentType": 4, "site": 7}]
SITES = [{"id": 7, "name": "Grote Markt", "address": "Grote Markt 99", "latitude": 53.215, "longitude": 6.555}]
TYPES = [{"id": 5, "name": "5M³", "volume": 5}]
CONTENTS = [{"id": 4, "category": 1, "categoryName": "Plastic", "name": "PLASTIC ASW"}]
ALL = {"containers": CONTAINERS, "containerSlots": SLOTS, "sites": SITES, "containerTypes": TYPES, "contentTypes": CONTENTS}
LEVEL = {"time": "2026-03-01T23:30:00Z", "fillLevel": 90, "containerSlot": 11, "confidence": 100, "frozen": False}


def answer(scope: str, listed: object, **members: object) -> bytes:
    about = {"href": f"https://api.example/3/{scope}", "scope": f"{scope}/", "version": 3, "customer": 1}
    return json.dumps(about | {scope: listed} | members).encode()


def containers(payload, context, scopes: dict[str, list]) -> pl.DataFrame:
    delivered = [payload(SOURCE, f"{scope}.json", answer(scope, listed)) for scope, listed in scopes.items()]
    assert {p.batches for p in delivered} == {("enevo",)}
    return pl.concat(list(parse_containers(delivered, "enevo", context)))


def levels(payload, context, *listed: object, names: str = "a.json") -> pl.DataFrame:
    delivered = payload(SOURCE, names, answer("fillLevels", list(listed)))
    return pl.concat(list(parse_fill_levels([delivered], delivered.batches[0], context)))


def test_a_slot_is_joined_with_its_container_place_size_and_content(payload, context):
    found = containers(payload, context(), ALL).sort("container_code")
    assert found["container_code"].to_list() == ["11", "12", "container-2"]
    row = found.row(0, named=True)
    assert (row["location_name"], row["neighbourhood_code"], row["cluster_code"]) == ("Grote Markt", "BU00140000", "7")
    assert (row["fraction_code"], row["fraction_name"], row["capacity_l"]) == ("plastic", "PLASTIC ASW", 5000.0)
    assert found["has_sensor"].to_list() == [True, None, False]
    assert "99" not in str(found.to_dicts())


def test_slots_and_containers_alone_give_containers_without_place(payload, context):
    found = containers(payload, context(), {"containerSlots": SLOTS})
    assert found["container_code"].to_list() == ["11", "12"]
    assert found["location_status"].unique().to_list() == ["no_location"]
    found = containers(payload, context(), {"containers": CONTAINERS})
    assert found["container_code"].to_list() == ["11", "container-2"]
    assert found["fraction_missing_reason"].unique().to_list() == ["not_delivered"]


def test_sites_alone_are_refused(payload, context):
    with pytest.raises(Exception, match="no containers or slots"):
        containers(payload, context(), {"sites": SITES})


@pytest.mark.parametrize(
    ("changed", "fill", "reason", "problems"),
    [
        ({}, 90.0, None, []),
        ({"frozen": True}, None, "frozen", []),
        ({"confidence": 0}, None, "no_confidence", []),
        ({"confidence": 40}, 90.0, None, []),
        ({"fillLevel": None}, None, "no_reading", []),
        ({"fillLevel": "vol"}, None, None, ["fill_pct.type"]),
    ],
)
def test_levels_that_are_no_readings_say_why(payload, context, changed, fill, reason, problems):
    row = levels(payload, context(), LEVEL | changed).row(0, named=True)
    assert (row["fill_pct"], row["fill_missing_reason"], row["_problems"]) == (fill, reason, problems)
    assert (row["container_code"], row["measured_at"]) == ("11", datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    assert (str(row["local_date"]), row["local_hour"], row["weekday"]) == ("2026-03-02", 0, 1)


def test_a_level_without_a_readable_time_stays_with_the_others(payload, context):
    found = levels(payload, context(), LEVEL, LEVEL | {"time": "straks"}, "onzin")
    assert found["_problems"].to_list() == [[], ["measured_at.type"], ["row.type", "measured_at.type"]]


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (answer("sites", SITES)[:-20], "not complete JSON"),
        (answer("sites", []), "lists no sites"),
        (answer("alerts", [{"id": 1}]), "no answer of Enevo with something to load"),
        (answer("containers", CONTAINERS, count=900), "holds 2 of 900 containers"),
        (answer("fillLevels", [{"time": "2026-03-01T23:30:00Z"}]), r"misses column\(s\) fillLevel, containerSlot"),
        (answer("fillLevels", [LEVEL | {"time": "straks"}]), "no row with a readable time"),
    ],
)
def test_a_broken_answer_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "enevo_fill_levels.json", data)
    assert delivered.batches == () and delivered.way_out
    assert re.search(phrase, delivered.problem or "")


def test_the_real_answers_are_joined(real_payloads, context):
    delivered = real_payloads(SOURCE)
    assert sorted(p.name for p in delivered) == [
        "enevo_container_slots.json",
        "enevo_container_types.json",
        "enevo_containers.json",
        "enevo_content_types.json",
        "enevo_fill_levels.json",
        "enevo_sites.json",
    ]
    registry = [p for p in delivered if p.batches == ("enevo",)]
    found = judge(WasteContainers, pl.concat(list(parse_containers(registry, "enevo", context()))))
    assert (found.accepted.height, found.quarantined.height) == (2, 0)
    assert found.accepted["fraction_code"].to_list() == ["plastic", "plastic"]
    assert found.accepted["has_sensor"].to_list() == [True, False]
    (readings,) = (p for p in delivered if p not in registry)
    (key,) = readings.batches
    taken = judge(WasteFillLevels, pl.concat(list(parse_fill_levels([readings], key, context())))).accepted
    assert (key, taken["fill_pct"].to_list()) == ("2014-11-14/enevo", [90.0, 9.0])
