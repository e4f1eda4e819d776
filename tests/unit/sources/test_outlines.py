"""Outlines of neighbourhoods and the figures beside them."""

import json

import polars as pl
import pytest

from groningen_data.errors import PayloadError
from groningen_data.places import Locator
from groningen_data.sources.outlines import SOURCE, parse_districts, parse_key_figures, parse_neighbourhoods


def square(west: float, south: float, size: float = 0.01) -> dict:
    ring = [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(code: str, geometry: dict | None = None, **properties: object) -> dict:
    facts = {"buurtcode": code, "buurtnaam": f"Buurt {code}", "wijkcode": f"WK{code[2:8]}", "wijknaam": "Centrum"}
    return {"type": "Feature", "properties": facts | properties, "geometry": geometry or square(6.55, 53.21)}


def collection(*features: dict, **members: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "name": "buurten_2024", "features": list(features)} | members).encode()


def parsed(parse, payloads, context, key="snapshot") -> pl.DataFrame:
    return pl.concat(list(parse(payloads, key, context)))


def test_a_neighbourhood_gets_outline_centre_and_year(payload, context):
    delivered = payload(SOURCE, "x.geojson", collection(feature("BU00140000", oppervlakte_land_ha=37)))
    row = parsed(parse_neighbourhoods, [delivered], context()).row(0, named=True)
    assert delivered.batches == ("outlines-2024",)
    assert (row["municipality_code"], row["code_year"], row["land_area_ha"]) == ("GM0014", 2024, 37.0)
    assert (round(row["centre_longitude"], 3), round(row["centre_latitude"], 3)) == (6.555, 53.215)
    assert (row["outline_epsg"], row["source_epsg"], row["_problems"]) == (4326, 4326, [])
    assert len(row["outline_wkb"]) == 93


def test_outlines_in_dutch_metres_become_degrees(payload, context):
    data = collection(feature("BU00140000", square(233_800, 582_000, 200)))
    row = parsed(parse_neighbourhoods, [payload(SOURCE, "x.geojson", data)], context()).row(0, named=True)
    assert row["source_epsg"] == 28992
    assert (round(row["centre_longitude"], 2), round(row["centre_latitude"], 2)) == (6.57, 53.22)


@pytest.mark.parametrize(
    "names",
    [
        {"BU_CODE": "BU00140000", "BU_NAAM": "A", "WK_CODE": "WK001400", "GM_CODE": "GM0014", "AANT_INW": 50},
        {"bu_code": "BU00140000", "bu_naam": "A", "wk_code": "WK001400", "aant_inw": 50},
        {"buurtcode": "BU00140000", "buurtnaam": "A", "gemeentecode": "GM0014", "aantal_inwoners": 50},
        {"statcode": "BU00140000", "statnaam": "A", "jrstatcode": "2024BU00140000", "aantal_inwoners": 50},
    ],
)
def test_the_property_names_of_each_edition_are_known(payload, context, names):
    data = json.dumps(
        {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "properties": names, "geometry": square(6.55, 53.21)}],
        }
    ).encode()
    delivered = payload(SOURCE, "buurten_2024.geojson", data)
    assert parsed(parse_neighbourhoods, [delivered], context())["district_code"].to_list() == ["WK001400"]
    figures = parsed(parse_key_figures, [delivered], context(), "outlines-2024")
    assert figures.filter(measure_code="inhabitants")["value"].to_list() == [50.0]


@pytest.mark.parametrize(
    ("sentinel", "reason"),
    [
        (-99997, "withheld"),
        (-99995, "later_version"),
        (-99991, "no_longer_published"),
        (-99999999, "not_delivered"),
        ("-99997", "withheld"),
        (".", "withheld"),
        (None, "withheld"),
    ],
)
def test_a_figure_that_is_not_there_says_why(payload, context, sentinel, reason):
    data = collection(feature("BU00140000", inwoners=sentinel), feature("BU00140001", inwoners=10))
    found = parsed(parse_key_figures, [payload(SOURCE, "x.geojson", data)], context(), "outlines-2024")
    row = found.filter(measure_code="inhabitants", region_code="BU00140000").row(0, named=True)
    assert (row["value"], row["missing_reason"], row["_problems"]) == (None, reason, [])


def test_only_the_municipality_of_the_lakehouse_is_taken(payload, context):
    data = collection(feature("BU00140000"), feature("BU01060001"))
    delivered = payload(SOURCE, "x.geojson", data)
    assert parsed(parse_neighbourhoods, [delivered], context())["neighbourhood_code"].to_list() == ["BU00140000"]
    elsewhere = parsed(parse_neighbourhoods, [delivered], context(municipality_code="GM0106"))
    assert elsewhere["neighbourhood_code"].to_list() == ["BU01060001"]


def test_without_the_municipality_the_codes_found_are_named(payload, context):
    delivered = payload(SOURCE, "x.geojson", collection(feature("BU01060001")))
    with pytest.raises(PayloadError, match="no neighbourhoods of GM0014; found are GM0106"):
        parsed(parse_neighbourhoods, [delivered], context())


def test_the_newest_code_year_wins_whatever_landed_last(payload, context):
    new = payload(SOURCE, "x.geojson", collection(feature("BU00140000"), name="buurten_2025"))
    old = payload(SOURCE, "x.geojson", collection(feature("BU00140000"), name="buurten_2023"))
    assert parsed(parse_neighbourhoods, [new, old], context())["code_year"].to_list() == [2025]


def test_a_crossed_outline_is_made_valid(payload, context):
    crossed = {"type": "Polygon", "coordinates": [[[6.55, 53.21], [6.56, 53.22], [6.56, 53.21], [6.55, 53.22], [6.55, 53.21]]]}
    found = parsed(parse_neighbourhoods, [payload(SOURCE, "x.geojson", collection(feature("BU00140000", crossed)))], context())
    assert found["_problems"].to_list() == [[]]
    located = Locator(found).locate(pl.DataFrame({"longitude": [6.5525], "latitude": [53.215]}))
    assert located["location_status"].to_list() == ["inside"]


def test_the_water_part_of_a_neighbourhood_is_left_out_and_counted(payload, context):
    data = collection(feature("BU00140000", water="NEE"), feature("BU00140000", water="JA"), feature("BU00149997", water="JA"))
    made = context()
    found = parsed(parse_neighbourhoods, [payload(SOURCE, "x.geojson", data)], made)
    assert found["neighbourhood_code"].to_list() == ["BU00140000", "BU00149997"]
    assert made.notes["water_parts_left_out"] == 1


def test_districts_are_made_of_their_neighbourhoods(payload, context):
    data = collection(
        feature("BU00140000", oppervlakte_land_ha=1), feature("BU00140001", oppervlakte_land_ha=2), feature("BU00140100")
    )
    found = parsed(parse_districts, [payload(SOURCE, "x.geojson", data)], context())
    assert found.select("district_code", "neighbourhoods", "land_area_ha").rows() == [("WK001400", 2, 3.0), ("WK001401", 1, None)]


def test_the_real_outlines_are_read_completely(real_payloads, context):
    delivered = real_payloads(SOURCE)
    assert [p.batches for p in delivered] == [("outlines-2024",)]
    found = parsed(parse_neighbourhoods, delivered, context())
    assert (found.height, parsed(parse_districts, delivered, context()).height) == (151, 20)
    assert found["_problems"].list.len().sum() == 0
    figures = parsed(parse_key_figures, delivered, context(), "outlines-2024")
    inhabitants = figures.filter(measure_code="inhabitants")
    assert (inhabitants.height, inhabitants["value"].null_count()) == (151, 11)


def test_the_martini_tower_stands_in_the_old_town(real_payloads, context):
    found = parsed(parse_neighbourhoods, real_payloads(SOURCE), context())
    located = Locator(found).locate(pl.DataFrame({"longitude": [6.5683], "latitude": [53.2193]}))
    code = located["neighbourhood_code"].item()
    assert found.filter(neighbourhood_code=code)["district_name"].item() == "Centrum"
