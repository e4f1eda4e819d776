"""Fill levels in the municipality's own form: `containercode, tijdstip, vulgraad, vullingGewicht` as CSV, JSON or Parquet.

`tijdstip` is ISO 8601 with offset (in Parquet it may be an instant), `vulgraad` a percentage, empty when the sensor gave none;
JSON is `{"vulgraadmetingen": […]}`. One file may hold any days.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import column_names, day_keys, delimited, fill_levels, own_day, texts, trimmed
from groningen_data.sources.parsing import (
    ORIGINAL,
    PROBLEMS,
    check_columns,
    coordinate,
    instant,
    marked,
    not_a_coordinate,
    read_json,
    read_parquet,
)

_SOURCE_CODE = "telemetry"
_LIST = "vulgraadmetingen"
_REQUIRED = ("containercode", "tijdstip", "vulgraad")
_FIELDS = (*_REQUIRED, "vullinggewicht")
_PARQUET = b"PAR1"


def parse_fill_levels(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_fill_levels` for one day, from all landed files that have it."""
    yield from fill_levels(payloads, batch_key, context, _readings)


def _batches(payload: Payload) -> tuple[str, ...]:
    return day_keys(payload, _readings(payload), _SOURCE_CODE)


def _readings(payload: Payload) -> pl.DataFrame:
    frame = _fields(payload)
    rules = {
        "row.type": pl.col("_no_object"),
        "measured_at.type": pl.col("measured_at").is_null(),
        "fill_pct.type": not_a_coordinate("vulgraad"),
        "content_weight_kg.type": not_a_coordinate("vullinggewicht"),
    }
    return marked(frame, rules, _FIELDS).select(
        pl.col("containercode").alias("container_code"),
        "measured_at",
        coordinate("vulgraad").alias("fill_pct"),
        pl.when(pl.col("vulgraad").is_null()).then(pl.lit("no_reading")).alias("fill_missing_reason"),
        coordinate("vullinggewicht").alias("content_weight_kg"),
        own_day("measured_at"),
        PROBLEMS,
        ORIGINAL,
    )


def _fields(payload: Payload) -> pl.DataFrame:
    """The four fields as text, whichever form they came in, and `measured_at`."""
    start = payload.read()[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(_PARQUET):
        return _of_parquet(payload)
    if start[:1] in (b"{", b"["):
        frame = _of_json(payload)
    else:
        frame = delimited(payload, _REQUIRED, _FIELDS).with_columns(pl.lit(False).alias("_no_object"))
    if "vullinggewicht" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias("vullinggewicht"))
    return _with_instant(frame)


def _with_instant(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame plus `measured_at`; a space instead of the T, and a time without seconds, are ISO 8601 to many systems."""
    time = pl.col("tijdstip").str.strip_chars().str.replace(" ", "T", literal=True)
    time = time.str.replace(r"(T\d{2}:\d{2})([zZ+-])", "${1}:00${2}")
    return frame.with_columns(_time=time).with_columns(measured_at=instant("_time")).drop("_time")


def _of_json(payload: Payload) -> pl.DataFrame:
    answer = read_json(payload)
    listed = answer.get(_LIST) if isinstance(answer, dict) else answer
    if not isinstance(listed, list):
        raise PayloadError(payload.name, f"is JSON, but holds no list of {_LIST}", f'deliver {{"{_LIST}": […]}}')
    if not listed:
        raise PayloadError(payload.name, f"lists no {_LIST}", "ask for the readings again; no rows is never data")
    records = [{str(k).strip().lower(): v for k, v in r.items()} if isinstance(r, dict) else r for r in listed]
    check_columns(payload.name, dict.fromkeys(k for r in records if isinstance(r, dict) for k in r), _REQUIRED, _FIELDS)
    return texts(records, _FIELDS)


def _of_parquet(payload: Payload) -> pl.DataFrame:
    frame = parquet(payload, _REQUIRED, _FIELDS)
    time = frame.schema["tijdstip"]
    if time == pl.String:
        frame = _with_instant(frame)
    elif isinstance(time, pl.Datetime) and time.time_zone:
        at = pl.col("tijdstip").cast(pl.Datetime("us", "UTC"), strict=False)
        frame = frame.with_columns(pl.when(at.dt.year().is_between(1995, 2100)).then(at).alias("measured_at"))
    else:
        problem = f"has times without a time zone (tijdstip is {time})"
        raise PayloadError(payload.name, problem, "deliver tijdstip as timestamp with time zone, or as text")
    if "vullinggewicht" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias("vullinggewicht"))
    # A missing whole number is often written as a not-a-number of a float column.
    numbers = [pl.col(c).fill_nan(None) for c in ("vulgraad", "vullinggewicht") if frame.schema[c].is_float()]
    texts_only = frame.with_columns(numbers).with_columns(pl.col(c).cast(pl.String) for c in _FIELDS)
    return texts_only.with_columns(trimmed(c) for c in _FIELDS).with_columns(pl.lit(False).alias("_no_object"))


def parquet(payload: Payload, required: Sequence[str], known: Sequence[str]) -> pl.DataFrame:
    """A Parquet payload with its column names in lower case; only the known columns.

    Raises:
        PayloadError: It is no complete Parquet, misses a column, or has no rows.
    """
    frame = read_parquet(payload)
    frame = frame.rename({c: c.strip().lower() for c in frame.columns})
    check_columns(payload.name, frame.columns, required, known)
    if frame.is_empty():
        raise PayloadError(payload.name, "has columns but no rows", "ask for the file again; no rows is never data")
    return frame.select(c for c in known if c in frame.columns)


def _recognises(head: Head) -> bool:
    if head.data.startswith(_PARQUET):
        # The names stand at the end of the file, which a small file's head shows.
        return all(name.encode() in head.data for name in _REQUIRED)
    if head.text.lstrip()[:1] in ("{", "["):
        return all(f'"{name}"' in head.text for name in (_LIST, *_REQUIRED))
    return set(_REQUIRED) <= set(column_names(head.text))


SOURCE = FileSource(
    name="telemetry",
    title="Fill levels of waste containers (the municipality's own form)",
    patterns=(
        "fill_levels*",
        "*vulgraad*",
        "*telemetry*fill_levels*",
        "*fill_levels*.csv",
        "*fill_levels*.csv.gz",
    ),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
)
