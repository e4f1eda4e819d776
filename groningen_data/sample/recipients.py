"""CBS benefit recipients per neighbourhood and quarter as OData v3 JSON: table 86113NED, the eight latest quarters.

All figures are made up around those of the sample's key figures. In one district social assistance rises slowly.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby

from groningen_data.sample import key_figures
from groningen_data.sample.facts import MUNICIPALITY_CODE, MUNICIPALITY_NAME, City, Neighbourhood
from groningen_data.sample.wire import Payloads, json_bytes

TABLE = "86113NED"
YEAR = 2025
QUARTERS = 8
DAYS_TO_RELEASE = 45
"""A quarter is in the table when it ended this long ago."""
RISING_DISTRICT = "WK001407"
RISE_PER_QUARTER = 0.03
"""Growth of social assistance in that district; elsewhere it stands still, give or take a percent."""

_API = "https://opendata.cbs.nl/ODataApi/OData"
_REGION, _PERIOD = "WijkenEnBuurten", "Perioden"
_MONTHS = {3: "maart", 6: "juni", 9: "september", 12: "december"}
# The quarter in which recipients are as many as in the key figures.
_BASE = (2024, 4)
_AREA, _COUNT, _SHARE = "Regioaanduiding", "Personen per soort uitkering", "Personen per soort uitkering, relatief"
_TOPICS = (
    (_AREA, "Gemeentenaam", "Gemeentenaam", "naam", "String"),
    (_AREA, "SoortRegio", "Soort regio", "omschrijving", "String"),
    (_AREA, "Codering", "Codering", "code", "String"),
    (_AREA, "IndelingswijzigingWijkenEnBuurten", "Indelingswijziging wijken en buurten", "code", "String"),
    *(
        (group, stem, title, unit, "Long")
        for group, unit in ((_COUNT, "aantal"), (_SHARE, "% van het aantal inwoners vanaf 15 jaar"))
        for stem, title in (
            ("Werkloosheidsuitkering", "Werkloosheidsuitkering"),
            ("Bijstandsuitkering", "Bijstandsuitkering"),
            ("Arbeidsongeschiktheidsuitkering", "Arbeidsongeschiktheidsuitkering"),
            ("AOWUitkering", "AOW-uitkering"),
        )
    ),
    ("Inwoners", "InwonersVanaf15Jaar", "Inwoners vanaf 15 jaar", "aantal", "Long"),
)
_COLUMNS = tuple(f"{stem}_{position}" for position, (_, stem, *_) in enumerate(_TOPICS, start=1))
_COUNTED = tuple(column for column, topic in zip(_COLUMNS, _TOPICS, strict=True) if topic[0] == _COUNT)
_SHARES = tuple(column for column, topic in zip(_COLUMNS, _TOPICS, strict=True) if topic[0] == _SHARE)
_STEMS = (
    "PersonenPerSoortUitkeringWW",
    "PersonenPerSoortUitkeringBijstand",
    "PersonenPerSoortUitkeringAO",
    "PersonenPerSoortUitkeringAOW",
)
_ASSISTANCE = 1

Counts = tuple[float, ...]
"""Recipients of the four benefits and inhabitants aged 15 and over, before rounding."""


def payloads(city: City) -> Payloads:
    """The five documents of the table: values, measures, regions, periods and facts about the table."""
    quarters = _quarters(city.days[-1])
    values = [
        {"ID": number, **row}
        for number, row in enumerate(row for area in _areas(city, quarters) for row in _rows(area, quarters))
    ]
    yield _path("TypedDataSet"), _document("TypedDataSet", values, compact=True)
    yield _path("DataProperties"), _document("DataProperties", _properties())
    yield _path(_REGION), _document(_REGION, [_key(code, name) for code, name, *_ in _areas(city, [])])
    periods = [{"Key": _code(q), "Title": f"{q[0]} {_MONTHS[3 * q[1]]}", "Status": "Voorlopig"} for q in quarters]
    yield _path(_PERIOD), _document(_PERIOD, periods)
    yield _path("Metadata"), json_bytes(_metadata(len(values), quarters[-1]))


def _quarters(last_day: date) -> list[tuple[int, int]]:
    """Year and number of the latest quarters released by then, oldest first."""
    released = last_day - timedelta(days=DAYS_TO_RELEASE)
    # The quarter that the day after lies in has not ended.
    after = released + timedelta(days=1)
    ended = after.year * 4 + (after.month - 1) // 3 - 1
    return [_quarter_of(number) for number in range(ended - QUARTERS + 1, ended + 1)]


def _quarter_of(number: int) -> tuple[int, int]:
    """Year and quarter (1 to 4) of a running number of quarters."""
    return number // 4, number % 4 + 1


def _code(quarter: tuple[int, int]) -> str:
    return f"{quarter[0]}MM{3 * quarter[1]:02}"


Area = tuple[str, str, str, str, list[Counts | None]]
"""Code, name, kind, municipality, and per quarter the counts; None where they are withheld."""


def _areas(city: City, quarters: Sequence[tuple[int, int]]) -> list[Area]:
    exact = [(n, [_counts(city, n, quarter) for quarter in quarters]) for n in city.neighbourhoods]
    whole = _summed([counts for _, counts in exact], len(quarters))
    areas: list[Area] = [
        ("NL00", "Nederland", "Land", "Nederland", _times(whole, 73.6)),
        ("GM0106", "Assen", "Gemeente", "Assen", _times(whole, 0.286)),
        (MUNICIPALITY_CODE, MUNICIPALITY_NAME, "Gemeente", MUNICIPALITY_NAME, _times(whole, 1)),
    ]
    for (code, name), members in groupby(exact, key=lambda pair: (pair[0].district_code, pair[0].district_name)):
        inside = list(members)
        total = _summed([counts for _, counts in inside], len(quarters))
        areas.append((code, name, "Wijk", MUNICIPALITY_NAME, _times(total, 1)))
        for n, counts in inside:
            shown = (n.inhabitants or 0) >= key_figures.SMALLEST_SHOWN
            areas.append((n.code, n.name, "Buurt", MUNICIPALITY_NAME, [c if shown else None for c in counts]))
    return areas


def _counts(city: City, n: Neighbourhood, quarter: tuple[int, int]) -> Counts:
    figures = key_figures.exact_figures(city, n)
    random = city.random("recipients", n.code, _code(quarter))
    passed = (quarter[0] - _BASE[0]) * 4 + quarter[1] - _BASE[1]
    counts = [_number(figures.get(stem)) * random.uniform(0.99, 1.01) for stem in _STEMS]
    if n.district_code == RISING_DISTRICT:
        counts[_ASSISTANCE] *= (1 + RISE_PER_QUARTER) ** passed
    of_age = _number(figures.get("AantalInwoners")) - _number(figures.get("k_0Tot15Jaar"))
    return (*counts, of_age)


def _number(figure: object) -> float:
    return float(figure) if isinstance(figure, int | float) else 0.0


def _summed(members: Sequence[Sequence[Counts]], quarters: int) -> list[Counts]:
    return [tuple(map(sum, zip(*(counts[at] for counts in members), strict=True))) for at in range(quarters)]


def _times(counts: Sequence[Counts], factor: float) -> list[Counts | None]:
    return [tuple(count * factor for count in quarter) for quarter in counts]


def _rows(area: Area, quarters: Sequence[tuple[int, int]]) -> list[dict[str, object]]:
    code, _, kind, municipality, counts = area
    labels: dict[str, object] = {
        _REGION: code.ljust(10),
        "Gemeentenaam_1": municipality.ljust(40),
        "SoortRegio_2": kind.ljust(10),
        "Codering_3": code.ljust(10),
        "IndelingswijzigingWijkenEnBuurten_4": "1" if kind in ("Wijk", "Buurt") else ".",
    }
    return [labels | {_PERIOD: _code(quarter)} | _shown(shown) for quarter, shown in zip(quarters, counts, strict=True)]


def _shown(counts: Counts | None) -> dict[str, int | None]:
    """As CBS publishes them: persons in tens, shares in whole percents; nothing where it is withheld."""
    if counts is None:
        return dict.fromkeys((*_COUNTED, *_SHARES, _COLUMNS[-1]))
    *recipients, of_age = counts
    tens = {column: 10 * round(count / 10) for column, count in zip(_COUNTED, recipients, strict=True)}
    shares = {column: round(100 * count / of_age) if of_age else None for column, count in zip(_SHARES, recipients, strict=True)}
    return {**tens, **shares, _COLUMNS[-1]: 10 * round(of_age / 10)}


def _path(part: str) -> str:
    return f"cbs/cbs.v3.{TABLE}_{part}.json"


def _document(part: str, rows: Sequence[Mapping[str, object]], *, compact: bool = False) -> bytes:
    return json_bytes({"odata.metadata": f"{_API}/{TABLE}/$metadata#Cbs.OData.WebAPI.{part}", "value": rows}, compact=compact)


def _key(code: str, name: str) -> dict[str, object]:
    country = code.startswith("NL")
    return {
        "Key": code.ljust(10),
        "Title": name,
        "Description": None,
        "Municipality": "" if country else f"GM{code[2:6]}",
        "DetailRegionCode": "" if country else code,
    }


def _properties() -> list[dict[str, object]]:
    rows = [
        _property(0, None, "GeoDetail", _REGION, "Wijken en buurten") | {"MapYear": YEAR},
        _property(1, None, "TimeDimension", _PERIOD, "Perioden"),
    ]
    groups: dict[str, int] = {}
    for column, (group, _, title, unit, datatype) in zip(_COLUMNS, _TOPICS, strict=True):
        if group not in groups:
            groups[group] = len(rows)
            rows.append(_property(len(rows), None, "TopicGroup", "", group))
        facts = {"Datatype": datatype, "Unit": unit, "Decimals": 0, "Default": "Impossible"}
        rows.append(_property(len(rows), groups[group], "Topic", column, title) | facts)
    return rows


def _property(number: int, parent: int | None, kind: str, key: str, title: str) -> dict[str, object]:
    return {
        "odata.type": f"Cbs.OData.{kind}",
        "ID": number,
        "ParentID": parent,
        "Type": kind,
        "Key": key,
        "Title": title,
        "Description": "",
    }


def _metadata(rows: int, last: tuple[int, int]) -> dict[str, object]:
    title = f"Personen met een uitkering; soort uitkering, wijken en buurten {YEAR}"
    following = _quarter_of(last[0] * 4 + last[1])
    released = date(following[0], 3 * following[1] - 2, 1) + timedelta(days=DAYS_TO_RELEASE - 1)
    return {
        "ID": 0,
        "Identifier": TABLE,
        "Title": title,
        "ShortTitle": title,
        "ShortDescription": "\nVoorbeeldgegevens van een verzonnen stad in de vorm van deze tabel.\n",
        "Modified": f"{released}T02:00:00",
        "ReasonDelivery": "Actualisering",
        "OutputStatus": "Regulier",
        "Source": "CBS.",
        "Language": "nl",
        "Catalog": "CBS",
        "Frequency": "Perkwartaal",
        "ApiUrl": f"{_API}/{TABLE}",
        "RecordCount": rows,
        "ColumnCount": len(_TOPICS) + 3,
    }
