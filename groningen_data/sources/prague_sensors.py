"""Fill-level sensors of Prague: Parquet with `sensor_id, time_utc, fill_pct`, times in UTC without saying so.

One file holds years. Spikes, drops and gaps are what the sensors said and stay.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import day_keys, fill_levels, own_day, trimmed
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, coordinate, marked, not_a_coordinate
from groningen_data.sources.telemetry import parquet

_SOURCE_CODE = "prague_sensors"
_REQUIRED = ("sensor_id", "time_utc", "fill_pct")
_FIELDS = (*_REQUIRED, "fraction_code")


def parse_fill_levels(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_fill_levels` for one day."""
    yield from fill_levels(payloads, batch_key, context, _readings)


def _batches(payload: Payload) -> tuple[str, ...]:
    return day_keys(payload, _readings(payload), _SOURCE_CODE)


def _readings(payload: Payload) -> pl.DataFrame:
    frame = parquet(payload, _REQUIRED, _FIELDS)
    time = frame.schema["time_utc"]
    if isinstance(time, pl.Datetime):
        at = pl.col("time_utc")
        at = at.dt.convert_time_zone("UTC") if time.time_zone else at.dt.replace_time_zone("UTC")
        at = at.dt.cast_time_unit("us")
    elif time == pl.String:
        text = pl.col("time_utc").str.strip_chars().str.replace(" ", "T", literal=True).str.replace(r"[zZ]$", "")
        at = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False).dt.replace_time_zone("UTC")
    else:
        raise PayloadError(payload.name, f"has times as {time}", "deliver time_utc as timestamp, or as ISO 8601 text")
    if frame.schema["fill_pct"].is_float():
        frame = frame.with_columns(pl.col("fill_pct").fill_nan(None))
    names = frame.columns
    frame = frame.with_columns(at.alias("measured_at"))
    frame = frame.with_columns(pl.col(c).cast(pl.String) for c in names).with_columns(trimmed(c) for c in names)
    rules = {"measured_at.type": pl.col("measured_at").is_null(), "fill_pct.type": not_a_coordinate("fill_pct")}
    return marked(frame, rules, names).select(
        pl.col("sensor_id").alias("container_code"),
        "measured_at",
        coordinate("fill_pct").alias("fill_pct"),
        pl.when(pl.col("fill_pct").is_null()).then(pl.lit("no_reading")).alias("fill_missing_reason"),
        pl.lit(None, pl.Float64).alias("content_weight_kg"),
        own_day("measured_at"),
        PROBLEMS,
        ORIGINAL,
    )


def _recognises(head: Head) -> bool:
    return head.data.startswith(b"PAR1") and all(name.encode() in head.data for name in _REQUIRED)


SOURCE = FileSource(
    name="prague_sensors",
    title="Fill-level sensors of Prague",
    patterns=("*prague*fill*.parquet", "*prague*sensor*.parquet"),
    recognises=_recognises,
    batches=_batches,
    extent="CZ010",
)
