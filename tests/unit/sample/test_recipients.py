import json
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from groningen_data.sample import facts, recipients
from groningen_data.sample.facts import City


def city(last: date) -> City:
    days = tuple(last - timedelta(days=n) for n in (1, 0))
    return City(14, days, ZoneInfo("Europe/Amsterdam"), facts.neighbourhoods(), facts.sites())


@pytest.fixture(scope="module")
def documents() -> dict[str, Any]:
    payloads = recipients.payloads(city(date(2026, 3, 15)))
    return {path.removesuffix(".json").split("_")[-1]: json.loads(data) for path, data in payloads}


@pytest.fixture(scope="module")
def values(documents: dict[str, Any]) -> list[dict[str, Any]]:
    return list(documents["TypedDataSet"]["value"])


def assisted(values: list[dict[str, Any]], code: str) -> list[int]:
    return [row["Bijstandsuitkering_6"] for row in values if row["WijkenEnBuurten"].strip() == code]


def test_the_table_has_eight_quarters_of_all_regions(documents: dict[str, Any], values: list[dict[str, Any]]) -> None:
    assert documents["Metadata"]["Title"] == "Personen met een uitkering; soort uitkering, wijken en buurten 2025"
    assert [p["Key"] for p in documents["Perioden"]["value"]] == [f"{y}MM{m:02}" for y in (2024, 2025) for m in (3, 6, 9, 12)]
    assert len(values) == 8 * len(documents["WijkenEnBuurten"]["value"]) == 8 * 174
    assert {len(row["WijkenEnBuurten"]) for row in values} == {10}


@pytest.mark.parametrize(
    ("last", "quarter"),
    [
        (date(2026, 2, 13), "2025MM09"),
        (date(2026, 2, 14), "2025MM12"),
        (date(2026, 5, 15), "2026MM03"),
        (date(2026, 1, 1), "2025MM09"),
    ],
)
def test_a_quarter_is_there_six_weeks_after_it_ended(last: date, quarter: str) -> None:
    payloads = {path: json.loads(data) for path, data in recipients.payloads(city(last))}
    assert payloads["cbs/cbs.v3.86113NED_Perioden.json"]["value"][-1]["Key"] == quarter
    assert payloads["cbs/cbs.v3.86113NED_Metadata.json"]["Modified"] <= f"{last}T02:00:00"


def test_a_quarter_says_the_same_whatever_the_last_day(values: list[dict[str, Any]]) -> None:
    later = json.loads(dict(recipients.payloads(city(date(2026, 6, 1))))["cbs/cbs.v3.86113NED_TypedDataSet.json"])["value"]
    chosen = [[row | {"ID": 0} for row in rows if row["Perioden"] == "2025MM12"] for rows in (values, later)]
    assert chosen[0] == chosen[1] != []


def test_recipients_are_in_tens_and_withheld_where_few_people_live(values: list[dict[str, Any]]) -> None:
    small = {n.code for n in facts.neighbourhoods() if (n.inhabitants or 0) < 100}
    for row in values:
        counts = [row[key] for key in recipients._COUNTED]
        assert (counts == [None] * 4) == (row["WijkenEnBuurten"] in small)
        assert all(count % 10 == 0 for count in counts if count is not None)


def test_social_assistance_rises_in_one_district_only(values: list[dict[str, Any]]) -> None:
    districts = {row["WijkenEnBuurten"].strip() for row in values if row["SoortRegio_2"].strip() == "Wijk"}
    growth = {code: found[-1] / found[0] for code in districts if (found := assisted(values, code))[0] >= 300}
    assert 1.18 < growth.pop("WK001407") < 1.28
    assert all(0.97 < g < 1.03 for g in growth.values())


def test_the_table_made_twice_is_the_same_to_the_byte() -> None:
    assert list(recipients.payloads(city(date(2026, 3, 15)))) == list(recipients.payloads(city(date(2026, 3, 15))))
