"""Events, road works and closures in the municipality's own form: CSV, a row each.

Columns `nummer, soort, naam, begin, eind, wegnaam, breedtegraad, lengtegraad, hinder`; `begin` and `eind` are the local clock.
An end without a time of day is the end of that day.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import DELIVERY, column_names, completed, delimited, last_delivered, with_point
from groningen_data.sources.local_clock import at_first, clock_time
from groningen_data.sources.parsing import DUTCH_TIME, ORIGINAL, PROBLEMS, in_slices, marked, not_a_coordinate

_REQUIRED = ("nummer", "soort", "naam", "begin", "eind", "wegnaam", "breedtegraad", "lengtegraad")
_FIELDS = (*_REQUIRED, "hinder")
_KINDS = {"evenement": "event", "wegwerkzaamheden": "road_works", "afsluiting": "closure"}


def parse_events(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_events` from all landed lists; of the same number the last delivery counts."""
    rows = pl.concat(_read(p).with_columns(pl.lit(i).alias(DELIVERY)) for i, p in enumerate(payloads))
    merged = last_delivered(rows, ["nummer"], payloads)
    notes = context.notes
    notes |= {
        "files": ", ".join(dict.fromkeys(p.name for p in payloads[-20:])),
        "payloads": len(payloads),
        "rows_read": rows.height,
        "rows_delivered_anew": rows.height - merged.height,
    }
    kind = pl.col("soort").str.to_lowercase()
    frame = with_point(merged, "lengtegraad", "breedtegraad", notes).with_columns(
        clock_time("begin").alias("_begin"), clock_time("eind").alias("_end")
    )
    is_day = pl.col("eind").str.len_chars() == len("2026-03-02")
    frame = frame.with_columns(pl.when(is_day).then(pl.col("_end") + pl.duration(days=1)).otherwise("_end").alias("_end"))
    frame = frame.with_columns(starts_at=at_first("_begin"), ends_at=at_first("_end"))
    rules = {
        "event_kind.unknown": ~kind.is_in(list(_KINDS)),
        "starts_at.type": pl.col("begin").is_not_null() & pl.col("_begin").is_null(),
        "starts_at.nonexistent": pl.col("_begin").is_not_null() & pl.col("starts_at").is_null(),
        "ends_at.type": pl.col("eind").is_not_null() & pl.col("_end").is_null(),
        "ends_at.nonexistent": pl.col("_end").is_not_null() & pl.col("ends_at").is_null(),
        "ends_at.before_start": pl.col("ends_at") < pl.col("starts_at"),
        "longitude.type": not_a_coordinate("lengtegraad"),
        "latitude.type": not_a_coordinate("breedtegraad"),
    }
    # What ends at midnight has the day before as its last.
    last_moment = pl.max_horizontal(pl.col("ends_at") - pl.duration(microseconds=1), "starts_at")
    found = marked(frame, rules, _FIELDS).select(
        pl.col("nummer").alias("event_id"),
        kind.replace_strict(_KINDS, default=None, return_dtype=pl.String).alias("event_kind"),
        pl.col("naam").alias("name"),
        "starts_at",
        "ends_at",
        pl.when(pl.col("eind").is_null()).then(pl.lit("not_known_yet")).alias("end_missing_reason"),
        _local_day(pl.col("starts_at")).alias("starts_on"),
        pl.when(pl.col("ends_at").is_not_null()).then(_local_day(last_moment)).alias("ends_on"),
        pl.col("wegnaam").alias("road_name"),
        pl.col("hinder").str.to_lowercase().alias("hindrance"),
        "longitude",
        "latitude",
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(found))


def _local_day(instant: pl.Expr) -> pl.Expr:
    return instant.dt.convert_time_zone(DUTCH_TIME).dt.date()


def _batches(payload: Payload) -> tuple[str, ...]:
    _read(payload)
    return ("snapshot",)


def _read(payload: Payload) -> pl.DataFrame:
    return completed(delimited(payload, _REQUIRED, _FIELDS), _FIELDS).select(_FIELDS)


def _recognises(head: Head) -> bool:
    return set(_REQUIRED) <= set(column_names(head.text))


SOURCE = FileSource(
    name="events",
    title="Events, road works and closures (the municipality's own form)",
    patterns=("events*.csv", "events*.csv.gz", "*traffic_events*.csv", "*traffic_events*.csv.gz", "*evenementen*.csv"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
)
