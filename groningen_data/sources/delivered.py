"""What parsers of delivered tables share: delimited text, points, readings of a day, fractions of waste, and whose delivery counts.

No source is declared here, and nothing here knows a particular one.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.fetching.features import exception_text
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import spatial_connection
from groningen_data.sources.parsing import (
    DUTCH_TIME,
    ORIGINAL,
    PROBLEMS,
    check_columns,
    coordinate,
    day_of,
    in_slices,
    local_parts,
    reference_table,
)

DELIVERY = "_delivery"
OWN_DAY = "_own_day"
"""The local day to which a row belongs even when its instant cannot be read."""

YES_NO = {"ja": True, "nee": False, "j": True, "n": False, "true": True, "false": False, "1": True, "0": False}
"""How a yes or no is written, in lower case."""

_CACHE_BYTES = 60_000_000
_LONGITUDES, _LATITUDES = (3.2, 7.3), (50.7, 53.8)
_METRES_EAST, _METRES_NORTH = (0, 300_000), (300_000, 640_000)

Read = Callable[[Payload], pl.DataFrame]


def column_names(text: str) -> list[str]:
    """The column names of delimited text, trimmed and in lower case; the separator is the one its header has most of."""
    header = text.lstrip("\ufeff").split("\n", 1)[0].rstrip("\r")
    # JSON, XML or binary: taken apart at its commas, it would be thousands of names.
    if header.lstrip()[:1] in ("{", "[", "<") or "\0" in header:
        return []
    return [c.strip().strip('"').strip().lower() for c in header.split(_separator(header))]


def delimited(payload: Payload, required: Iterable[str], known: Iterable[str] = ()) -> pl.DataFrame:
    """A payload of delimited text with a header: all columns as trimmed text, blank ones null, names in lower case.

    Args:
        payload: CSV with `;`, `,` or tabs.
        required: Columns that must be there, in lower case.
        known: Other columns that are no news.

    Raises:
        PayloadError: It is not delimited text, misses a column, was cut off, or has no rows.
    """
    text = payload.text()
    lines = text.rstrip("\r\n")
    header = lines.split("\n", 1)[0].rstrip("\r")
    separator = _separator(header)
    if separator not in header:
        raise PayloadError(payload.name, "is not text with a header and `;` between the columns", "deliver the CSV as agreed")
    names = column_names(header)
    check_columns(payload.name, names, required, known)
    if "\n" not in lines:
        raise PayloadError(payload.name, "has a header but no rows", "ask for the file again; no rows is never data")
    if lines.rsplit("\n", 1)[1].count(separator) < header.count(separator):
        raise PayloadError(payload.name, "was cut off in its last line", "ask for the file again")
    unique = [name if names.index(name) == i else f"{name}_{i}" for i, name in enumerate(names)]
    try:
        schema = dict.fromkeys(unique, pl.String)
        frame = pl.read_csv(io.StringIO(text), separator=separator, has_header=False, skip_rows=1, schema=schema)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise PayloadError(payload.name, f"is not readable as CSV ({reason})", "ask for the file again") from error
    return frame.select(trimmed(name) for name in frame.columns)


def completed(frame: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """The frame with those of some text columns that were not delivered, without a value."""
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in names if name not in frame.columns)


def _separator(header: str) -> str:
    return max((";", ",", "\t"), key=header.count)


def trimmed(column: str) -> pl.Expr:
    """A text column without spaces around it; null where nothing is left."""
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text).alias(column)


def texts(records: Sequence[Any], names: Iterable[str]) -> pl.DataFrame:
    """Some fields of JSON objects as text columns (nested values and what is no object: null), and `_no_object`."""

    def text(record: Any, name: str) -> str | None:
        value = record.get(name) if isinstance(record, dict) else None
        if isinstance(value, bool):
            return str(value).lower()
        return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else None

    columns = {name: [text(record, name) for record in records] for name in names}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).select(trimmed(name) for name in columns)
    return frame.with_columns(pl.Series("_no_object", [not isinstance(r, dict) for r in records], pl.Boolean))


def refuse_exception_report(payload: Payload) -> None:
    """Refuse an XML answer: a WFS tells its errors that way, with status 200.

    Raises:
        PayloadError: The payload is XML; the message says what the server said.
    """
    text = payload.text().lstrip()
    if not text.startswith("<"):
        return
    if told := exception_text(text):
        raise PayloadError(payload.name, f"is an error message of the WFS: {told}", "mend the request, and fetch it again")
    raise PayloadError(payload.name, "is XML, but not GeoJSON", "ask the WFS for outputFormat=application/json")


def features_of(payload: Payload, collection: Any) -> list[Any]:
    """The features of a GeoJSON FeatureCollection.

    Raises:
        PayloadError: It is none, or has no features.
    """
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        raise PayloadError(payload.name, "is JSON, but not a GeoJSON FeatureCollection", "deliver the containers as GeoJSON")
    features = collection.get("features")
    if not isinstance(features, list) or not features:
        raise PayloadError(payload.name, "holds no features", "ask for the containers again; no rows is never data")
    return features


def properties_of(features: list[Any], named: Callable[[str], str] = str) -> list[dict[str, Any] | None]:
    """The properties of each feature, with the point of its geometry as `x` and `y`; None for what has no properties.

    Args:
        features: Of a GeoJSON FeatureCollection.
        named: What to make of the properties' names, which lose the spaces around them.
    """
    found: list[dict[str, Any] | None] = []
    for feature in features:
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            found.append(None)
            continue
        geometry = feature.get("geometry")
        point = geometry.get("coordinates") if isinstance(geometry, dict) and geometry.get("type") == "Point" else None
        x, y = point[:2] if isinstance(point, list) and len(point) >= 2 else (None, None)
        found.append({named(str(k).strip()): v for k, v in properties.items()} | {"x": x, "y": y})
    return found


@cache
def _fractions() -> tuple[dict[str, str], list[str]]:
    rows = reference_table("waste_fractions").select("fraction_name", "fraction_code").rows()
    return {name: code for name, code in rows if code}, [name for name, code in rows if not code]


def fraction(column: str) -> list[pl.Expr]:
    """Fraction code, name as delivered and reason of absence, from a column with the delivered name.

    Names are those of `data/reference/waste_fractions.csv`; one that is not listed there is `other`.
    """
    codes, blanks = _fractions()
    name = _plain_fraction(column)
    is_blank = name.is_in(blanks)
    return [
        pl.when(~is_blank).then(name.replace_strict(codes, default="other", return_dtype=pl.String)).alias("fraction_code"),
        pl.when(~is_blank).then(pl.col(column)).alias("fraction_name"),
        pl.when(name.is_null())
        .then(pl.lit("not_delivered"))
        .when(is_blank)
        .then(pl.lit("not_filled_in"))
        .alias("fraction_missing_reason"),
    ]


def fraction_codes(column: str) -> pl.Expr:
    """Codes of several fractions in one text (`RESTAFVAL,GFT`), each once, in order, comma-separated; null when there is none."""
    codes, blanks = _fractions()
    names = _plain(pl.element()).filter(_plain(pl.element()) != "")
    each = names.filter(~names.is_in(blanks)).replace_strict(codes, default="other", return_dtype=pl.String)
    joined = (
        pl.col(column)
        .str.replace_all("|", ",", literal=True)
        .str.split(",")
        .list.eval(each)
        .list.unique()
        .list.sort()
        .list.join(",")
    )
    return pl.when(joined != "").then(joined)


def unknown_fractions(names: pl.Series) -> list[str]:
    """Delivered names of fractions that `data/reference/waste_fractions.csv` does not know."""
    codes, blanks = _fractions()
    delivered = names.drop_nulls().unique().sort().to_frame("name")
    return delivered.filter(~_plain_fraction("name").is_in([*codes, *blanks]))["name"].to_list()


def _plain_fraction(column: str) -> pl.Expr:
    name = _plain(pl.col(column))
    return pl.when(name != "").then(name)


def _plain(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.replace_all(r"[^a-z0-9]+", " ").str.strip_chars()


def with_point(frame: pl.DataFrame, x: str, y: str, notes: dict[str, Any]) -> pl.DataFrame:
    """The frame plus `longitude` and `latitude` in degrees, from two text columns.

    Coordinates that are swapped in the whole payload are swapped back, and noted; Dutch metres (EPSG:28992) become degrees.
    """
    found = frame.with_columns(longitude=coordinate(x), latitude=coordinate(y))
    points = found.select("longitude", "latitude").drop_nulls()
    is_swapped = pl.col("latitude").is_between(*_LONGITUDES) & pl.col("longitude").is_between(*_LATITUDES)
    swapped = points.height > 0 and bool(points.select(is_swapped.all()).item())
    if swapped:
        found = found.rename({"longitude": "latitude", "latitude": "longitude"})
    notes["coordinates_swapped"] = swapped
    return _in_degrees(found)


def _in_degrees(frame: pl.DataFrame) -> pl.DataFrame:
    is_metres = pl.col("longitude").is_between(*_METRES_EAST) & pl.col("latitude").is_between(*_METRES_NORTH)
    metres = frame.filter(is_metres).select("longitude", "latitude").unique()
    if metres.is_empty():
        return frame
    connection = spatial_connection()
    connection.register("metres", metres.to_arrow())
    degrees = connection.execute(
        "SELECT longitude, latitude, ST_X(p) AS _east, ST_Y(p) AS _north FROM (SELECT *, ST_Transform(ST_Point(longitude, latitude), "
        "'EPSG:28992', 'EPSG:4326', always_xy := true) AS p FROM metres)"
    ).pl()
    connection.unregister("metres")
    joined = frame.join(degrees, on=["longitude", "latitude"], how="left", maintain_order="left")
    return joined.with_columns(longitude=pl.coalesce("_east", "longitude"), latitude=pl.coalesce("_north", "latitude")).drop(
        "_east", "_north"
    )


def local_instant(column: str) -> tuple[pl.Expr, pl.Expr]:
    """Local clock time in ISO 8601 without offset: the UTC instant, and the clock time as read.

    The clock time without an instant does not exist (clocks go forward); one that exists twice is taken as the first.
    """
    text = pl.col(column).str.replace(" ", "T", literal=True)
    clock = pl.coalesce(
        text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False),
        text.str.to_datetime("%Y-%m-%dT%H:%M", time_unit="us", strict=False),
    )
    clock = pl.when(clock.dt.year().is_between(1995, 2100)).then(clock)
    return clock.dt.replace_time_zone(DUTCH_TIME, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC"), clock


def own_day(instant: str) -> pl.Expr:
    """The local day of an instant; rows without one belong to the day that their payload is mostly about."""
    day = pl.col(instant).dt.convert_time_zone(DUTCH_TIME).dt.date()
    return day.fill_null(day.drop_nulls().mode().min()).alias(OWN_DAY)


def day_keys(payload: Payload, frame: pl.DataFrame, source_code: str) -> tuple[str, ...]:
    """Batch keys of the local days in a frame with its own days.

    Raises:
        PayloadError: Not one row has a readable time.
    """
    days = frame[OWN_DAY].drop_nulls().unique().sort()
    if days.is_empty():
        raise PayloadError(payload.name, "has no row with a readable time", "compare its times with the agreed form")
    return tuple(f"{day.isoformat()}/{source_code}" for day in days)


_read_before: dict[tuple[Read, str], pl.DataFrame] = {}


def read_once(payload: Payload, read: Read) -> pl.DataFrame:
    """The frame of a payload, kept in memory for its next batch: a payload can feed a thousand days."""
    key = (read, payload.sha256)
    if key not in _read_before:
        frame = read(payload)
        while _read_before and sum(f.estimated_size() for f in _read_before.values()) + frame.estimated_size() > _CACHE_BYTES:
            del _read_before[next(iter(_read_before))]
        _read_before[key] = frame
    return _read_before[key]


def of_day(payloads: Sequence[Payload], batch_key: str, read: Read, key: Sequence[str], notes: dict[str, Any]) -> pl.DataFrame:
    """The rows of one local day from all payloads that have it; of rows with the same key those of the last delivery.

    Args:
        payloads: Oldest first.
        batch_key: Starts with the day.
        read: From a payload to a frame with `_own_day`, `_problems` and `_original`.
        key: Columns that tell which rows are about the same thing. Rows without a complete key stay, unless their payload was
            delivered anew at the same place.
        notes: Hears what was read and left out.
    """
    day = day_of(batch_key)
    frames = [
        read_once(p, read).filter(pl.col(OWN_DAY) == day).with_columns(pl.lit(i).alias(DELIVERY)) for i, p in enumerate(payloads)
    ]
    rows = pl.concat(frames)
    merged = last_delivered(rows, key, payloads)
    notes |= {
        "files": ", ".join(dict.fromkeys(p.name for p in payloads[-20:])),
        "payloads": len(payloads),
        "rows_read": rows.height,
        "rows_delivered_anew": rows.height - merged.height,
    }
    return merged.drop(DELIVERY, OWN_DAY)


def last_delivered(rows: pl.DataFrame, key: Sequence[str], payloads: Sequence[Payload]) -> pl.DataFrame:
    """Rows whose key no later delivery has (`_delivery` is the position of their payload)."""
    places = [p.arrivals[-1].place for p in payloads]
    replaced = [i for i, place in enumerate(places) if place in places[i + 1 :]]
    is_keyed = pl.all_horizontal(pl.col(c).is_not_null() for c in key)
    is_last = pl.col(DELIVERY) == pl.col(DELIVERY).max().over(key)
    return rows.filter((is_keyed & is_last) | (~is_keyed & ~pl.col(DELIVERY).is_in(replaced)))


def fill_levels(payloads: Sequence[Payload], batch_key: str, context: BuildContext, read: Read) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_fill_levels` for one day of one measuring system; a later delivery of the same reading counts.

    Args:
        payloads: Those that have the day, oldest first.
        batch_key: `<day>/<source_code>`.
        context: Notes what was read.
        read: From a payload to a frame with `container_code`, `measured_at`, `fill_pct`, `fill_missing_reason`,
            `content_weight_kg`, `_own_day`, `_problems` and `_original`.
    """
    rows = of_day(payloads, batch_key, read, ["container_code", "measured_at"], context.notes)
    for reason, count in rows["fill_missing_reason"].drop_nulls().value_counts(sort=True).iter_rows():
        context.notes[f"fill_{reason}"] = count
    yield from in_slices(
        rows.with_columns(*local_parts("measured_at")).select(
            pl.lit(batch_key.split("/", 1)[1]).alias("source_code"),
            "container_code",
            "measured_at",
            "local_date",
            "local_hour",
            "weekday",
            "fill_pct",
            "fill_missing_reason",
            "content_weight_kg",
            PROBLEMS,
            ORIGINAL,
        )
    )
