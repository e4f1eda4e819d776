"""Induction loops in the UTD19 form: one CSV row per detector and five minutes, for one or more local days.

Columns `day, interval, detid, flow, occ, error, city, speed`; interval in seconds after midnight, flow in vehicles per hour. Days
and seconds are on Dutch local time, or on the clock that the setting `clocks` names. What a site is and where it lies is not
known here.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.local_clock import at_first
from groningen_data.sources.parsing import (
    DUTCH_TIME,
    ORIGINAL,
    PROBLEMS,
    check_columns,
    day_of,
    in_slices,
    iso_day,
    local_parts,
    marked,
    number,
    unreadable,
)

COLUMNS = ("day", "interval", "detid", "flow", "occ", "error", "city", "speed")
_REQUIRED = ("day", "interval", "detid", "flow", "occ", "error", "speed")
_NUMBERS = ("interval", "error", "flow", "speed", "occ")
_MINUTES = 5


def parse_counts(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_counts` for one local day, of each day of the files' clock from the last landed file that has it.

    Rows whose day cannot be read belong to the earliest day of their file, and are marked.
    """
    day = day_of(batch_key)
    payload, rows, others = _last_with(payloads, day)
    counts = _counts(rows, _clock(payload))
    if _clock(payload) != DUTCH_TIME:
        # The evening before, on the files' own clock, reaches into the local day.
        earlier, evening, _ = _last_with(payloads, day - timedelta(days=1))
        is_today = pl.col("local_date") == day
        counts = pl.concat([_counts(evening, _clock(earlier)).filter(is_today), counts.filter(is_today.fill_null(True))])
    context.notes |= {
        "file": payload.name,
        "rows_read": counts.height,
        "rows_of_other_days": others,
        "earlier_deliveries_of_this_day": len(payloads) - 1,
    }
    for reason, count in counts["flow_missing_reason"].drop_nulls().value_counts().iter_rows():
        context.notes[f"flow_{reason}"] = count
    yield from in_slices(counts)


def _batches(payload: Payload) -> tuple[str, ...]:
    frame = _read(payload)
    if frame.is_empty():
        raise PayloadError(payload.name, "has a header but no rows", "ask for the file again; no rows is never data")
    keys = _keys(frame, _clock(payload))
    if not keys:
        raise PayloadError(payload.name, "has no readable day (YYYY-MM-DD) in column day", "ask the source for ISO dates")
    return keys


def _last_with(payloads: Sequence[Payload], source_day: date) -> tuple[Payload, pl.DataFrame, int]:
    """The last file that has a day of its clock, its rows of that day, and how many others it has.

    Rows without a readable day are of the file's first.
    """
    for payload in reversed(payloads):
        frame = _read(payload)
        day = iso_day("day")
        unreadable_too = day.is_null() if frame.select(day.min()).item() == source_day else pl.lit(False)
        rows = frame.filter((day == source_day) | unreadable_too)
        if rows.height:
            break
    return payload, rows, frame.height - rows.height


def _clock(payload: Payload) -> str:
    """The time zone of a file's days and seconds."""
    return payload.headers.get("clock", DUTCH_TIME)


def _keys(frame: pl.DataFrame, clock: str) -> tuple[str, ...]:
    days = frame.select(iso_day("day")).to_series().drop_nulls().unique().sort()
    if clock != DUTCH_TIME:
        days = _counts(frame, clock)["local_date"].drop_nulls().unique().sort()
    return tuple(f"{day.isoformat()}/loops" for day in days)


def _read(payload: Payload) -> pl.DataFrame:
    text = payload.text()
    lines = text.rstrip("\r\n")
    header = lines.split("\n", 1)[0].rstrip("\r")
    if "," not in header:
        raise PayloadError(payload.name, "is not comma-separated text with a header", "deliver the UTD19 CSV as it is published")
    check_columns(payload.name, [c.strip().strip('"') for c in header.split(",")], _REQUIRED, COLUMNS)
    if "\n" in lines and lines.rsplit("\n", 1)[1].count(",") < header.count(","):
        raise PayloadError(payload.name, "was cut off in its last line", "ask for the file again")
    try:
        return pl.read_csv(io.StringIO(text), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise PayloadError(
            payload.name, f"is not readable as CSV ({str(error).splitlines()[0]})", "ask for the file again"
        ) from error


def _counts(frame: pl.DataFrame, clock: str) -> pl.DataFrame:
    # Every number is read once, into a column of its own: the expressions below use most of them several times.
    seconds, error, flow, speed, occupancy = (pl.col(f"_{name}") for name in _NUMBERS)
    inside_day = seconds.is_between(0, 86_400, closed="left")
    midnight, local = pl.col("_midnight"), pl.col("_local")
    usable = error == 0
    rows = frame.with_columns(
        *(number(name).alias(f"_{name}") for name in _NUMBERS),
        iso_day("day").cast(pl.Datetime("us")).alias("_midnight"),
        pl.col("detid").str.strip_chars().alias("_detector"),
    ).with_columns(
        error.fill_null(0),
        (midnight + pl.duration(seconds=pl.when(inside_day).then(seconds).cast(pl.Int64))).alias("_local"),
    )
    rows = rows.with_columns(
        interval_start_at=at_first("_local", clock),
        flow_veh_h=pl.when(usable & flow.is_finite()).then(flow),
        speed_km_h=pl.when(usable & speed.is_finite() & (flow != 0).fill_null(True)).then(speed),
        occupancy_pct=pl.when(usable & occupancy.is_finite()).then(occupancy),
        flow_missing_reason=_reason(error, flow),
        speed_missing_reason=pl.when(usable & (flow == 0)).then(pl.lit("no_vehicles")).otherwise(_reason(error, speed)),
    )
    rules = {
        "local_date.type": midnight.is_null(),
        "interval_start_at.type": unreadable("interval") | seconds.is_null(),
        "interval_start_at.outside_day": seconds.is_not_null() & ~inside_day,
        "interval_start_at.not_five_minutes": seconds % (_MINUTES * 60) != 0,
        "interval_start_at.nonexistent": local.is_not_null() & pl.col("interval_start_at").is_null(),
        "flow_veh_h.type": unreadable("flow"),
        "flow_veh_h.greater_than_or_equal_to": usable & (flow < 0),
        "speed_km_h.type": unreadable("speed"),
        "speed_km_h.greater_than_or_equal_to": usable & (speed < 0),
        "occupancy_pct.type": unreadable("occ"),
        "occupancy_pct.greater_than_or_equal_to": usable & (occupancy < 0),
        "error.unknown": unreadable("error") | ~error.is_in([0.0, 1.0]),
    }
    return (
        marked(rows, rules, frame.columns)
        .join(_detectors(rows), on="_detector", how="left", maintain_order="left")
        .with_columns(*local_parts("interval_start_at"))
        .select(
            pl.lit("loops").alias("feed_code"),
            "site_id",
            pl.lit(None, pl.Int64).alias("site_version"),
            "series_code",
            "interval_start_at",
            "local_date",
            "local_hour",
            "weekday",
            pl.lit(_MINUTES, pl.Int64).alias("measured_minutes"),
            (pl.col("flow_veh_h") * _MINUTES / 60).alias("vehicles"),
            "flow_veh_h",
            "speed_km_h",
            "occupancy_pct",
            "flow_missing_reason",
            "speed_missing_reason",
            pl.lit("any").alias("vehicle_class"),
            pl.lit(None, pl.String).alias("lane_code"),
            PROBLEMS,
            ORIGINAL,
        )
    )


def _detectors(rows: pl.DataFrame) -> pl.DataFrame:
    """The site and the number of each detector, from its id `<site>_<number>`."""
    return rows.select(pl.col("_detector").drop_nulls().unique()).with_columns(
        pl.col("_detector").str.replace(r"_\d+$", "").alias("site_id"),
        pl.col("_detector").str.extract(r"_(\d+)$").alias("series_code"),
    )


def _reason(error: pl.Expr, value: pl.Expr) -> pl.Expr:
    return (
        pl.when(error != 0)
        .then(pl.lit("detector_error"))
        .when(value.is_null())
        .then(pl.lit("not_delivered"))
        .when(~value.is_finite())
        .then(pl.lit("not_a_number"))
    )


def _recognises(head: Head) -> bool:
    columns = {c.strip().strip('"') for c in head.text.split("\n", 1)[0].rstrip("\r").split(",")}
    return set(_REQUIRED) <= columns


SOURCE = FileSource(
    name="utd19_loops",
    title="Induction loops of the city (UTD19 form)",
    # `loops` as a word: samenloopsignalen are no loops.
    patterns=("loops*.csv", "loops*.csv.gz", "*[!a-z]loops*.csv", "*[!a-z]loops*.csv.gz", "*utd19*.csv", "*utd19*.csv.gz"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
)
