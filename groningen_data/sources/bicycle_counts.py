"""Bicycle counts and counters as the city of Ghent publishes them; a municipality's own counters may be delivered the same way.

Counts are a JSON list of `{uur5minuten, datum, tegenrichting, hoofdrichting, totaal, locatie}`, counters of `{naam, long, lat, …}`;
both bare, or as the `fields` of records. The clock is the local one, daylight saving included: the morning rush is at 8 in May
as in February. A day has 24 rows even so: when clocks go forward the row of the hour that is skipped says `3:00`, as the next
one does; when they go back the hour that comes twice is one row. Counts name a counter by its name, so its id is made of that.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import DELIVERY, last_delivered, read_once, texts, with_point
from groningen_data.sources.local_clock import at_first, with_instant
from groningen_data.sources.parsing import (
    DUTCH_TIME,
    ORIGINAL,
    PROBLEMS,
    check_columns,
    in_slices,
    instant,
    iso_day,
    local_parts,
    marked,
    not_a_coordinate,
    number,
    read_json,
    unreadable,
)

_REQUIRED = ("uur5minuten", "datum", "tegenrichting", "hoofdrichting", "locatie")
_FIELDS = (*_REQUIRED, "totaal")
_DIRECTIONS = {"hoofdrichting": "main", "tegenrichting": "opposite"}
_COUNTER_REQUIRED = ("naam", "long", "lat")
_COUNTER_FIELDS = (*_COUNTER_REQUIRED, "code", "sensoren", "actief", "bouwjaar", "begindatum")
_YES_NO = {"ja": True, "nee": False, "true": True, "false": False, "1": True, "0": False}
_KEY = "_key"


def parse_counts(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_bicycle_counts` for one month of one counter; a later delivery of the same hour counts."""
    rows = pl.concat(
        read_once(p, _counts).filter(pl.col(_KEY) == batch_key).with_columns(pl.lit(i).alias(DELIVERY))
        for i, p in enumerate(payloads)
    )
    merged = last_delivered(rows, ["datum", "uur5minuten"], payloads)
    context.notes |= {
        "files": ", ".join(dict.fromkeys(p.name for p in payloads[-20:])),
        "rows_read": rows.height,
        "rows_delivered_anew": rows.height - merged.height,
        "totals_that_differ": int(merged["_is_other_total"].sum()),
    }
    counts = merged.with_columns(*local_parts("interval_start_at")).unpivot(
        on=list(_DIRECTIONS),
        index=["counter_id", "interval_start_at", "local_date", "local_hour", "weekday", "interval_minutes", PROBLEMS, ORIGINAL],
        variable_name="direction",
        value_name="bicycles",
    )
    yield from in_slices(
        counts.select(
            pl.lit(batch_key.split("/", 1)[0]).alias("month_code"),
            "counter_id",
            pl.col("direction").replace_strict(_DIRECTIONS, return_dtype=pl.String).alias("direction_code"),
            "interval_start_at",
            "local_date",
            "local_hour",
            "weekday",
            "interval_minutes",
            number("bicycles").alias("bicycles"),
            pl.when(pl.col("bicycles").is_null()).then(pl.lit("not_delivered")).alias("bicycles_missing_reason"),
            PROBLEMS,
            ORIGINAL,
        )
    )


def parse_counters(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_bicycle_counters` from all landed lists; a later list that has a counter counts."""
    listed = pl.concat(_counters(p).with_columns(pl.lit(i).alias(DELIVERY), _counter_id("naam")) for i, p in enumerate(payloads))
    frame = last_delivered(listed, ["counter_id"], payloads)
    notes = context.notes
    notes |= {
        "files": ", ".join(dict.fromkeys(p.name for p in payloads[-20:])),
        "rows_read": listed.height,
        "rows_delivered_anew": listed.height - frame.height,
    }
    active = pl.col("actief").str.to_lowercase()
    rules = {
        "row.type": pl.col("_no_object"),
        "sensors.type": unreadable("sensoren"),
        "is_active.type": ~active.is_in(list(_YES_NO)),
        "built_year.type": unreadable("bouwjaar"),
        "counts_since_on.type": pl.col("begindatum").is_not_null() & instant("begindatum").is_null(),
        "longitude.type": not_a_coordinate("long"),
        "latitude.type": not_a_coordinate("lat"),
    }
    rows = marked(with_point(frame, "long", "lat", notes), rules, _COUNTER_FIELDS).select(
        "counter_id",
        pl.col("code").alias("counter_code"),
        pl.col("naam").alias("counter_name"),
        number("sensoren").alias("sensors"),
        active.replace_strict(_YES_NO, default=None, return_dtype=pl.Boolean).alias("is_active"),
        number("bouwjaar").alias("built_year"),
        instant("begindatum").dt.convert_time_zone(DUTCH_TIME).dt.date().alias("counts_since_on"),
        "longitude",
        "latitude",
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(rows))


def _count_batches(payload: Payload) -> tuple[str, ...]:
    keys = _counts(payload)[_KEY].drop_nulls().unique().sort().to_list()
    if not keys:
        raise PayloadError(
            payload.name, "has no row with a readable datum and locatie", "write dates as 2026-03-02 and name the counter"
        )
    return tuple(keys)


def _counts(payload: Payload) -> pl.DataFrame:
    """The fields of each row as text, with its instant and the batch it belongs to; rows without one go with the first."""
    frame = texts(_objects(payload, "counts", _REQUIRED, _FIELDS), _FIELDS).with_columns(_counter_id("locatie"))
    hour, minute = (pl.col("uur5minuten").str.extract(r"^(\d{1,2}):(\d{2})(?::00)?$", n).cast(pl.Int64) for n in (1, 2))
    is_time = hour.is_between(0, 23) & minute.is_between(0, 59)
    frame = frame.with_columns(
        pl.when(is_time).then(iso_day("datum").cast(pl.Datetime("us")) + pl.duration(hours=hour, minutes=minute)).alias("_clock"),
        (minute > 0).fill_null(False).alias("_within_the_hour"),
    )
    frame = frame.with_columns(
        _skipped_clock().alias("_clock"),
        pl.when(pl.col("_within_the_hour").any().over("counter_id"))
        .then(5)
        .otherwise(60)
        .cast(pl.Int64)
        .alias("interval_minutes"),
    )
    frame = with_instant(frame, "_clock", ["counter_id"], "interval_start_at")
    both = number("hoofdrichting") + number("tegenrichting")
    is_other_total = (both != number("totaal")).fill_null(False)
    rules = {
        "row.type": pl.col("_no_object"),
        "interval_start_at.type": pl.col("_clock").is_null(),
        "interval_start_at.nonexistent": pl.col("_clock").is_not_null() & pl.col("interval_start_at").is_null(),
        "interval_start_at.not_five_minutes": pl.col("_clock").dt.minute() % 5 != 0,
        "bicycles.type": unreadable("hoofdrichting", pl.Int64) | unreadable("tegenrichting", pl.Int64),
        "bicycles.total": is_other_total,
    }
    month = iso_day("datum").dt.strftime("%Y-%m")
    key = month.fill_null(month.min()) + "/" + pl.col("counter_id").fill_null(pl.col("counter_id").min())
    return marked(frame, rules, _FIELDS).with_columns(is_other_total.alias("_is_other_total"), key.alias(_KEY))


def _skipped_clock() -> pl.Expr:
    """The clock time, put back an hour in the first of two rows that share the first hour after clocks went forward."""
    hour_before = pl.col("_clock") - pl.duration(hours=1)
    follows_skipped = hour_before.dt.replace_time_zone(DUTCH_TIME, ambiguous="earliest", non_existent="null").is_null()
    exists = at_first("_clock").is_not_null()
    same = ["counter_id", "_clock"]
    is_first_of_two = (pl.col("_clock").cum_count().over(same) == 1) & (pl.len().over(same) == 2)
    return pl.when(exists & follows_skipped & is_first_of_two).then(hour_before).otherwise("_clock")


def _counters(payload: Payload) -> pl.DataFrame:
    return texts(_objects(payload, "counters", _COUNTER_REQUIRED, _COUNTER_FIELDS), _COUNTER_FIELDS)


def _objects(payload: Payload, what: str, required: Sequence[str], known: Sequence[str]) -> list[Any]:
    listed = read_json(payload)
    if isinstance(listed, dict) and isinstance(listed.get("results"), list):
        listed = listed["results"]
    if not isinstance(listed, list):
        raise PayloadError(payload.name, f"is JSON, but not a list of {what}", f"deliver the list of {what} itself")
    # Ghent's portal serves the same objects bare, or as the `fields` of records.
    listed = [r["fields"] if isinstance(r, dict) and isinstance(r.get("fields"), dict) else r for r in listed]
    objects = [r for r in listed if isinstance(r, dict)]
    if not objects:
        raise PayloadError(payload.name, f"lists no {what}", "ask for the file again; no rows is never data")
    check_columns(payload.name, dict.fromkeys(k for r in objects for k in r), required, known)
    return listed


def _counter_id(name: str) -> pl.Expr:
    plain = pl.col(name).str.normalize("NFKD").str.to_lowercase().str.replace_all(r"\p{M}", "")
    plain = plain.str.replace_all(r"[^a-z0-9]+", "-").str.strip_chars("-")
    return pl.when(plain != "").then(plain).alias("counter_id")


def _recognises_counts(head: Head) -> bool:
    return head.text.lstrip()[:1] in ("[", "{") and all(f'"{name}"' in head.text for name in _REQUIRED)


def _recognises_counters(head: Head) -> bool:
    named = all(f'"{name}"' in head.text for name in _COUNTER_REQUIRED)
    return head.text.lstrip()[:1] in ("[", "{") and named and "fietstel" in head.text.lower()


def _counter_batches(payload: Payload) -> tuple[str, ...]:
    _counters(payload)
    return ("snapshot",)


COUNTS = FileSource(
    name="bicycle_counts",
    title="Bicycle counts (form of the city of Ghent)",
    patterns=("*fietstelling*.json", "*fietstelling*.json.gz", "*bicycle_counts*.json", "*bicycle_counts*.json.gz"),
    recognises=_recognises_counts,
    batches=_count_batches,
    extent="BE",
)
COUNTERS = FileSource(
    name="bicycle_counters",
    title="Bicycle counters (form of the city of Ghent)",
    patterns=("*fietstelpalen*.json", "*fietstelpalen*.json.gz", "*bicycle_counters*.json", "*bicycle_counters*.json.gz"),
    recognises=_recognises_counters,
    batches=_counter_batches,
    extent="BE",
)
