"""Valid payloads of every source, a few kB each: cut from the sample city, and hand-made where the city has none.

A case is a set of files that belong together; a table can be made from it.
"""

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from assets import all_sources
from groningen_data.sample import city
from groningen_data.settings import Settings

_MOST = 12


@dataclass(frozen=True)
class Case:
    """Files of one source by name, unpacked."""

    source: str
    files: Mapping[str, bytes]


def cases(settings: Settings) -> list[Case]:
    """At least one case of every source, the sample city's first."""
    city.build(settings)
    return [*_of_city(settings), *(Case(source, files) for source, files in HAND_MADE)]


def _of_city(settings: Settings) -> Iterator[Case]:
    for name, source in all_sources().items():
        found = [file.path for file in source._found(source.root(settings) if source.root else settings.sample_dir)]
        # Files of one form say the same; those that belong together must stay together.
        sets = [found] if name == "calendar_days" else [found[-2:]]
        if name == "cbs_statline":
            tables = groupby(found, lambda path: path.name.split("_", 1)[0])
            sets = [list(paths) for _, paths in tables]
        for chosen in filter(None, sets):
            yield Case(name, {path.name.removesuffix(".gz"): trimmed(_unpacked(path)) for path in chosen})


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def trimmed(data: bytes) -> bytes:
    """The beginning of a payload that is still a whole one."""
    if data.startswith(b"PAR1"):
        return parquet(pl.read_parquet(io.BytesIO(data)).head(_MOST))
    if data.startswith(b"PK\x03\x04"):
        return data
    start = data.lstrip(b"\xef\xbb\xbf \r\n")[:1]
    if start in (b"{", b"["):
        whole = json.loads(data)
        fewer = _fewer(whole)
        if isinstance(whole, dict) and "features" in whole:
            # A WFS says how many there are.
            fewer |= {k: len(fewer["features"]) for k, v in whole.items() if v == len(whole["features"])}
        return json.dumps(fewer, ensure_ascii=False).encode()
    if start == b"<":
        for record in (rb"<siteMeasurements.*?</siteMeasurements>", rb"<measurementSiteRecord.*?</measurementSiteRecord>"):
            surplus = [m.group() for m in re.finditer(record, data, re.DOTALL)][3:]
            for part in surplus:
                data = data.replace(part, b"", 1)
        return data
    lines = data.splitlines(keepends=True)
    # A text of prose comes before its rows.
    head = next((n for n, line in enumerate(lines) if b"STN,YYYYMMDD" in line), 0)
    return b"".join(lines[: head + 1 + _MOST])


def _fewer(value: Any, depth: int = 0) -> Any:
    if isinstance(value, list):
        is_records = bool(value) and isinstance(value[0], list | dict) and depth < 3
        return [_fewer(v, depth + 1) for v in (value[:: max(1, len(value) // _MOST)][:_MOST] if is_records else value)]
    if isinstance(value, dict):
        kept = list(value.items())[:_MOST] if len(value) > 60 else value.items()
        return {k: _fewer(v, depth + 1) for k, v in kept}
    return value


def parquet(frame: pl.DataFrame) -> bytes:
    """A frame as Parquet."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def table(rows: list[dict[str, Any]], separator: str = ",") -> bytes:
    """Rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _js(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _enevo(scope: str, listed: list[dict[str, Any]]) -> bytes:
    return _js({"href": f"https://api.example/3/{scope}", "scope": f"{scope}/", "version": 3, "customer": 1, scope: listed})


_SIDCON = {
    "Id": 1,
    "ContainerId": 208,
    "Lat": "53.215",
    "Lon": "6.555",
    "Street": "Watteaustraat",
    "Filling": 2,
    "Fraction": "Rest Afval",
    "LimitNearFull": 80,
    "CommunicationDateTime": "2018-11-28T11:20:17.12Z",
}
_SCHIEDAM = {
    "unieknr": "Cen 012",
    "locatie": "KETHELBRUG",
    "nummer": "Cen 012",
    "soort": "RESTAFVAL",
    "maximum aantal stortingen": 90,
    "trommel (liter)": 80,
    "capaciteit (m3)": 5,
}
_DEXTER = {
    "id_meetlocatie": "RWS01_A",
    "ndw_index": "F1A",
    "start_meetperiode": "2019-09-16 08:00:00",
    "eind_meetperiode": "2019-09-16 09:00:00",
    "gebruikte_minuten_intensiteit": "60.0",
    "data_error_snelheid": "0",
    "data_error_intensiteit": "0",
    "gem_intensiteit": "120.0",
    "gem_snelheid": "98.5",
    "gewogen_gem_snelheid": "-1.0",
    "rijstrook_rijbaan": "lane1",
    "voertuigcategorie": "anyVehicle",
    "technical_exclusion": "",
}
_HOUR = {"station_code": 280, "date": "2026-07-01T00:00:00.000Z", "hour": 1, "DD": 270, "FH": 40, "FX": 90, "T": 155, "RH": 12}
_DAY = {"station_code": 280, "date": "20260701", "FG": 31, "TG": 175, "RH": 24}
_HOUR_TEXT = (
    b"BRON: KNMI\r\n\r\n# STN,YYYYMMDD,   HH,   DD,   FH,    T,   RH\r\n\r\n  280,20260701,    1,  270,   40,  155,   12\r\n"
)
_V4 = "https://datasets.cbs.nl/odata/v1/CBS/99999NED/$metadata#{}"
_OBSERVED = [
    {"Id": n, "Measure": measure, "ValueAttribute": "None", "Value": value, "StringValue": None, "WijkenEnBuurten": region}
    for n, (region, measure, value) in enumerate(
        [("GM0014", "T001036", 100.0), ("BU00140000", "T001036", 60.0), ("BU00140001", "M000114", 1.5)]
    )
]
_V4_PARTS: dict[str, list[dict[str, Any]]] = {
    "Observations": _OBSERVED,
    "Properties": [{"Identifier": "99999NED", "Title": "Kerncijfers wijken en buurten 2020", "ObservationCount": 3}],
    "MeasureCodes": [
        {"Identifier": "T001036", "Title": "Aantal inwoners", "Unit": "aantal", "MeasureGroupId": "G1", "Index": 1},
        {"Identifier": "M000114", "Title": "Gemiddelde huishoudensgrootte", "Unit": "aantal", "MeasureGroupId": "G1", "Index": 2},
    ],
    "MeasureGroups": [{"Id": "G1", "Title": "Bevolking", "ParentId": None, "Index": 1}],
    "Dimensions": [{"Identifier": "WijkenEnBuurten", "Title": "Wijken en buurten", "Kind": "GeoDetail", "MapYear": "2020"}],
    "WijkenEnBuurtenCodes": [
        {"Identifier": code, "Title": title, "DetailRegionCode": code, "DimensionGroupId": "GM"}
        for code, title in (("GM0014", "Groningen"), ("BU00140000", "Binnenstad-Noord"), ("BU00140001", "Binnenstad-Zuid"))
    ],
}

_STATES = {
    "signals.csv": "id,created_at,updated_at,status_id,location_id,category_assignment_id,parent\n"
    "1,2026-03-01 10:00:00+00,2026-03-02 10:00:00+00,11,21,31,\n2,2026-03-01 11:00:00+00,2026-03-02 11:00:00+00,12,22,32,1\n",
    "locations.csv": "id,lat,lng\n21,6.555,53.215\n22,6.565,53.215\n",
    "statusses.csv": "id,state,created_at\n11,o,2026-03-02 10:00:00+00\n12,m,2026-03-01 11:00:00+00\n",
    "categories.csv": "id,main,sub\n31,Afval,Container is vol\n32,Afval,Grofvuil\n",
}

HAND_MADE: tuple[tuple[str, Mapping[str, bytes]], ...] = (
    (
        "amsterdam_inspections",
        {
            "schouwen_bijplaatsingen.csv": b",straatnaam,totaal_schouwen,aantal_niet_aplus,aantal_grofvuil,stadsdeel,postcode,adres,"
            b"geometrie_origineel,dumpplek,eerste_melding,laatste_melding,lon,lat\n3715,Singel,409,281,148,Centrum,Nederland,Singel,"
            b"POINT (233052.0 581712.0),False,2025-01-06,2025-10-29,6.555,53.215\n"
        },
    ),
    (
        "enevo",
        {
            "containers.json": _enevo("containers", [{"id": 1, "type": 5, "site": 7, "containerSlot": 11, "devices": [3]}]),
            "containerSlots.json": _enevo("containerSlots", [{"id": 11, "contentType": 4, "container": 1, "site": 7}]),
            "sites.json": _enevo("sites", [{"id": 7, "name": "Grote Markt", "latitude": 53.215, "longitude": 6.555}]),
            "containerTypes.json": _enevo("containerTypes", [{"id": 5, "name": "5M³", "volume": 5}]),
            "contentTypes.json": _enevo("contentTypes", [{"id": 4, "category": 1, "categoryName": "Plastic", "name": "PLASTIC"}]),
            "fillLevels.json": _enevo(
                "fillLevels",
                [{"time": "2026-03-01T23:30:00Z", "fillLevel": 90, "containerSlot": 11, "confidence": 100, "frozen": False}],
            ),
        },
    ),
    ("ndw_historical", {"dexter.csv": table([_DEXTER, _DEXTER | {"ndw_index": "F2A", "gem_intensiteit": "60.0"}])}),
    (
        "prague_sensors",
        {
            "prague_fill_levels.parquet": parquet(
                pl.DataFrame(
                    {
                        "sensor_id": ["1354", "1355"],
                        "fraction_code": ["1", "2"],
                        "time_utc": [datetime(2024, 4, 7, 22, 35, 54)] * 2,
                        "fill_pct": [16.0, 99.0],
                    }
                )
            )
        },
    ),
    (
        "schiedam_containers",
        {
            "schiedam_containers.js": b"var a = "
            + _js(
                {
                    "type": "FeatureCollection",
                    "features": [
                        {"type": "Feature", "properties": p, "geometry": {"type": "Point", "coordinates": [4.398123, 51.920639]}}
                        for p in (_SCHIEDAM, _SCHIEDAM | {"unieknr": None, "nummer": None})
                    ],
                }
            )
            + b";"
        },
    ),
    (
        "sidcon",
        {
            "sidcon_response.json": _js(
                [
                    {
                        "tid": 21,
                        "type": "rpc",
                        "action": "TardifOverview",
                        "method": "GetStateView",
                        "result": {"data": [_SIDCON, _SIDCON | {"ContainerId": 209}], "success": True, "totalRecords": 2},
                    }
                ]
            )
        },
    ),
    ("knmi_hours", {"uurgeg.json": _js([_HOUR, _HOUR | {"hour": 2}])}),
    ("knmi_hours", {"uurgeg_280.zip": _zipped({"uurgeg_280.txt": _HOUR_TEXT})}),
    ("signalen_states", {"signalen.zip": _zipped({name: text.encode() for name, text in _STATES.items()})}),
    (
        "signalen_map",
        {
            "signalen_map_2026-03-15.json": _js(
                {
                    "type": "FeatureCollection",
                    "features": [
                        {
                            "type": "Feature",
                            "geometry": place,
                            "properties": {
                                "category": {
                                    "name": "Vol",
                                    "slug": "container-is-vol",
                                    "parent": {"name": "Afval", "slug": "afval"},
                                },
                                "created_at": "2026-03-14T09:00:00.123456+01:00",
                            },
                        }
                        for place in ({"type": "Point", "coordinates": [6.555, 53.215]}, None)
                    ],
                }
            )
        },
    ),
    ("knmi_days", {"etmgeg.json": _js([_DAY])}),
    (
        "cbs_statline",
        {
            f"cbs.v4.99999NED_{part}.json": _js({"@odata.context": _V4.format(part), "value": rows})
            for part, rows in _V4_PARTS.items()
        },
    ),
    (
        "cbs_statline",
        {
            **{
                f"cbs.v4.99999NED_{part}.json": _js({"@odata.context": _V4.format(part), "value": rows})
                for part, rows in _V4_PARTS.items()
                if part == "Properties"
            },
            **{
                f"cbs.v4.99999NED_{part}.parquet": parquet(pl.DataFrame(rows))
                for part, rows in _V4_PARTS.items()
                if part != "Properties"
            },
        },
    ),
    (
        "telemetry",
        {
            "fill_levels_2026-03-01.csv": b"containercode;tijdstip;vulgraad;vullingGewicht\nC1;2026-03-01T10:00:00+01:00;45,5;\nC2;2026-03-01T11:00:00+01:00;110;12\n"
        },
    ),
)
