"""Outlines of neighbourhoods as GeoJSON, with the figures that CBS and PDOK put in the same file.

Degrees (EPSG:4326) and Dutch metres (EPSG:28992) are read; everything leaves here in degrees. Property names of CBS, PDOK
and older shapefile conversions are known; figures are found by `property_names` in `data/reference/cbs_measures.csv`.
PDOK has the names of districts in a collection of its own: districts (wijken) may stand among the neighbourhoods.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.fetching.connector import Connector, Pull
from groningen_data.fetching.features import Feature, feature_collection, ogc_features
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import carried_over, spatial_connection
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, SENTINELS, in_slices, read_json, reference_table, year_in

_DEGREES, _METRES = 4326, 28992
_NAMES: Mapping[str, tuple[str, ...]] = {
    "neighbourhood_code": ("buurtcode", "bucode", "statcode"),
    "neighbourhood_name": ("buurtnaam", "bunaam", "statnaam"),
    "district_code": ("wijkcode", "wkcode"),
    "district_name": ("wijknaam", "wknaam"),
    "municipality_code": ("gemeentecode", "gmcode"),
    "land_area_ha": ("oppervlaktelandha", "oppervlaktelandinha", "oppland", "alanha"),
    "edition": ("jrstatcode",),
    "water": ("water", "h2o"),
}
_FIRST_EDITION = 2022
"""The first year that PDOK serves as OGC API Features."""
_FIGURES_LAG = 2
"""Years until incomes and benefits are filled in: the editions that the figures of the first day may come from."""
_CODE = re.compile(r'"(buurt_?code|bu_?code|statcode)"\s*:\s*"BU\d', re.IGNORECASE)


@dataclass(frozen=True)
class _Outlines:
    """The neighbourhoods of one file: their facts, all figures, and outlines as GeoJSON text."""

    payload: Payload
    code_year: int
    epsg: int
    features: list[dict[str, Any]]

    @property
    def municipalities(self) -> set[str]:
        return {f["municipality_code"] for f in self.features}


def parse_neighbourhoods(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.reference_neighbourhoods`: the newest code year that has the municipality, as landed last."""
    outlines = _newest(payloads, context)
    yield from in_slices(_with_outlines(outlines))


def parse_districts(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.reference_districts`, made of the same neighbourhoods."""
    outlines = _newest(payloads, context)
    facts = _facts(outlines)
    area = pl.col("land_area_ha")
    yield (
        facts.group_by("district_code", "municipality_code", "code_year", maintain_order=True)
        .agg(
            pl.col("district_name").drop_nulls().first(),
            pl.len().cast(pl.Int64).alias("neighbourhoods"),
            pl.when(area.is_not_null().any()).then(area.sum()).alias("land_area_ha"),
        )
        .select("district_code", "district_name", "municipality_code", "code_year", "neighbourhoods", "land_area_ha")
    )


def parse_key_figures(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.reference_key_figures`: the figures that came with the outlines of the municipality."""
    outlines = _newest(payloads, context)
    measures = reference_table("cbs_measures").filter(pl.col("property_names").is_not_null())
    frames = []
    absent = []
    for code, title, unit, names in measures.select("measure_code", "title", "unit", "property_names").iter_rows():
        wanted = [_plain(n) for n in names.split("|")]
        delivered = next((n for n in wanted if any(n in f["properties"] for f in outlines.features)), None)
        if delivered is None:
            absent.append(code)
            continue
        frames.append(_figures(outlines, delivered, code, title.split("|")[0], unit.split("|")[0]))
    context.notes |= {"measures_not_in_file": ", ".join(absent)}
    if not frames:
        raise PayloadError(
            outlines.payload.name, "holds outlines but no figures", "load the key figures from CBS StatLine instead"
        )
    regions = carried_over(
        _facts(outlines).select(region_code="neighbourhood_code", region_name="neighbourhood_name"),
        outlines.code_year,
        context.published("core.reference_neighbourhoods"),
        reference_table("neighbourhood_successions"),
        context.settings.municipality_code,
    )
    rows = pl.concat(frames).join(regions, on="region_code", how="left", maintain_order="left")
    yield from in_slices(
        rows.select(
            "region_code",
            pl.lit("neighbourhood").alias("region_level"),
            "region_name",
            pl.lit(outlines.code_year, pl.Int64).alias("year"),
            "measure_code",
            "measure_title",
            "unit",
            "value",
            "missing_reason",
            "current_code",
            "code_status",
            pl.lit(batch_key).alias("source_table"),
            pl.lit(None, pl.Datetime("us", "UTC")).alias("released_at"),
            PROBLEMS,
            ORIGINAL,
        )
    )


def _figures(outlines: _Outlines, name: str, code: str, title: str, unit: str) -> pl.DataFrame:
    raw = [f["properties"].get(name) for f in outlines.features]
    frame = pl.DataFrame(
        {"region_code": [f["neighbourhood_code"] for f in outlines.features], "text": [_text(v) for v in raw]},
        schema={"region_code": pl.String, "text": pl.String},
    )
    text = pl.when(~pl.col("text").is_in(["", "."])).then(pl.col("text"))
    value = text.cast(pl.Float64, strict=False)
    why = value.replace_strict(SENTINELS, default=None, return_dtype=pl.String)
    empty = "withheld" if any(v is not None for v in raw) else "not_yet_released"
    broken = text.is_not_null() & value.is_null()
    return frame.select(
        "region_code",
        pl.lit(code).alias("measure_code"),
        pl.lit(title).alias("measure_title"),
        pl.lit(unit).alias("unit"),
        pl.when(why.is_null()).then(value).alias("value"),
        pl.when(value.is_null() & ~broken).then(pl.lit(empty)).otherwise(why).alias("missing_reason"),
        pl.concat_list(pl.when(broken).then(pl.lit("value.type"))).list.drop_nulls().alias(PROBLEMS),
        pl.struct("region_code", pl.lit(name).alias("property"), pl.col("text").alias("value"))
        .struct.json_encode()
        .alias(ORIGINAL),
    )


def _newest(payloads: Sequence[Payload], context: BuildContext) -> _Outlines:
    """The file with the newest code year that has the municipality; of equal years the one that landed last."""
    municipality = context.settings.municipality_code
    found: set[str] = set()
    best: _Outlines | None = None
    for payload in payloads:
        outlines = _read(payload)
        found |= outlines.municipalities
        if municipality in outlines.municipalities and (best is None or outlines.code_year >= best.code_year):
            best = outlines
    if best is None:
        codes = ", ".join(sorted(found)[:10]) + (" …" if len(found) > 10 else "")
        raise PayloadError(
            payloads[-1].name if payloads else SOURCE.name,
            f"has no neighbourhoods of {municipality}; found are {codes or 'none'}",
            "deliver the outlines of this municipality, or set GRONINGEN_MUNICIPALITY_CODE",
        )
    mine = [f for f in best.features if f["municipality_code"] == municipality]
    distinct = _without_water_parts(mine)
    context.notes |= {
        "file": best.payload.name,
        "code_year": best.code_year,
        "features_read": len(best.features),
        "features_of_other_municipalities": len(best.features) - len(mine),
        "water_parts_left_out": len(mine) - len(distinct),
    }
    return _Outlines(best.payload, best.code_year, best.epsg, distinct)


def _without_water_parts(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """CBS gives a neighbourhood with water a second feature under the same code; the land part stands for it."""
    on_land = {f["neighbourhood_code"] for f in features if not f["is_water"]}
    return [f for f in features if not f["is_water"] or f["neighbourhood_code"] not in on_land]


def _facts(outlines: _Outlines) -> pl.DataFrame:
    columns = ("neighbourhood_code", "neighbourhood_name", "district_code", "district_name", "municipality_code")
    frame = pl.DataFrame(
        {c: [f[c] for f in outlines.features] for c in columns}
        | {
            "land_area_ha": [_text(f["land_area_ha"]) for f in outlines.features],
            "outline": [f["outline"] for f in outlines.features],
        },
        schema=dict.fromkeys((*columns, "land_area_ha", "outline"), pl.String),
    )
    area = pl.col("land_area_ha").cast(pl.Float64, strict=False)
    return frame.with_columns(
        pl.lit(outlines.code_year, pl.Int64).alias("code_year"),
        pl.when(~area.is_in(list(SENTINELS))).then(area).alias("land_area_ha"),
        (pl.col("land_area_ha").is_not_null() & area.is_null()).alias("_area_unreadable"),
    )


def _with_outlines(outlines: _Outlines) -> pl.DataFrame:
    facts = _facts(outlines)
    degrees = "g" if outlines.epsg == _DEGREES else f"ST_Transform(g, 'EPSG:{_METRES}', 'EPSG:{_DEGREES}', always_xy := true)"
    with spatial_connection() as connection:
        connection.register("features", facts.with_row_index("_row").select("_row", "outline").to_arrow())
        shapes = connection.execute(
            f"""
            WITH read AS (SELECT _row, TRY(ST_GeomFromGeoJSON(outline)) AS g FROM features),
            valid AS (SELECT _row, ST_CollectionExtract(TRY(CASE WHEN ST_IsValid(g) THEN g ELSE ST_MakeValid(g) END), 3) AS g
                      FROM read),
            placed AS (SELECT _row, CASE WHEN ST_IsEmpty(g) THEN NULL ELSE {degrees} END AS g FROM valid)
            SELECT _row, ST_AsWKB(g)::BLOB AS outline_wkb, ST_X(ST_PointOnSurface(g)) AS centre_longitude,
                   ST_Y(ST_PointOnSurface(g)) AS centre_latitude
            FROM placed ORDER BY _row
            """
        ).pl()
    rows = pl.concat([facts, shapes.drop("_row")], how="horizontal")
    rules = {
        "outline_wkb.type": pl.col("outline_wkb").is_null() & pl.col("outline").is_not_null(),
        "land_area_ha.type": pl.col("_area_unreadable"),
    }
    broken = pl.concat_list([pl.when(c).then(pl.lit(r)) for r, c in rules.items()]).list.drop_nulls()
    return rows.select(
        "neighbourhood_code",
        "neighbourhood_name",
        "district_code",
        "district_name",
        "municipality_code",
        "code_year",
        "land_area_ha",
        "centre_longitude",
        "centre_latitude",
        "outline_wkb",
        pl.lit(_DEGREES, pl.Int64).alias("outline_epsg"),
        pl.lit(outlines.epsg, pl.Int64).alias("source_epsg"),
        broken.alias(PROBLEMS),
        pl.struct("neighbourhood_code", "neighbourhood_name", "district_code", "outline").struct.json_encode().alias(ORIGINAL),
    )


def _batches(payload: Payload) -> tuple[str, ...]:
    return (f"outlines-{_read(payload).code_year}",)


def _read(payload: Payload) -> _Outlines:
    collection = read_json(payload)
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        raise PayloadError(payload.name, "is JSON, but not a GeoJSON FeatureCollection", "deliver the outlines as GeoJSON")
    features = collection.get("features")
    if not isinstance(features, list) or not features:
        raise PayloadError(payload.name, "holds no features", "ask for the outlines again; no rows is never data")
    links = collection.get("links")
    if isinstance(links, list) and any(isinstance(link, dict) and link.get("rel") == "next" for link in links):
        raise PayloadError(payload.name, "is one page of several (it links to a next one)", "fetch all pages into one file")
    read = [_feature(f) for f in features if isinstance(f, dict)]
    if len(read) < len(features):
        raise PayloadError(payload.name, f"{len(features) - len(read)} features are no objects", "ask for the outlines again")
    read = _with_district_names(read)
    if not any(f["neighbourhood_code"] for f in read):
        found = sorted({k for f in read[:50] for k in f["properties"]})
        raise PayloadError(
            payload.name,
            f"misses a column with neighbourhood codes (buurtcode, bu_code); its columns are {', '.join(found[:12])}",
            "deliver outlines of neighbourhoods (buurten), or add the new name to the parser",
        )
    return _Outlines(payload, _code_year(payload, collection, read), _epsg(payload, collection, read), read)


def _feature(feature: dict[str, Any]) -> dict[str, Any]:
    delivered = feature.get("properties")
    properties = {_plain(k): v for k, v in delivered.items()} if isinstance(delivered, dict) else {}
    facts = {c: next((properties[n] for n in names if properties.get(n) is not None), None) for c, names in _NAMES.items()}
    for c in ("neighbourhood_code", "neighbourhood_name", "district_code", "district_name", "municipality_code"):
        facts[c] = str(facts[c]).strip() if facts[c] is not None else None
    code = facts["neighbourhood_code"] or ""
    is_code = re.fullmatch(r"BU\d{8}", code) is not None
    facts["municipality_code"] = facts["municipality_code"] or (f"GM{code[2:6]}" if is_code else None) or "unknown"
    facts["district_code"] = facts["district_code"] or (f"WK{code[2:8]}" if is_code else None)
    geometry = feature.get("geometry")
    return facts | {
        "is_water": str(facts["water"]).upper() in ("JA", "J"),
        "outline": json.dumps(geometry) if geometry is not None else None,
        "geometry": geometry,
        "properties": properties,
    }


def _with_district_names(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The neighbourhoods, with the name of their district where only the district itself has it."""
    districts = {
        f["district_code"]: f["district_name"]
        for f in features
        if f["district_code"] and f["district_name"] and not any(n in f["properties"] for n in _NAMES["neighbourhood_code"])
    }
    return [
        f | {"district_name": f["district_name"] or districts.get(f["district_code"])}
        for f in features
        if f["district_code"] not in districts or any(n in f["properties"] for n in _NAMES["neighbourhood_code"])
    ]


def _code_year(payload: Payload, collection: dict[str, Any], features: list[dict[str, Any]]) -> int:
    editions = {str(f["edition"])[:4] for f in features if f["edition"] is not None}
    texts = [editions.pop()] if len(editions) == 1 else []
    for text in (*texts, str(collection.get("name") or ""), payload.name):
        if (year := year_in(text)) is not None:
            return year
    raise PayloadError(
        payload.name,
        "does not say of which year its codes are",
        "put the year in the collection's name or in the file's name, such as buurten_2024.geojson",
    )


def _epsg(payload: Payload, collection: dict[str, Any], features: list[dict[str, Any]]) -> int:
    crs = collection.get("crs")
    named = crs.get("properties") if isinstance(crs, dict) else None
    name = str(named.get("name", "")) if isinstance(named, dict) else ""
    if re.search(rf"(?<!\d){_METRES}(?!\d)", name):
        return _METRES
    if re.search(r"CRS84|(?<!\d)4326(?!\d)", name):
        return _DEGREES
    point = next((p for f in features if (p := _first_point(f["geometry"])) is not None), None)
    if name == "" and point is not None:
        x, y = point
        if abs(x) <= 180 and abs(y) <= 90:
            return _DEGREES
        if 0 <= x <= 300_000 and 300_000 <= y <= 640_000:
            return _METRES
    raise PayloadError(
        payload.name,
        f"has outlines in an unknown coordinate system ({name or 'not named, and neither degrees nor Dutch metres'})",
        "deliver the outlines in EPSG:4326 or EPSG:28992",
    )


def _first_point(geometry: Any) -> tuple[float, float] | None:
    inner = geometry.get("coordinates") if isinstance(geometry, dict) else None
    while isinstance(inner, list) and inner and isinstance(inner[0], list):
        inner = inner[0]
    if isinstance(inner, list) and len(inner) >= 2 and all(isinstance(v, int | float) for v in inner[:2]):
        return float(inner[0]), float(inner[1])
    return None


def _text(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) else None if value is None else json.dumps(value)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _recognises(head: Head) -> bool:
    text = head.text
    return '"FeatureCollection"' in text and 'Polygon"' in text and _CODE.search(text) is not None


def _pull(visit: Pull) -> None:
    """Ask PDOK for the neighbourhoods and districts of the municipality, each year's edition as one payload.

    Every edition is asked at each visit: CBS fills in and corrects its figures for years. An edition that is not there yet is no
    error while no later one is there. Coordinates are asked in degrees, which the lake keeps; PDOK transforms the Dutch metres
    with its own grid, to the centimetre.
    """
    municipality, today = visit.settings.municipality_code, visit.settings.today()
    absent: list[int] = []
    gaps: list[int] = []
    for year in range(max(_FIRST_EDITION, visit.settings.first_local_day.year - _FIGURES_LAG), today.year + 1):
        found: list[list[Feature]] = []
        for collection in ("buurten", "wijken"):
            url = visit.client.url("pdok_cbs", f"wijken-en-buurten-{year}/ogc/v1/collections/{collection}/items")
            features = ogc_features(visit, url, {"gemeentecode": municipality})
            if features is None and not found:
                break
            mine = [f for f in features or () if (f.get("properties") or {}).get("gemeentecode") == municipality]
            if not mine:
                raise visit.problem(
                    f"the {collection} of {year} have none of {municipality}", "compare the filter with PDOK's API page"
                )
            found.append(mine)
        if not found:
            absent.append(year)
            continue
        gaps, absent = gaps + absent, []
        name = f"pdok_wijken_en_buurten_{year}"
        visit.deliver(f"{name}.geojson", feature_collection(name, [*found[0], *found[1]]))
    if gaps or not visit.delivered:
        raise visit.problem(
            f"PDOK has no neighbourhoods of {', '.join(map(str, gaps or absent))}",
            "look at https://api.pdok.nl whether the service has moved",
        )


SOURCE = FileSource(
    name="outlines",
    title="Outlines of neighbourhoods (CBS, Kadaster)",
    patterns=("*buurten*.geojson", "*buurten*.geojson.gz"),
    recognises=_recognises,
    batches=_batches,
    connector=Connector(("pdok_cbs",), _pull),
)
