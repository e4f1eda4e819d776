"""CBS key figures of districts and neighbourhoods: table 85984NED (2024) as OData v3 JSON, table 85618NED (2023) as v4 JSON.

Inhabitants, households, land area, dwelling value and income per neighbourhood in 2024 are CBS's own; all other figures are
made up. In 2023 two neighbourhoods still have the codes they had before the succession in `data/reference`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from random import Random

from groningen_data.sample.facts import MUNICIPALITY_CODE, MUNICIPALITY_NAME, City, Neighbourhood
from groningen_data.sample.wire import Payloads, json_bytes

TABLE = "85984NED"
YEAR = 2024
RELEASED_AT = "2025-11-28T02:00:00"
EARLIER_TABLE = "85618NED"
EARLIER_YEAR = 2023
EARLIER_RELEASED_AT = "2025-09-30T02:00:00+02:00"
PAGE_ROWS = 3000
"""Observations per page of the version 4 service."""
SMALLEST_SHOWN = 100
"""Recipients are withheld where fewer people live."""
WITHHELD_SHARE = 0.05
"""Share of the other neighbourhoods whose recipients are withheld as well."""
UNASSISTED_NEIGHBOURHOODS = ("BU00140604", "BU00140701", "BU00140801", "BU00141101")
UNASSISTED_SHARE = 0.1
"""Share of the households there that have a low income and no social assistance; elsewhere it is a quarter to half of that."""

_UNASSISTED_SHARES = (0.025, 0.05)
_API = "https://opendata.cbs.nl/ODataApi/OData"
_API_V4 = "https://datasets.cbs.nl/odata/v1/CBS"
_DIMENSION = "WijkenEnBuurten"
_COUNTRY_SCALE = 73.6
_ASSEN_SCALE = 0.286

Figure = int | float | str | None


@dataclass(frozen=True)
class _Topic:
    """One measure; its column is `<stem>_<position>`, as at CBS, where the position moves every year."""

    groups: tuple[str, ...]
    stem: str
    title: str
    unit: str
    datatype: str = "Long"

    @property
    def decimals(self) -> int:
        return 1 if self.datatype == "Double" else 0


_REGION, _PEOPLE, _AGES = ("Regioaanduiding",), ("Bevolking",), ("Bevolking", "Leeftijdsgroepen")
_HOMES, _ENERGY, _BENEFITS, _CARE = ("Wonen",), ("Energie",), ("Sociale zekerheid",), ("Zorg",)
_HOUSEHOLDS, _INCOME = ("Bevolking", "Particuliere huishoudens"), ("Inkomen", "Inkomen van personen")
_CARS = ("Motorvoertuigen", "Personenauto's")
_TOPICS = (
    _Topic(_REGION, "Gemeentenaam", "Gemeentenaam", "naam", "String"),
    _Topic(_REGION, "SoortRegio", "Soort regio", "omschrijving", "String"),
    _Topic(_REGION, "Codering", "Codering", "code", "String"),
    _Topic(_REGION, "IndelingswijzigingWijkenEnBuurten", "Indelingswijziging wijken en buurten", "code", "String"),
    _Topic(("Oppervlakte",), "OppervlakteTotaal", "Oppervlakte totaal", "ha"),
    _Topic(("Oppervlakte",), "OppervlakteLand", "Oppervlakte land", "ha"),
    _Topic(("Oppervlakte",), "OppervlakteWater", "Oppervlakte water", "ha"),
    _Topic(_PEOPLE, "AantalInwoners", "Aantal inwoners", "aantal"),
    _Topic(("Bevolking", "Geslacht"), "Mannen", "Mannen", "aantal"),
    _Topic(("Bevolking", "Geslacht"), "Vrouwen", "Vrouwen", "aantal"),
    _Topic(_AGES, "k_0Tot15Jaar", "0 tot 15 jaar", "aantal"),
    _Topic(_AGES, "k_15Tot25Jaar", "15 tot 25 jaar", "aantal"),
    _Topic(_AGES, "k_25Tot45Jaar", "25 tot 45 jaar", "aantal"),
    _Topic(_AGES, "k_45Tot65Jaar", "45 tot 65 jaar", "aantal"),
    _Topic(_AGES, "k_65JaarOfOuder", "65 jaar of ouder", "aantal"),
    _Topic(_HOUSEHOLDS, "HuishoudensTotaal", "Huishoudens totaal", "aantal"),
    _Topic(_HOUSEHOLDS, "Eenpersoonshuishoudens", "Eenpersoonshuishoudens", "aantal"),
    _Topic(_HOUSEHOLDS, "GemiddeldeHuishoudensgrootte", "Gemiddelde huishoudensgrootte", "aantal", "Double"),
    _Topic(_PEOPLE, "Bevolkingsdichtheid", "Bevolkingsdichtheid", "aantal inwoners per km²"),
    _Topic(_HOMES, "Woningvoorraad", "Woningvoorraad", "aantal"),
    _Topic(_HOMES, "GemiddeldeWoningwaarde", "Gemiddelde woningwaarde", "x 1 000 euro"),
    _Topic(("Wonen", "Woningen naar eigendom"), "Koopwoningen", "Koopwoningen", "%"),
    _Topic((*_ENERGY, "Gemiddeld elektriciteitsverbruik", "Naar woningtype"), "Appartement", "Appartement", "kWh"),
    _Topic((*_ENERGY, "Gemiddeld aardgasverbruik", "Naar woningtype"), "Appartement", "Appartement", "m³"),
    # Some of CBS's own titles end in spaces.
    _Topic(_INCOME, "AantalInkomensontvangers", "Aantal inkomensontvangers   ", "aantal"),
    _Topic(
        _INCOME, "GemiddeldInkomenPerInkomensontvanger", "Gemiddeld inkomen per inkomensontvanger  ", "x 1 000 euro", "Double"
    ),
    _Topic(_INCOME, "GemiddeldInkomenPerInwoner", "Gemiddeld inkomen per inwoner  ", "x 1 000 euro", "Double"),
    _Topic(
        ("Inkomen", "Inkomen van huishoudens"), "HuishoudensMetEenLaagInkomen", "Huishoudens met een laag inkomen", "%", "Double"
    ),
    _Topic(_BENEFITS, "PersonenPerSoortUitkeringBijstand", "Personen per soort uitkering; Bijstand", "aantal"),
    _Topic(_BENEFITS, "PersonenPerSoortUitkeringAO", "Personen per soort uitkering; AO", "aantal"),
    _Topic(_BENEFITS, "PersonenPerSoortUitkeringWW", "Personen per soort uitkering; WW", "aantal"),
    _Topic(_BENEFITS, "PersonenPerSoortUitkeringAOW", "Personen per soort uitkering; AOW", "aantal"),
    _Topic(_CARE, "JongerenMetJeugdzorgInNatura", "Jongeren met jeugdzorg in natura  ", "aantal"),
    _Topic(_CARE, "WmoClienten", "Wmo-cliënten  ", "aantal"),
    _Topic(_CARS, "PersonenautoSTotaal", "Personenauto's totaal", "aantal"),
    _Topic(_CARS, "PersonenautoSPerHuishouden", "Personenauto's per huishouden", "per huishouden", "Double"),
    _Topic(("Postcode",), "MeestVoorkomendePostcode", "Meest voorkomende postcode", "code", "String"),
    _Topic(("Stedelijkheid",), "MateVanStedelijkheid", "Mate van stedelijkheid", "code"),
    _Topic(("Stedelijkheid",), "Omgevingsadressendichtheid", "Omgevingsadressendichtheid", "per km²"),
)

_COUNTS = (
    *(f"k_{ages}" for ages in ("0Tot15Jaar", "15Tot25Jaar", "25Tot45Jaar", "45Tot65Jaar", "65JaarOfOuder")),
    *("AantalInwoners", "Mannen", "Vrouwen", "HuishoudensTotaal", "Eenpersoonshuishoudens", "Woningvoorraad"),
    "PersonenautoSTotaal",
    *("OppervlakteTotaal", "OppervlakteLand", "OppervlakteWater"),
)
_RECIPIENTS = tuple(topic.stem for topic in _TOPICS if topic.groups == _BENEFITS)
_MEANS = (
    "GemiddeldeWoningwaarde",
    "GemiddeldInkomenPerInwoner",
    "Koopwoningen",
    "MateVanStedelijkheid",
    "Omgevingsadressendichtheid",
)
_DECIMAL = ("GemiddeldInkomenPerInwoner", "HuishoudensMetEenLaagInkomen")


@dataclass(frozen=True)
class _Region:
    code: str
    name: str
    kind: str
    municipality: str
    description: str | None
    figures: Mapping[str, Figure]


def payloads(city: City) -> Payloads:
    """The documents of both tables: values, measures, regions and facts about the table."""
    yield from _version_3(_regions(city, YEAR, city.neighbourhoods))
    yield from _version_4(_regions(city, EARLIER_YEAR, _earlier(city.neighbourhoods)))


def exact_figures(city: City, n: Neighbourhood) -> dict[str, Figure]:
    """Figures of one neighbourhood in 2024 before CBS's rounding, by the stem of their column."""
    return _exact_figures(n, city.random("key figures", n.code))


def _version_3(regions: Sequence["_Region"]) -> Payloads:
    values = [_row(position, region) for position, region in enumerate(regions)]
    yield _path("TypedDataSet"), _document("TypedDataSet", values)
    yield _path("DataProperties"), _document("DataProperties", _properties())
    yield _path(_DIMENSION), _document(_DIMENSION, [_key(region) for region in regions])
    yield _path("Metadata"), json_bytes(_metadata(len(regions)))


def _path(part: str) -> str:
    return f"cbs/cbs.v3.{TABLE}_{part}.json"


def _document(part: str, rows: Sequence[Mapping[str, object]]) -> bytes:
    return json_bytes({"odata.metadata": f"{_API}/{TABLE}/$metadata#Cbs.OData.WebAPI.{part}", "value": rows})


def _version_4(regions: Sequence["_Region"]) -> Payloads:
    """Long instead of wide: a row per figure, none for what is missing, under ids that say nothing."""
    topics = [(topic, f"M{1600 + 7 * position:06}") for topic, position in zip(_TOPICS, range(len(_TOPICS)), strict=True)]
    topics = [(topic, code) for topic, code in topics if topic.datatype != "String"]
    groups = list(dict.fromkeys(topic.groups[:depth] for topic, _ in topics for depth in range(1, len(topic.groups) + 1)))
    group_codes = {group: f"G{number:06}" for number, group in enumerate(groups, start=100)}
    rows = [_observation(code, topic, region) for region in regions for topic, code in topics]
    shown = [{"Id": number, **row} for number, row in enumerate(row for row in rows if row is not None)]
    yield _path_v4("Properties"), json_bytes(_context("Properties") | _properties_v4(len(shown)))
    dimension = {"Identifier": _DIMENSION, "Title": "Wijken en buurten", "Description": "", "Kind": "GeoDetail"}
    yield _path_v4("Dimensions"), _listed("Dimensions", [dimension | {"MapYear": str(EARLIER_YEAR), "ContainsCodes": True}])
    measures = [
        {
            "Identifier": code,
            "Index": position,
            "Title": topic.title,
            "Description": "",
            "MeasureGroupId": group_codes[topic.groups],
            "DataType": topic.datatype,
            "Unit": topic.unit,
            "Decimals": topic.decimals,
        }
        for position, (topic, code) in enumerate(topics, start=1)
    ]
    yield _path_v4("MeasureCodes"), _listed("MeasureCodes", measures)
    tree = [
        {"Id": code, "Index": number, "Title": group[-1], "Description": "", "ParentId": group_codes.get(group[:-1])}
        for number, (group, code) in enumerate(group_codes.items())
    ]
    yield _path_v4("MeasureGroups"), _listed("MeasureGroups", tree)
    codes = [
        {
            "Identifier": region.code,
            "Index": number,
            "Title": region.name,
            "Description": region.description,
            "DimensionGroupId": region.code[:2] if region.kind in ("Land", "Gemeente") else f"GM{region.code[2:6]}",
            "DetailRegionCode": None if region.kind == "Land" else region.code,
        }
        for number, region in enumerate(regions, start=1)
    ]
    yield _path_v4(f"{_DIMENSION}Codes"), _listed(f"{_DIMENSION}Codes", codes)
    for page, start in enumerate(range(0, len(shown), PAGE_ROWS), start=1):
        end = start + PAGE_ROWS
        link = {"@odata.nextLink": f"{_API_V4}/{EARLIER_TABLE}/Observations?$skip={end}"} if end < len(shown) else {}
        body = _context("Observations") | {"value": shown[start:end]} | link
        yield _path_v4(f"Observations_{page}"), json_bytes(body, compact=True)


def _observation(code: str, topic: "_Topic", region: "_Region") -> dict[str, object] | None:
    value = region.figures.get(topic.stem)
    attribute = "None"
    if value is None and topic.stem == "GemiddeldeHuishoudensgrootte" and not region.figures.get("HuishoudensTotaal"):
        attribute = "Impossible"
    elif not isinstance(value, int | float):
        return None
    number = None if value is None else float(value)
    return {"Measure": code, "ValueAttribute": attribute, "Value": number, "StringValue": None, _DIMENSION: region.code}


def _context(part: str) -> dict[str, object]:
    return {"@odata.context": f"{_API_V4}/{EARLIER_TABLE}/$metadata#{part}"}


def _listed(part: str, rows: Sequence[Mapping[str, object]]) -> bytes:
    return json_bytes(_context(part) | {"value": rows})


def _path_v4(part: str) -> str:
    return f"cbs/cbs.v4.{EARLIER_TABLE}_{part}.json"


def _earlier(neighbourhoods: Sequence[Neighbourhood]) -> tuple[Neighbourhood, ...]:
    """The neighbourhoods of 2023: with the codes of then, and one that was split since."""
    found = {n.code: n for n in neighbourhoods}
    parts = [found.pop(code) for code in ("BU00140908", "BU00140909") if code in found]
    if parts:
        whole = {
            "inhabitants": sum(n.inhabitants or 0 for n in parts),
            "households": sum(n.households or 0 for n in parts),
            "land_area_ha": sum(n.land_area_ha for n in parts),
        }
        name = {"code": "BU00140807", "name": "Suikerfabriekterrein"}
        found["BU00140807"] = replace(parts[0], **whole, **name, district_code="WK001408", district_name="Hoogkerk e.o.")  # type: ignore[arg-type]
    if (moved := found.pop("BU00140110", None)) is not None:
        found["BU00140808"] = replace(moved, code="BU00140808", district_code="WK001408", district_name="Hoogkerk e.o.")
    return tuple(found[code] for code in sorted(found))


def _as_of_2023(n: Neighbourhood, random: Random) -> Neighbourhood:
    """A little smaller and poorer than a year later."""
    less = random.uniform(0.97, 1.0)
    return replace(
        n,
        inhabitants=None if n.inhabitants is None else 5 * round(n.inhabitants * less / 5),
        households=None if n.households is None else 5 * round(n.households * less / 5),
        dwelling_value_keur=None if n.dwelling_value_keur is None else round(n.dwelling_value_keur * 0.96),
        income_per_inhabitant_keur=None
        if n.income_per_inhabitant_keur is None
        else round(n.income_per_inhabitant_keur * 0.95, 1),
    )


def _figures_of(city: City, year: int, n: Neighbourhood) -> dict[str, Figure]:
    if year == YEAR:
        return exact_figures(city, n)
    random = city.random("key figures", year, n.code)
    figures = _exact_figures(_as_of_2023(n, random), random)
    if (n.households or 0) >= SMALLEST_SHOWN:
        share = UNASSISTED_SHARE if n.code in UNASSISTED_NEIGHBOURHOODS else random.uniform(*_UNASSISTED_SHARES)
        assisted = _numbers([figures["PersonenPerSoortUitkeringBijstand"]])[0] / (n.households or 1)
        figures["HuishoudensMetEenLaagInkomen"] = round(100 * min(assisted + share, 0.6), 1)
    return figures


def _regions(city: City, year: int, neighbourhoods: Sequence[Neighbourhood]) -> list[_Region]:
    exact = [(n, _figures_of(city, year, n)) for n in neighbourhoods]
    whole = _together([figures for _, figures in exact])
    found = [
        _Region("NL00", "Nederland", "Land", "Nederland", None, _scaled(whole, _COUNTRY_SCALE)),
        _municipality("GM0106", "Assen", _scaled(whole, _ASSEN_SCALE)),
        _municipality(MUNICIPALITY_CODE, MUNICIPALITY_NAME, _scaled(whole, 1)),
    ]
    for (code, name), members in groupby(exact, key=lambda pair: (pair[0].district_code, pair[0].district_name)):
        inside = list(members)
        words = f"Wijk '{name}' ({code}) is een wijk in de gemeente '{MUNICIPALITY_NAME}'."
        found.append(_Region(code, name, "Wijk", MUNICIPALITY_NAME, words, _scaled(_together([f for _, f in inside]), 1)))
        found.extend(_neighbourhood(n, figures, city.random("withheld", n.code)) for n, figures in inside)
    return found


def _municipality(code: str, name: str, figures: Mapping[str, Figure]) -> _Region:
    return _Region(code, name, "Gemeente", name, f"Gemeente '{name}' ({code})", figures)


def _neighbourhood(n: Neighbourhood, figures: Mapping[str, Figure], random: Random) -> _Region:
    withheld = (n.inhabitants or 0) < SMALLEST_SHOWN or random.random() < WITHHELD_SHARE
    shown = dict(figures) | (dict.fromkeys(_RECIPIENTS) if withheld else {})
    words = f"Buurt '{n.name}' ({n.code}) is een buurt in wijk '{n.district_name}' in de gemeente '{MUNICIPALITY_NAME}'."
    return _Region(n.code, n.name, "Buurt", MUNICIPALITY_NAME, words, _rounded(shown))


def _exact_figures(n: Neighbourhood, random: Random) -> dict[str, Figure]:
    """Figures of one neighbourhood before CBS's rounding; made up where `Neighbourhood` has none."""
    figures: dict[str, Figure] = {
        "OppervlakteTotaal": n.land_area_ha + random.randint(0, 3),
        "OppervlakteLand": n.land_area_ha,
        "AantalInwoners": n.inhabitants,
        "HuishoudensTotaal": n.households,
        "GemiddeldeWoningwaarde": n.dwelling_value_keur,
        "GemiddeldInkomenPerInwoner": n.income_per_inhabitant_keur,
        "Koopwoningen": n.owner_occupied_pct,
        "MateVanStedelijkheid": n.urbanity_class,
        "Omgevingsadressendichtheid": n.address_density_km2,
        "MeestVoorkomendePostcode": n.postcode,
    }
    figures["OppervlakteWater"] = int(figures["OppervlakteTotaal"] or 0) - n.land_area_ha
    if n.households is not None:
        figures["Woningvoorraad"] = round(n.households * random.uniform(0.9, 1.02))
        figures["Eenpersoonshuishoudens"] = round(n.households * random.uniform(0.3, 0.8))
        figures["PersonenautoSTotaal"] = round(n.households * random.uniform(0.3, 1.1))
    if n.inhabitants is not None:
        figures |= _people(n.inhabitants, random)
    return figures


def _people(inhabitants: int, random: Random) -> dict[str, Figure]:
    children, young, adult, middle = (random.uniform(*b) for b in ((0.05, 0.18), (0.1, 0.3), (0.25, 0.35), (0.12, 0.22)))
    ages = [round(inhabitants * share) for share in (children, young, adult, middle)]
    old = max(0, inhabitants - sum(ages))
    men = round(inhabitants * random.uniform(0.47, 0.53))
    of_age = inhabitants - ages[0]
    return {
        "Mannen": men,
        "Vrouwen": inhabitants - men,
        "k_0Tot15Jaar": ages[0],
        "k_15Tot25Jaar": ages[1],
        "k_25Tot45Jaar": ages[2],
        "k_45Tot65Jaar": ages[3],
        "k_65JaarOfOuder": old,
        "PersonenPerSoortUitkeringBijstand": round(of_age * random.uniform(0.01, 0.1)),
        "PersonenPerSoortUitkeringAO": round(of_age * random.uniform(0.01, 0.07)),
        "PersonenPerSoortUitkeringWW": round(of_age * random.uniform(0.008, 0.025)),
        "PersonenPerSoortUitkeringAOW": round(old * 0.95),
    }


def _together(members: Sequence[Mapping[str, Figure]]) -> dict[str, Figure]:
    """Sums of counts, and means weighted by inhabitants, over the members that have a figure."""
    sums: dict[str, Figure] = {stem: sum(_numbers(m.get(stem) for m in members)) for stem in (*_COUNTS, *_RECIPIENTS)}
    return sums | {stem: _mean(stem, members) for stem in _MEANS}


def _mean(stem: str, members: Sequence[Mapping[str, Figure]]) -> float | None:
    known = [(_numbers([m[stem]])[0], _numbers([m["AantalInwoners"]])[0]) for m in members if m[stem] and m["AantalInwoners"]]
    return sum(value * weight for value, weight in known) / sum(weight for _, weight in known) if known else None


def _numbers(figures: Iterable[Figure]) -> list[int | float]:
    return [figure for figure in figures if isinstance(figure, int | float)]


def _scaled(figures: Mapping[str, Figure], factor: float) -> dict[str, Figure]:
    counts = {stem: number * factor for stem in (*_COUNTS, *_RECIPIENTS) for number in _numbers([figures.get(stem)])}
    return _rounded({**figures, **counts})


def _rounded(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Figures as CBS publishes them: counts of people in fives, of recipients in tens; derived figures added."""
    shown = dict(figures)
    for stem, value in figures.items():
        if not isinstance(value, int | float):
            continue
        step = 10 if stem in _RECIPIENTS else 5 if stem in _COUNTS and not stem.startswith("Oppervlakte") else 1
        shown[stem] = round(value, 1) if stem in _DECIMAL else step * round(value / step)
    parts = ("AantalInwoners", "HuishoudensTotaal", "OppervlakteLand", "PersonenautoSTotaal")
    inhabitants, households, land, cars = (_numbers([shown.get(stem)]) for stem in parts)
    if inhabitants and land and land[0]:
        shown["Bevolkingsdichtheid"] = round(inhabitants[0] / land[0] * 100)
    if inhabitants and households and households[0]:
        shown["GemiddeldeHuishoudensgrootte"] = round(inhabitants[0] / households[0], 1)
    if households and households[0] and cars:
        shown["PersonenautoSPerHuishouden"] = round(cars[0] / households[0], 1)
    return shown


def _columns() -> list[tuple[_Topic, str]]:
    return [(topic, f"{topic.stem}_{position}") for position, topic in enumerate(_TOPICS, start=1)]


def _row(position: int, region: _Region) -> dict[str, Figure]:
    labels = {
        "Gemeentenaam": region.municipality.ljust(40),
        "SoortRegio": region.kind.ljust(10),
        "Codering": region.code.ljust(10),
        "IndelingswijzigingWijkenEnBuurten": "1" if region.kind in ("Wijk", "Buurt") else ".",
        "MeestVoorkomendePostcode": str(region.figures.get("MeestVoorkomendePostcode") or ".").rjust(10),
    }
    figures = {**region.figures, **labels}
    values = {column: figures.get(topic.stem) for topic, column in _columns()}
    return {"ID": position, _DIMENSION: region.code.ljust(10), **values}


def _key(region: _Region) -> dict[str, object]:
    country = region.kind == "Land"
    return {
        "Key": region.code.ljust(10),
        "Title": region.name,
        "Description": region.description,
        "Municipality": "" if country else f"GM{region.code[2:6]}",
        "DetailRegionCode": "" if country else region.code,
    }


def _properties() -> list[dict[str, object]]:
    """The tree of groups and measures, numbered in order; a group's own row comes before what is in it."""
    rows: list[dict[str, object]] = [
        _property(0, 0, None, "GeoDetail", _DIMENSION, "Wijken en buurten") | {"MapYear": YEAR},
    ]
    groups: dict[tuple[str, ...], int] = {}
    for position, (topic, column) in enumerate(_columns(), start=1):
        for depth in range(1, len(topic.groups) + 1):
            group = topic.groups[:depth]
            if group not in groups:
                groups[group] = len(rows)
                rows.append(_property(len(rows), None, groups.get(group[:-1]), "TopicGroup", "", group[-1]))
        topic_facts = {"Datatype": topic.datatype, "Unit": topic.unit, "Decimals": topic.decimals, "Default": "Impossible"}
        rows.append(_property(len(rows), position, groups[topic.groups], "Topic", column, topic.title) | topic_facts)
    return rows


def _property(number: int, position: int | None, parent: int | None, kind: str, key: str, title: str) -> dict[str, object]:
    return {
        "odata.type": f"Cbs.OData.{kind}",
        "ID": number,
        "Position": position,
        "ParentID": parent,
        "Type": kind,
        "Key": key,
        "Title": title,
        "Description": "",
    }


def _properties_v4(observations: int) -> dict[str, object]:
    return {
        "Identifier": EARLIER_TABLE,
        "Title": f"Kerncijfers wijken en buurten {EARLIER_YEAR}",
        "Description": f"\nVoorbeeldgegevens van een verzonnen stad in de vorm van deze tabel.\n\nGegevens beschikbaar over: {EARLIER_YEAR}.\n",
        "Language": "nl",
        "Modified": EARLIER_RELEASED_AT,
        "TemporalCoverage": str(EARLIER_YEAR),
        "Catalog": "CBS",
        "Version": "202509300200",
        "Frequency": "Onregelmatig",
        "Status": "Regulier",
        "ObservationCount": observations,
        "DatasetType": "Numeric",
        "License": "https://creativecommons.org/licenses/by/4.0/",
        "Source": "CBS.",
        "Summary": "Kerncijfers over demografische en sociaal-economische kenmerken\nUitgesplitst naar gemeenten, wijken en buurten",
    }


def _metadata(rows: int) -> dict[str, object]:
    title = f"Kerncijfers wijken en buurten {YEAR}"
    return {
        "Updated": RELEASED_AT,
        "ID": 0,
        "Identifier": TABLE,
        "Title": title,
        "ShortTitle": title,
        "ShortDescription": f"\nVoorbeeldgegevens van een verzonnen stad in de vorm van deze tabel.\n\nGegevens beschikbaar over: {YEAR}.\n",
        "Summary": "Kerncijfers over demografische en sociaal-economische kenmerken\nUitgesplitst naar gemeenten, wijken en buurten",
        "Modified": RELEASED_AT,
        "MetaDataModified": RELEASED_AT,
        "ReasonDelivery": "Actualisering",
        "OutputStatus": "Regulier",
        "Source": "CBS.",
        "Language": "nl",
        "Catalog": "CBS",
        "Frequency": "Onregelmatig",
        "Period": str(YEAR),
        "ApiUrl": f"{_API}/{TABLE}",
        "FeedUrl": f"https://opendata.cbs.nl/ODataFeed/OData/{TABLE}",
        "RecordCount": rows,
        "ColumnCount": len(_TOPICS) + 2,
    }
