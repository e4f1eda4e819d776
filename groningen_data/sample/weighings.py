"""Weighings at emptying, as a weighing system on the vehicles exports them (Kilogram): one file per local day.

What is emptied, and what it weighs, comes from `waste_world`; this module adds what the export leaves out or joins together.
The oddities planted here are listed in `docs/sample-city.md`.
"""

from datetime import date
from itertools import pairwise
from random import Random
from typing import Any

from groningen_data.sample.facts import City
from groningen_data.sample.waste_world import emptyings
from groningen_data.sample.wire import Payloads, json_bytes, packed

WITHOUT_CONTAINER = 8
"""Weighings a day of which the vehicle did not recognise the container."""
WITHOUT_WEIGHT = 5
"""Weighings a day without a net weight."""
ZERO_WEIGHT = 5
"""Weighings a day with equal first and second weight: the scale failed, the container was emptied."""
TOGETHER = 5
"""Records a day that name two containers and their joint weight."""
SHARED = 5
"""Pairs of records a day with one sequence number: both name the joint weight of two containers."""

_FIELDS = (
    *("SystemId", "Seq", "Date", "Time", "CustId", "NoOfCont", "ContIds", "TotalVolume", "FillLevel", "FillChance"),
    *("Location", "District", "Neighborhood", "FallbackNr", "FractionId"),
    *("FirstWeight", "SecondWeight", "NettWeight", "Latitude", "Longitude"),
)
_OF_CONTAINER = (
    "CustId",
    "NoOfCont",
    "ContIds",
    "TotalVolume",
    "FillLevel",
    "FillChance",
    "Location",
    "District",
    "Neighborhood",
)
_FRACTION_IDS = {
    "RESTAFVAL": "Rest",
    "PAPIER": "Papier",
    "GLAS": "Glas",
    "PLASTIC": "Plastic",
    "GFT": "GFT",
    "TEXTIEL": "Textiel",
}
_SCALE_KG = 5
_EMPTY_KG = (560, 800)
_PLACE_ERROR = 0.00006

_Record = dict[str, str]


def payloads(city: City) -> Payloads:
    """One file per day, all values as text."""
    for day in city.days:
        records = [[record[name] for name in _FIELDS] for record in _records(city, day)]
        answer = {"Fields": _FIELDS, "Records": records, "Status": "SUCCESSFUL", "Message": ""}
        yield f"waste/weighings_{day}.json.gz", packed(json_bytes(answer))


def _records(city: City, day: date) -> list[_Record]:
    random = city.random("weighings", day)
    areas = {n.code: (n.district_name, n.name) for n in city.neighbourhoods}
    rows = emptyings(city, day).rows(named=True)
    first_of_two = _first_of_two(rows)
    joined = random.sample(first_of_two, min(TOGETHER + SHARED, len(first_of_two)))
    together, shared = set(joined[:TOGETHER]), set(joined[TOGETHER:])
    records: list[_Record] = []
    alone: list[_Record] = []
    sequence = day.toordinal() % 10_000 * 200
    for position, row in enumerate(rows):
        if position - 1 in together:
            continue
        is_first = position in together | shared
        is_second = position - 1 in shared
        sequence += not is_second
        partner = rows[position + 1] if is_first else rows[position - 1] if is_second else None
        net = row["weight_kg"] + (partner["weight_kg"] if partner else 0)
        record = _record(row, sequence, areas[row["neighbourhood_code"]], net, random)
        if position in together and partner:
            volume = (row["capacity_l"] + partner["capacity_l"]) // 1000
            names = f"{row['container_code']},{partner['container_code']}"
            record |= {"NoOfCont": "2", "ContIds": names, "TotalVolume": str(volume)}
        elif is_second:
            record |= {name: records[-1][name] for name in ("Date", "Time", "FirstWeight", "SecondWeight", "NettWeight")}
        elif not is_first:
            alone.append(record)
        records.append(record)
    _spoil(random.sample(alone, WITHOUT_CONTAINER + WITHOUT_WEIGHT + ZERO_WEIGHT))
    return records


def _first_of_two(rows: list[dict[str, Any]]) -> list[int]:
    """Positions of rows whose vehicle empties the next container at the same place, each row in one pair at most."""
    found: list[int] = []
    for position, (row, following) in enumerate(pairwise(rows)):
        same = all(row[name] == following[name] for name in ("vehicle_code", "cluster_code", "fraction_name"))
        if same and (not found or found[-1] < position - 1):
            found.append(position)
    return found


def _record(row: dict[str, Any], sequence: int, area: tuple[str, str], net_kg: float, random: Random) -> _Record:
    second = random.randrange(*_EMPTY_KG, _SCALE_KG)
    net = _SCALE_KG * round(net_kg / _SCALE_KG)
    latitude, longitude = (row[name] + random.uniform(-_PLACE_ERROR, _PLACE_ERROR) for name in ("latitude", "longitude"))
    return {
        "SystemId": row["vehicle_code"],
        "Seq": str(sequence),
        "Date": f"{row['emptied_at_local']:%Y-%m-%d}",
        "Time": f"{row['emptied_at_local']:%H:%M}:{random.randrange(60):02d}",
        "CustId": f"57{row['cluster_code']}",
        "NoOfCont": "1",
        "ContIds": row["container_code"],
        "TotalVolume": str(row["capacity_l"] // 1000),
        "FillLevel": "0",
        "FillChance": "0",
        "Location": row["location_name"].split(" - ", 1)[1],
        "District": area[0],
        "Neighborhood": area[1],
        "FallbackNr": "0",
        "FractionId": _FRACTION_IDS[row["fraction_name"]],
        "FirstWeight": str(second + net),
        "SecondWeight": str(second),
        "NettWeight": str(net),
        "Latitude": f"{latitude:.5f}",
        "Longitude": f"{longitude:.5f}",
    }


def _spoil(records: list[_Record]) -> None:
    for position, record in enumerate(records):
        if position < WITHOUT_CONTAINER:
            record |= dict.fromkeys(_OF_CONTAINER, "")
        elif position < WITHOUT_CONTAINER + WITHOUT_WEIGHT:
            record["NettWeight"] = ""
        else:
            record |= {"FirstWeight": record["SecondWeight"], "NettWeight": "0"}
