import gzip
import json
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pytest

from groningen_data.sample import weighings
from groningen_data.sample.facts import City
from groningen_data.sample.fleet import VEHICLES
from groningen_data.sample.waste_world import emptyings
from groningen_data.sample.weighings import payloads
from tests.unit.sample.cities import LAST_DAY, city_of

Records = list[dict[str, str]]
FIELDS = [
    "SystemId",
    "Seq",
    "Date",
    "Time",
    "CustId",
    "NoOfCont",
    "ContIds",
    "TotalVolume",
    "FillLevel",
    "FillChance",
    "Location",
    "District",
    "Neighborhood",
    "FallbackNr",
    "FractionId",
    "FirstWeight",
    "SecondWeight",
    "NettWeight",
    "Latitude",
    "Longitude",
]


@pytest.fixture(scope="module")
def city() -> City:
    return city_of(4)


@pytest.fixture(scope="module")
def days(city: City) -> Mapping[date, Records]:
    return {day: records_of(data) for day, (_, data) in zip(city.days, payloads(city), strict=True)}


def records_of(data: bytes) -> Records:
    answer = json.loads(gzip.decompress(data))
    assert answer["Fields"] == FIELDS
    assert (answer["Status"], answer["Message"]) == ("SUCCESSFUL", "")
    assert all(isinstance(value, str) for record in answer["Records"] for value in record)
    return [dict(zip(FIELDS, record, strict=True)) for record in answer["Records"]]


def codes(record: dict[str, str]) -> list[str]:
    return record["ContIds"].split(",") if record["ContIds"] else []


def shared(records: Records) -> Records:
    times = Counter((r["SystemId"], r["Seq"]) for r in records)
    return [r for r in records if times[r["SystemId"], r["Seq"]] == 2]


def test_a_file_is_the_same_however_many_days_are_made(city: City) -> None:
    assert dict(payloads(city_of(2))).items() <= dict(payloads(city)).items()


def test_every_container_emptied_is_weighed_unless_it_was_not_recognised(city: City, days: Mapping[date, Records]) -> None:
    for day, records in days.items():
        weighed = [code for record in records for code in codes(record)]
        emptied = emptyings(city, day)["container_code"].to_list()
        assert len(weighed) == len(set(weighed)) == len(emptied) - weighings.WITHOUT_CONTAINER
        assert set(weighed) <= set(emptied)
        assert sum(not codes(r) for r in records) == weighings.WITHOUT_CONTAINER


def test_net_weight_is_the_difference_of_the_two_weighings(days: Mapping[date, Records]) -> None:
    for records in days.values():
        known = [r for r in records if r["NettWeight"]]
        assert all(int(r["FirstWeight"]) - int(r["SecondWeight"]) == int(r["NettWeight"]) for r in known)
        assert all(int(r["NettWeight"]) % 5 == 0 for r in known)
        assert len(records) - len(known) == weighings.WITHOUT_WEIGHT
        assert weighings.ZERO_WEIGHT <= sum(r["NettWeight"] == "0" for r in known) <= weighings.ZERO_WEIGHT + 1


def test_weights_are_the_true_ones_rounded(city: City, days: Mapping[date, Records]) -> None:
    for day, records in days.items():
        true = dict(emptyings(city, day).select("container_code", "weight_kg").iter_rows())
        twice = {id(r) for r in shared(records)}
        for record in records:
            if record["NettWeight"] not in ("", "0") and len(codes(record)) == 1 and id(record) not in twice:
                assert abs(int(record["NettWeight"]) - true[record["ContIds"]]) <= 2.5


def test_some_records_name_two_containers_and_some_weighings_have_two_records(city: City, days: Mapping[date, Records]) -> None:
    for day, records in days.items():
        true = dict(emptyings(city, day).select("container_code", "weight_kg").iter_rows())
        together = [r for r in records if len(codes(r)) == 2]
        assert len(together) == weighings.TOGETHER and all(r["NoOfCont"] == "2" for r in together)
        assert all(abs(int(r["NettWeight"]) - sum(true[c] for c in codes(r))) <= 2.5 for r in together)
        pairs = shared(records)
        assert len(pairs) == 2 * weighings.SHARED
        for first, second in zip(pairs[::2], pairs[1::2], strict=True):
            same = ("Date", "Time", "FractionId", "FirstWeight", "SecondWeight", "NettWeight")
            assert all(first[name] == second[name] for name in same) and first["ContIds"] != second["ContIds"]


def test_sequence_numbers_grow_with_time_for_every_vehicle(days: Mapping[date, Records]) -> None:
    vehicles = {v.code for v in VEHICLES if v.in_service}
    highest: dict[str, int] = {}
    for day, records in days.items():
        assert {r["Date"] for r in records} == {str(day)}
        assert {r["SystemId"] for r in records} <= vehicles
        for record in records:
            assert int(record["Seq"]) >= highest.get(record["SystemId"], 0)
            highest[record["SystemId"]] = int(record["Seq"])
            datetime.fromisoformat(f"{record['Date']}T{record['Time']}")


def test_a_weighing_of_an_unknown_container_still_has_a_place(days: Mapping[date, Records]) -> None:
    unknown = [r for records in days.values() for r in records if not r["ContIds"]]
    assert all(r["CustId"] == r["NoOfCont"] == r["Neighborhood"] == "" for r in unknown)
    assert all(52 < float(r["Latitude"]) < 54 and 6 < float(r["Longitude"]) < 7 and r["NettWeight"] for r in unknown)


def test_sundays_have_a_small_round(days: Mapping[date, Records]) -> None:
    assert len(days[LAST_DAY]) < 0.5 * len(days[LAST_DAY - timedelta(days=1)])
