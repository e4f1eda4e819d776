"""Inspections of container places in the municipality's own form: CSV with one row per inspection.

Columns `schouwnummer, containercode, tijdstip, breedtegraad, lengtegraad, bijplaatsing, grofvuil_stuks, oorzaak,
opmerking_code`; `tijdstip` is the local clock. A remark that is no short code may be free text, and is not read.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import (
    DELIVERY,
    YES_NO,
    column_names,
    completed,
    delimited,
    last_delivered,
    local_instant,
    read_once,
    with_point,
)
from groningen_data.sources.parsing import (
    ORIGINAL,
    PROBLEMS,
    in_slices,
    local_parts,
    marked,
    not_a_coordinate,
    number,
    unreadable,
)

_REQUIRED = (
    "schouwnummer",
    "containercode",
    "tijdstip",
    "breedtegraad",
    "lengtegraad",
    "bijplaatsing",
    "grofvuil_stuks",
    "oorzaak",
)
_FIELDS = (*_REQUIRED, "opmerking_code")
_CAUSES = {"vol": "full", "grofvuil": "bulky", "bouwafval": "construction", "onbekend": "unknown"}
_CODE = r"^[A-Za-z0-9_-]{1,20}$"
_MONTH = "_month"


def parse_inspections(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_inspections` for one month; a later delivery of the same inspection counts."""
    rows = pl.concat(
        read_once(p, _inspections).filter(pl.col(_MONTH) == batch_key).with_columns(pl.lit(i).alias(DELIVERY))
        for i, p in enumerate(payloads)
    )
    merged = last_delivered(rows, ["schouwnummer"], payloads)
    notes = context.notes
    notes |= {
        "files": ", ".join(dict.fromkeys(p.name for p in payloads[-20:])),
        "payloads": len(payloads),
        "rows_read": rows.height,
        "rows_delivered_anew": rows.height - merged.height,
        "remarks_not_read": int(merged["_remark_is_text"].sum()),
    }
    cause = pl.col("oorzaak").str.to_lowercase()
    found = with_point(merged, "lengtegraad", "breedtegraad", notes).with_columns(*local_parts("inspected_at"))
    found = found.select(
        pl.lit(batch_key).alias("month"),
        pl.col("schouwnummer").alias("inspection_id"),
        pl.col("containercode").alias("container_code"),
        "inspected_at",
        pl.col("local_date").alias("inspected_on"),
        "local_hour",
        "weekday",
        "longitude",
        "latitude",
        pl.col("bijplaatsing")
        .str.to_lowercase()
        .replace_strict(YES_NO, default=None, return_dtype=pl.Boolean)
        .alias("is_waste_beside"),
        number("grofvuil_stuks").cast(pl.Int64, strict=False).alias("bulky_items"),
        pl.when(pl.col("grofvuil_stuks").is_null()).then(pl.lit("not_counted")).alias("bulky_missing_reason"),
        cause.replace_strict(_CAUSES, default=None, return_dtype=pl.String).alias("cause_code"),
        pl.col("opmerking_code").alias("remark_code"),
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(found))


def _batches(payload: Payload) -> tuple[str, ...]:
    months = _inspections(payload)[_MONTH].drop_nulls().unique().sort().to_list()
    if not months:
        raise PayloadError(payload.name, "has no row with a readable tijdstip", "write times as 2026-03-02T10:15:00")
    return tuple(months)


def _inspections(payload: Payload) -> pl.DataFrame:
    frame = completed(delimited(payload, _REQUIRED, _FIELDS), _FIELDS)
    remark = pl.col("opmerking_code")
    is_code = remark.str.contains(_CODE)
    at, clock = local_instant("tijdstip")
    frame = frame.select(_FIELDS).with_columns(
        pl.when(is_code).then(remark).alias("opmerking_code"),
        (~is_code).fill_null(False).alias("_remark_is_text"),
        inspected_at=at,
        _clock=clock,
    )
    answer, cause = pl.col("bijplaatsing").str.to_lowercase(), pl.col("oorzaak").str.to_lowercase()
    rules = {
        "inspected_at.type": pl.col("_clock").is_null(),
        "inspected_at.nonexistent": pl.col("_clock").is_not_null() & pl.col("inspected_at").is_null(),
        "is_waste_beside.type": ~answer.is_in(list(YES_NO)),
        "bulky_items.type": unreadable("grofvuil_stuks", pl.Int64),
        "cause_code.unknown": ~cause.is_in(list(_CAUSES)),
        "longitude.type": not_a_coordinate("lengtegraad"),
        "latitude.type": not_a_coordinate("breedtegraad"),
    }
    month = pl.col("_clock").dt.strftime("%Y-%m")
    return (
        marked(frame, rules, _FIELDS).with_columns(month.fill_null(month.drop_nulls().mode().min()).alias(_MONTH)).drop("_clock")
    )


def _recognises(head: Head) -> bool:
    return set(_REQUIRED) <= set(column_names(head.text))


SOURCE = FileSource(
    name="inspections",
    title="Inspections of container places (the municipality's own form)",
    patterns=("inspections*.csv", "inspections*.csv.gz", "waste_inspections*.csv", "waste_inspections*.csv.gz"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
)
