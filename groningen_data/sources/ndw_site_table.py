"""NDW's measurement site table (DATEX II v2, SOAP envelope or bare, or v3), streamed with expat: what each index of a site measures.

An index means something for one version of its site in one version of the table only. The table comes with the source
`ndw_sites`, which also knows it as a registry of places.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.sources import datex
from groningen_data.sources.parsing import PROBLEMS, in_slices, marked, number, unreadable

PATTERNS = tuple(
    f"{name}{packing}"
    for name in ("*measurement_current*.xml", "*measurement.xml", "*site[-_]table*.xml", "*meetlocaties*.xml")
    for packing in ("", ".gz")
)
PUBLICATION = datex.Publication(
    "MeasurementSiteTablePublication",
    "a measurement site table",
    "deliver the publication of measurement sites (measurement_current.xml.gz, …configuratie_meetlocaties.xml.gz)",
)
_FRAME_ROWS = 100_000
_QUANTITIES = {"trafficFlow": "flow", "trafficSpeed": "speed"}
_SITE = ("table_key", "site_id", "site_version", "site_name", "direction", "lanes", "longitude", "latitude")
_INDEX = ("index_code", "accuracy", "period", "lane", "value_type", "vehicle_types", "lengths", "has_vehicles")
_CLASS_CHARACTERS = r"[^A-Za-z0-9_.+]+"
_COORDINATES = ("latitude", "longitude")
# Where coordinates may stand, best first.
_PLACES = ("locationForDisplay", "coordinatesForDisplay", "pointCoordinates", "openlrCoordinate")
RECORDS = ("measurementSiteRecord", "measurementSite")
"""As version 2 and version 3 name a site."""
_CAPTURED = {
    "accuracy": "accuracy",
    "period": "period",
    "specificMeasurementValueType": "value_type",
}
# Version 2 names a lane in `specificLane` itself, version 3 numbers it or tells its use; there may be several of them.
_LANES = ("specificLane", "laneNumber", "laneUsage")
_COLLECTED = ("vehicleType", "comparisonOperator", "vehicleLength", "measurementSide", *_LANES)


def parse_indexes(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_site_indexes` for one version of the table, from the last landed file that has it."""
    payload = payloads[-1]
    rows = sites = 0
    for records in _records(payload):
        mine = records.filter(pl.col("table_key") == batch_key)
        indexes = _indexes(mine)
        sites += mine.select("site_id", "site_version").n_unique()
        rows += indexes.height
        yield from in_slices(indexes)
    context.notes |= {
        "file": payload.name,
        "site_versions_read": sites,
        "indexes_read": rows,
        "earlier_deliveries_of_this_table": len(payloads) - 1,
    }


def tables_in(payload: Payload) -> tuple[str, ...]:
    """The versions of the table in a payload: `<version>/<code>`.

    Raises:
        PayloadError: It is no site table, says no version, or lists no sites.
    """
    parser = datex.new_parser()
    tables: dict[str, int] = {}
    current = ""
    elements = datex.ByLocalName(dict.fromkeys(RECORDS, False), measurementSiteTable=True)

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal current
        is_table = elements[name]
        if is_table:
            current = _key(payload, attributes)
        elif is_table is not None:
            tables[current] = tables.get(current, 0) + 1

    for _ in datex.feed(parser, payload, PUBLICATION, start):
        pass
    if not tables:
        raise PayloadError(payload.name, "lists no measurement sites", "ask for the table again; no rows is never data")
    return tuple(tables)


def read_sites(payload: Payload) -> pl.DataFrame:
    """The places of a site table at which flow or speed is measured: the newest version of each site, as text.

    Travel-time sections are no places, and are left out.

    Returns:
        `site_id`, `site_version` (number), `site_name`, `direction`, `lanes`, `longitude`, `latitude`.
    """
    records = pl.concat(_records(payload, with_indexes=False)).filter("is_place")
    sites = records.select(_SITE[1:]).with_columns(pl.col("site_version").cast(pl.Int64, strict=False))
    return sites.sort("site_version", maintain_order=True).unique("site_id", keep="last", maintain_order=True)


def _key(payload: Payload, attributes: dict[str, str]) -> str:
    key = datex.table_key(attributes.get("id"), attributes.get("version"))
    if key is None:
        raise PayloadError(payload.name, "does not say which version of the site table it is", "ask for the publication again")
    return key


def _records(payload: Payload, with_indexes: bool = True) -> Iterator[pl.DataFrame]:
    """Every record of a site table as text, in frames of some 100,000 indexes, which are a list of structs per record.

    `is_place` says whether flow or speed is measured there.
    """
    parser = datex.new_parser()
    ready: list[dict[str, Any]] = []
    local: dict[str, str] = {}
    text: list[str] = []
    lanes: list[str] = []
    table = ""
    # The record and the index being read; where in them the parser is.
    record: dict[str, Any] = {}
    index: dict[str, Any] = {}
    depth = skip = waiting = 0
    place = operator = ""
    in_name = False

    def capture() -> None:
        text.clear()
        parser.CharacterDataHandler = text.append

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal table, record, index, depth, skip, place, in_name, operator
        tag = local.get(name) or local.setdefault(name, datex.local_name(name))
        if skip or (tag.endswith("Extension") and tag != "pointExtension"):
            skip += 1
        elif depth:
            if tag in _CAPTURED or tag in _COLLECTED:
                capture()
            elif tag == "measurementSpecificCharacteristics":
                depth += 1
            elif tag == "specificVehicleCharacteristics":
                index["has_vehicles"] = True
            elif tag == "lengthCharacteristic":
                operator = ""
        elif tag == "measurementSpecificCharacteristics":
            depth = 1
            index = dict.fromkeys(_INDEX) | {
                "index_code": attributes.get("index"),
                "vehicle_types": [],
                "lengths": [],
                "has_vehicles": False,
            }
        elif tag in _COORDINATES and place:
            capture()
        elif tag in _PLACES:
            place = tag
        elif tag in ("measurementSiteNumberOfLanes", "measurementSide") or (in_name and tag == "value"):
            capture()
        elif tag == "measurementSiteName":
            in_name = True
        elif tag in RECORDS:
            record = dict.fromkeys(_SITE) | {
                "table_key": table,
                "site_id": attributes.get("id"),
                "site_version": attributes.get("version"),
                "index": [],
                "places": {},
            }
        elif tag == "measurementSiteTable":
            table = _key(payload, attributes)

    def end(name: str) -> None:
        nonlocal depth, skip, place, in_name, operator, waiting
        tag = local.get(name, "")
        if skip:
            skip -= 1
            return
        said = None
        if parser.CharacterDataHandler is not None:
            parser.CharacterDataHandler = None
            said = "".join(text).strip()
        if depth:
            if tag in _CAPTURED:
                index[_CAPTURED[tag]] = said
            elif tag == "vehicleType":
                index["vehicle_types"].append(said)
            elif tag == "comparisonOperator":
                operator = said or ""
            elif tag == "vehicleLength":
                index["lengths"].append(f"{operator} {said}")
            elif tag == "measurementSide":
                record["direction"] = record["direction"] or said
            elif tag == "laneNumber":
                lanes.append(f"lane{said}")
            elif tag == "laneUsage" and not lanes:
                lanes.append(said or "")
            elif tag == "specificLane":
                named = lanes or [said or ""]
                index["lane"] = "+".join(filter(None, [index["lane"], *named])) or None
                lanes.clear()
            elif tag == "measurementSpecificCharacteristics":
                depth -= 1
                if not depth:
                    record["index"].append(index)
                    waiting += 1
        elif tag in _COORDINATES and place:
            # A section has many points: the first of each kind counts.
            record["places"].setdefault((place, tag), said)
        elif tag == place:
            place = ""
        elif tag == "measurementSiteNumberOfLanes":
            record["lanes"] = said
        elif tag == "measurementSide":
            record["direction"] = said
        elif in_name and tag == "value":
            record["site_name"] = record["site_name"] or said
        elif tag == "measurementSiteName":
            in_name = False
        elif tag in RECORDS:
            places = record.pop("places")
            for coordinate in _COORDINATES:
                record[coordinate] = next((places[p, coordinate] for p in _PLACES if (p, coordinate) in places), None)
            record["is_place"] = any(i["value_type"] in _QUANTITIES for i in record["index"])
            if not with_indexes:
                record["index"] = []
            ready.append(record)

    for _ in datex.feed(parser, payload, PUBLICATION, start, end):
        if waiting >= _FRAME_ROWS:
            yield _frame(ready)
            ready.clear()
            waiting = 0
    yield _frame(ready)


_INDEX_TYPE = pl.Struct(
    dict.fromkeys(_INDEX, pl.String)
    | dict.fromkeys(("vehicle_types", "lengths"), pl.List(pl.String))
    | {"has_vehicles": pl.Boolean}
)


def _frame(records: list[dict[str, Any]]) -> pl.DataFrame:
    types: dict[str, Any] = dict.fromkeys(_SITE, pl.String) | {"is_place": pl.Boolean, "index": pl.List(_INDEX_TYPE)}
    frame = pl.DataFrame(records, schema=types)
    return frame.with_columns(_filled(name) for name in _SITE)


def _filled(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text).alias(column)


def _indexes(records: pl.DataFrame) -> pl.DataFrame:
    """One row of the contract per index of the records."""
    frame = records.filter(pl.col("index").list.len() > 0).explode("index").unnest("index")
    frame = frame.with_columns(_filled(c) for c in ("index_code", "accuracy", "period", "value_type"))
    rules = {
        "site_version.type": unreadable("site_version", pl.Int64),
        "period_s.type": unreadable("period"),
        "lanes.type": unreadable("lanes", pl.Int64),
    }
    table = pl.col("table_key").str.splitn("/", 2)
    return marked(frame, rules).select(
        table.struct.field("field_0").alias("table_version"),
        table.struct.field("field_1").alias("table_code"),
        "site_id",
        pl.col("site_version").cast(pl.Int64, strict=False),
        "index_code",
        pl.col("value_type").replace_strict(_QUANTITIES, default="other", return_dtype=pl.String).alias("quantity"),
        datex.lane("lane").alias("lane_code"),
        _vehicle_class(),
        number("period").alias("period_s"),
        number("accuracy").alias("accuracy_pct"),
        "site_name",
        "direction",
        pl.col("lanes").cast(pl.Int64, strict=False),
        number("longitude").alias("longitude"),
        number("latitude").alias("latitude"),
        PROBLEMS,
    )


def _vehicle_class() -> pl.Expr:
    """`any`, a length class, the vehicle types as DATEX II names them, or `unknown` where the table does not say."""
    lengths = pl.col("lengths").list.join(";")
    over = lengths.str.extract(r"greaterThan(?:OrEqualTo)? ([0-9]+(?:\.[0-9]+)?)").cast(pl.Float64)
    up_to = lengths.str.extract(r"lessThan(?:OrEqualTo)? ([0-9]+(?:\.[0-9]+)?)").cast(pl.Float64)
    length = (
        pl.when(over.is_not_null() & up_to.is_not_null())
        .then(pl.format("length_{}_{}", _metres(over), _metres(up_to)))
        .when(over.is_not_null())
        .then(pl.format("length_over_{}", _metres(over)))
        .when(up_to.is_not_null())
        .then(pl.format("length_up_to_{}", _metres(up_to)))
    )
    types = pl.col("vehicle_types").list.unique().list.sort().list.join("+").str.replace_all(_CLASS_CHARACTERS, "_")
    return (
        pl.when(pl.col("lengths").list.len() > 0)
        .then(length)
        .when(pl.col("vehicle_types").list.contains("anyVehicle"))
        .then(pl.lit(datex.ANY_VEHICLE))
        .when(types != "")
        .then(types)
        .fill_null(datex.UNKNOWN_CLASS)
        .alias("vehicle_class")
    )


def _metres(length: pl.Expr) -> pl.Expr:
    return (length * 100).round().cast(pl.Int64).cast(pl.String).str.zfill(3).str.replace(r"(\d\d)$", ".$1")
