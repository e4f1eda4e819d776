"""CBS household waste per inhabitant as the bulk download of StatLine: table 83452NED, a zip with a CSV per part (version 4).

Table, kinds of waste with a known key and dimensions are CBS's own; other keys and all figures are made up. Figures of a kind fall
or rise slowly over the years; PMD begins in 2010. The last year is provisional.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence

from groningen_data.sample.facts import MUNICIPALITY_CODE, MUNICIPALITY_NAME, City
from groningen_data.sample.wire import Payloads

TABLE = "83452NED"
YEARS = range(2001, 2025)
RELEASED_AT = "2025-12-11T02:00:00+01:00"
FILE = f"cbs/{TABLE}.zip"
PMD_SINCE = 2010

_MEASURE = "M003421"
_WIDTH = 6
# Code, name and how much of the usual amounts.
_REGIONS = (
    ("NL01", "Nederland", 1.0),
    ("GM0106", "Assen", 1.1),
    (MUNICIPALITY_CODE, MUNICIPALITY_NAME, 0.86),
    ("GM0363", "Amsterdam", 0.78),
    ("GM1783", "Westland", 1.05),
)
# Key, title, kg per inhabitant in the first and in the last year.
_KINDS = (
    ("A025450", "Huishoudelijk restafval", 250, 135),
    ("A025454", "GFT-afval", 85, 92),
    ("A025455", "Oud papier en karton", 68, 42),
    ("A025456", "Verpakkingsglas", 21, 22),
    ("A025457", "Textiel", 3.4, 5.1),
    ("A025461", "PMD-fractie", 2, 24),
    ("A025470", "Grof huishoudelijk restafval", 52, 28),
)
_TOTAL = ("T001616", "Totaal huishoudelijk afval")
_DIMENSIONS = (
    ("Afvalsoort", "Afvalsoort", "Dimension"),
    ("RegioS", "Regio's", "GeoDimension"),
    ("Perioden", "Perioden", "TimeDimension"),
)
_LEFT_OUT = ("GM1783", 2019)
"""A municipality that handed in nothing for one year."""


def payloads(city: City) -> Payloads:
    """The one zip."""
    observations = _observations(city)
    parts = {
        "Observations": observations,
        "Properties": [_properties(len(observations))],
        "Dimensions": [_dimension(*dimension) for dimension in _DIMENSIONS],
        "MeasureCodes": [
            {
                "Identifier": _MEASURE,
                "Index": 4,
                "Title": "Huishoudelijk afval per inwoner",
                "Description": "",
                "MeasureGroupId": "",
                "DataType": "Double",
                "Unit": "kg per inwoner",
                "Decimals": 1,
            }
        ],
        "AfvalsoortCodes": [_code(*kind) for kind in enumerate((_TOTAL, *(k[:2] for k in _KINDS)), start=1)],
        "RegioSCodes": [_code(*region) for region in enumerate(((c.ljust(_WIDTH), n) for c, n, _ in _REGIONS), start=1)],
        "PeriodenCodes": [
            _code(n, (f"{year}JJ00", str(year))) | {"Status": _status(year)} for n, year in enumerate(YEARS, start=1)
        ],
    }
    yield FILE, _zip(parts)


def _status(year: int) -> str:
    return "Voorlopig" if year == YEARS[-1] else "Definitief"


def _observations(city: City) -> list[dict[str, object]]:
    rows = []
    for code, _, share in _REGIONS:
        for year in YEARS:
            if (code, year) == _LEFT_OUT:
                continue
            amounts = {kind: _amount(city, code, kind, year, first, last) * share for kind, _, first, last in _KINDS}
            shown = {kind: round(amount, 1) for kind, amount in amounts.items() if kind != "A025461" or year >= PMD_SINCE}
            for kind, amount in {_TOTAL[0]: round(sum(shown.values()), 1), **shown}.items():
                rows.append((kind, code.ljust(_WIDTH), f"{year}JJ00", amount))
    return [
        {
            "Id": number,
            "Measure": _MEASURE,
            "ValueAttribute": "None",
            "Value": amount,
            "StringValue": "",
            "Afvalsoort": kind,
            "RegioS": region,
            "Perioden": period,
        }
        for number, (kind, region, period, amount) in enumerate(rows)
    ]


def _amount(city: City, region: str, kind: str, year: int, first: float, last: float) -> float:
    passed = (year - YEARS[0]) / (YEARS[-1] - YEARS[0])
    return (first + (last - first) * passed) * city.random("household waste", region, kind, year).uniform(0.97, 1.03)


def _properties(observations: int) -> dict[str, object]:
    title = "Huishoudelijk afval per gemeente per inwoner"
    return {
        "Identifier": TABLE,
        "Title": title,
        "Description": "Voorbeeldgegevens van een verzonnen stad in de vorm van deze tabel.",
        "Language": "nl",
        "Catalog": "CBS",
        "Version": "202512110200",
        "Status": "Regulier",
        "Modified": RELEASED_AT,
        "ObservationCount": observations,
        "License": "https://creativecommons.org/licenses/by/4.0/",
        "TemporalCoverage": f"{YEARS[0]} - {YEARS[-1]}",
    }


def _dimension(name: str, title: str, kind: str) -> dict[str, object]:
    return {
        "Identifier": name,
        "Title": title,
        "Description": "",
        "Kind": kind,
        "ContainsCodes": "true",
        "ContainsGroups": "false",
    }


def _code(number: int, named: tuple[str, str]) -> dict[str, object]:
    return {"Identifier": named[0], "Index": number, "Title": named[1], "Description": "", "DimensionGroupId": ""}


def _zip(parts: Mapping[str, Sequence[Mapping[str, object]]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, rows in parts.items():
            # A date of its own would make other bytes at every run.
            archive.writestr(zipfile.ZipInfo(f"{part}.csv", (1980, 1, 1, 0, 0, 0)), _csv(rows), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _csv(rows: Sequence[Mapping[str, object]]) -> bytes:
    """As CBS writes it: `;`, decimal comma, a byte-order mark, CRLF."""
    lines = [";".join(f'"{name}"' for name in rows[0])]
    lines += [";".join(_written(value) for value in row.values()) for row in rows]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def _written(value: object) -> str:
    return str(value).replace(".", ",") if isinstance(value, float) else str(value) if isinstance(value, int) else f'"{value}"'
