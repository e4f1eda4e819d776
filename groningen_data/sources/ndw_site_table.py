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
_INDEX = ("index_code", "accuracy", "period", "lane", "value_type", "vehicle_types", "lengths")
_CLASS_CHARACTERS = r"[^A-Za-z0-9_.+]+"
_COORDINATES = ("latitude", "longitude")
# Where coordinates may stand, best first.
_PLACES = ("locationForDisplay", "coordinatesForDisplay", "pointCoordinates", "openlrCoordinate")
RECORDS = ("measurementSiteRecord", "measurementSite")
"""As version 2 and version 3 name a site."""
# Version 2 names a lane in `specificLane` itself, version 3 numbers it or tells its use; there may be several of them.
(
    _ACCURACY,
    _PERIOD,
    _LANE,
    _LANE_NUMBER,
    _LANE_USAGE,
    _VALUE_TYPE,
    _VEHICLE_TYPE,
    _OPERATOR,
    _LENGTH,
    _SIDE,
    _LANES,
    _NAME_VALUE,
    _LATITUDE,
    _LONGITUDE,
    _INDEXED,
    _NAME,
    _NAME_VALUES,
    _PLACE,
    _RECORD,
    _TABLE,
    _EXTENSION,
) = range(1, 22)
_WITH_TEXT = _LONGITUDE
_ELEMENTS = {
    "accuracy": _ACCURACY,
    "period": _PERIOD,
    "specificLane": _LANE,
    "laneNumber": _LANE_NUMBER,
    "laneUsage": _LANE_USAGE,
    "specificMeasurementValueType": _VALUE_TYPE,
    "vehicleType": _VEHICLE_TYPE,
    "comparisonOperator": _OPERATOR,
    "vehicleLength": _LENGTH,
    "measurementSide": _SIDE,
    "measurementSiteNumberOfLanes": _LANES,
    "value": _NAME_VALUE,
    "latitude": _LATITUDE,
    "longitude": _LONGITUDE,
    "measurementSpecificCharacteristics": _INDEXED,
    "measurementSiteName": _NAME,
    "values": _NAME_VALUES,
    **dict.fromkeys(_PLACES, _PLACE),
    **dict.fromkeys(RECORDS, _RECORD),
    "measurementSiteTable": _TABLE,
}


class _Elements(datex.ByLocalName):
    """Which of `_ELEMENTS` an element is; extensions have many names, and one of them holds a place."""

    def known(self, local: str) -> Any:
        return _EXTENSION if local.endswith("Extension") and local != "pointExtension" else self.get(local)


def parse_indexes(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_site_indexes` for one version of the table, from the last landed file that has it."""
    payload = payloads[-1]
    rows = sites = 0
    for records, measures in _records(payload):
        mine = records.filter(pl.col("table_key") == batch_key)
        indexes = _indexes(measures.join(mine, on="record", how="inner", maintain_order="left"))
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
    records = pl.concat(records for records, _ in _records(payload)).filter("is_place")
    sites = records.select(_SITE[1:]).with_columns(pl.col("site_version").cast(pl.Int64, strict=False))
    return sites.sort("site_version", maintain_order=True).unique("site_id", keep="last", maintain_order=True)


def _key(payload: Payload, attributes: dict[str, str]) -> str:
    key = datex.table_key(attributes.get("id"), attributes.get("version"))
    if key is None:
        raise PayloadError(payload.name, "does not say which version of the site table it is", "ask for the publication again")
    return key


def _records(payload: Payload) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Every record of a site table as text, and what its indexes measure, in parts of some 100,000 indexes.

    As in the feed only the starts of elements are heard: the text of one is taken when the next one begins.

    Returns:
        Per record its number `record`, what `_SITE` names, and `is_place`: whether flow or speed is measured there. Per index the
        number of its record, and what `_INDEX` names.
    """
    parser = datex.new_parser()
    elements = _Elements(_ELEMENTS)
    records: list[tuple[Any, ...]] = []
    # Lists of texts: a tuple per index would keep the collector of garbage busy.
    columns: dict[str, list[Any]] = {name: [] for name in _INDEX_TYPES}
    of_record, codes, accuracies, periods, lane_codes, value_types, types_of_index, lengths_of_index = columns.values()
    text: list[str] = []
    table = operator = ""
    number_of_record = closed = skipped = field = 0
    is_record = is_index = is_outer = is_numbered = in_name = is_place = False
    # Of the record being read, and of its index.
    site: dict[str, str | None] = {}
    places: dict[tuple[str, int], str] = {}
    place = ""
    index = accuracy = period = value_type = None
    lanes: list[str] = []
    vehicle_types: list[str] = []
    lengths: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal table, field, place, in_name, is_record, is_outer, is_index, is_numbered, index, number_of_record
        if field:
            take()
        element = elements[name]
        if element is None:
            in_name, place = False, ""
        elif element <= _WITH_TEXT:
            if element == _NAME_VALUE and not in_name:
                return
            field = element
            text.clear()
            if element not in (_NAME_VALUE, _LATITUDE, _LONGITUDE):
                in_name, place = False, ""
                if element == _LANE:
                    is_numbered = False
        elif element == _INDEXED:
            if "index" in attributes or not is_outer:
                close_index()
                is_index, is_outer, index = True, True, attributes.get("index")
            else:
                is_outer = False
        elif element == _PLACE:
            place = datex.local_name(name)
        elif element == _NAME:
            in_name = True
        elif element == _RECORD:
            close()
            number_of_record += 1
            is_record = True
            site.update(table_key=table, site_id=attributes.get("id"), site_version=attributes.get("version"))
        elif element == _TABLE:
            table = _key(payload, attributes)
        elif element == _EXTENSION:
            parser.StartElementHandler, parser.EndElementHandler = start_skipped, end_skipped

    def take() -> None:
        nonlocal field, accuracy, period, value_type, operator, is_numbered
        said = (text[0] if len(text) == 1 else "".join(text)).strip()
        if field == _VALUE_TYPE:
            value_type = said
        elif field == _ACCURACY:
            accuracy = said
        elif field == _PERIOD:
            period = said
        elif field in (_LANE, _LANE_USAGE):
            if said and not is_numbered:
                lanes.append(said)
        elif field == _LANE_NUMBER:
            is_numbered = True
            lanes.append(f"lane{said}")
        elif field == _VEHICLE_TYPE:
            vehicle_types.append(said)
        elif field == _OPERATOR:
            operator = said
        elif field == _LENGTH:
            lengths.append(f"{operator} {said}")
        elif field == _SIDE:
            site["direction"] = site.get("direction") or said
        elif field == _LANES:
            site["lanes"] = said
        elif field == _NAME_VALUE:
            site["site_name"] = site.get("site_name") or said
        elif place:
            # A section has many points: the first of each kind counts.
            places.setdefault((place, field), said)
        field = 0

    def close_index() -> None:
        nonlocal is_index, is_place, index, accuracy, period, value_type, operator
        if is_index:
            of_record.append(number_of_record)
            codes.append(index)
            accuracies.append(accuracy)
            periods.append(period)
            lane_codes.append("+".join(lanes) or None)
            value_types.append(value_type)
            types_of_index.append("+".join(sorted(set(vehicle_types)) if len(vehicle_types) > 1 else vehicle_types))
            lengths_of_index.append(";".join(lengths))
            is_place = is_place or value_type in _QUANTITIES
        is_index, index, accuracy, period, value_type, operator = False, None, None, None, None, ""
        for found in (lanes, vehicle_types, lengths):
            found.clear()

    def close() -> None:
        nonlocal is_record, is_place, is_outer, in_name, place, closed
        close_index()
        closed = len(codes)
        if is_record:
            for name, coordinate in (("longitude", _LONGITUDE), ("latitude", _LATITUDE)):
                site[name] = next((places[p, coordinate] for p in _PLACES if (p, coordinate) in places), None)
            records.append((number_of_record, *(site.get(name) for name in _SITE), is_place))
        is_record = is_place = is_outer = in_name = False
        place = ""
        site.clear()
        places.clear()

    def start_skipped(name: str, attributes: dict[str, str]) -> None:
        nonlocal skipped
        skipped += 1

    def end_skipped(name: str) -> None:
        nonlocal skipped
        if skipped:
            skipped -= 1
        else:
            parser.StartElementHandler, parser.EndElementHandler = start, None

    def taken() -> tuple[pl.DataFrame, pl.DataFrame]:
        """What is known of the records that are closed."""
        nonlocal closed
        sites = pl.DataFrame(records, schema=_RECORD_TYPES, orient="row").with_columns(_filled(name) for name in _SITE)
        measures = pl.DataFrame({name: column[:closed] for name, column in columns.items()}, schema=_INDEX_TYPES)
        records.clear()
        for column in columns.values():
            del column[:closed]
        closed = 0
        return sites, measures

    parser.CharacterDataHandler = text.append
    for _ in datex.feed(parser, payload, PUBLICATION, start):
        if closed >= _FRAME_ROWS:
            yield taken()
    if field:
        take()
    close()
    yield taken()


_RECORD_TYPES: dict[str, Any] = {"record": pl.Int64, **dict.fromkeys(_SITE, pl.String), "is_place": pl.Boolean}
_INDEX_TYPES: dict[str, Any] = {"record": pl.Int64, **dict.fromkeys(_INDEX, pl.String)}


def _filled(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text).alias(column)


def _indexes(frame: pl.DataFrame) -> pl.DataFrame:
    """One row of the contract per index, each with what its record says."""
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
    lengths = pl.col("lengths")
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
    types = pl.col("vehicle_types").str.replace_all(_CLASS_CHARACTERS, "_")
    return (
        pl.when(lengths != "")
        .then(length)
        .when(pl.col("vehicle_types").str.contains(r"(^|\+)anyVehicle($|\+)"))
        .then(pl.lit(datex.ANY_VEHICLE))
        .when(types != "")
        .then(types)
        .fill_null(datex.UNKNOWN_CLASS)
        .alias("vehicle_class")
    )


def _metres(length: pl.Expr) -> pl.Expr:
    return (length * 100).round().cast(pl.Int64).cast(pl.String).str.zfill(3).str.replace(r"(\d\d)$", ".$1")
