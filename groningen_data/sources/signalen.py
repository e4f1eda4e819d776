"""Daily snapshots of open public-space reports, as a Signalen installation lists them: a JSON list of reports.

The snapshot's day is in the file's name. Only the fields named here are ever read: free text, reporter and address are not,
and do not reach quarantine either.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.parsing import (
    ORIGINAL,
    PROBLEMS,
    check_columns,
    coordinate,
    in_slices,
    instant,
    marked,
    not_a_coordinate,
    read_json,
    reference_table,
)

_REQUIRED = ("id", "created_at", "category_slug", "subcategory_slug", "lng", "lat")
_KNOWN = ("category", "subcategory", "wijk")
_LONGITUDES, _LATITUDES = (3.2, 7.3), (50.7, 53.8)
_WASTE = "afval"


def parse_open_reports(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_open_reports` for one snapshot day, from the last landed snapshot of that day."""
    payload = payloads[-1]
    reports = _reports(payload)
    frame = _frame(reports)
    context.notes |= {
        "file": payload.name,
        "rows_read": len(reports),
        "earlier_deliveries_of_this_day": len(payloads) - 1,
        "fields_not_read": sorted({k for r in reports if isinstance(r, dict) for k in r} - {*_REQUIRED, *_KNOWN}),
    }
    frame, swapped = _unswapped(frame)
    context.notes["coordinates_swapped"] = swapped
    locator = Locator(context.published("core.reference_neighbourhoods"))
    rows = locator.locate(_rows(frame, date.fromisoformat(batch_key), context.settings.timezone))
    yield from in_slices(rows)


def _batches(payload: Payload) -> tuple[str, ...]:
    _reports(payload)
    return (snapshot_day(payload.name).isoformat(),)


def snapshot_day(name: str) -> date:
    """The day that a file name tells.

    Raises:
        PayloadError: It tells none.
    """
    for text in re.findall(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)", name):
        try:
            return date.fromisoformat(text)
        except ValueError:
            continue
    raise PayloadError(name, "has no day in its name", "name the file after the day of its snapshot, such as 2026-05-18.json")


def _reports(payload: Payload) -> list[Any]:
    reports = read_json(payload)
    if not isinstance(reports, list):
        raise PayloadError(payload.name, "is JSON, but not a list of reports", "deliver the list of open reports itself")
    if not reports:
        raise PayloadError(payload.name, "lists no reports", "ask for the snapshot again; no rows is never data")
    objects = [r for r in reports if isinstance(r, dict)]
    if not objects:
        raise PayloadError(payload.name, "is a list, but not of reports", "deliver the list of open reports itself")
    check_columns(payload.name, dict.fromkeys(k for r in objects for k in r), _REQUIRED, _KNOWN)
    return reports


def _frame(reports: list[Any]) -> pl.DataFrame:
    columns = {name: [_text(r.get(name)) if isinstance(r, dict) else None for r in reports] for name in (*_REQUIRED, *_KNOWN)}
    no_report = pl.Series("_no_report", [not isinstance(r, dict) for r in reports], pl.Boolean)
    original = pl.Series(ORIGINAL, [_original(r) for r in reports], pl.String)
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(no_report, original)


def _original(report: Any) -> str:
    """The fields that may be read, as delivered; of what is no report only its type."""
    if not isinstance(report, dict):
        return json.dumps({"type": type(report).__name__})
    return json.dumps({k: v for k, v in report.items() if k in (*_REQUIRED, *_KNOWN)}, ensure_ascii=False)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _unswapped(frame: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    points = frame.select(x=coordinate("lng"), y=coordinate("lat")).drop_nulls()
    fits = points.select((pl.col("y").is_between(*_LONGITUDES) & pl.col("x").is_between(*_LATITUDES)).all()).item()
    if not points.height or not fits:
        return frame, False
    return frame.rename({"lng": "lat", "lat": "lng"}), True


def _rows(frame: pl.DataFrame, day: date, zone: str) -> pl.DataFrame:
    created = instant("created_at")
    created_on = created.dt.convert_time_zone(zone).dt.date()
    rules = {
        "row.type": pl.col("_no_report"),
        "created_at.type": pl.col("created_at").is_not_null() & created.is_null(),
        "created_at.after_snapshot": created_on > day,
        "longitude.type": not_a_coordinate("lng"),
        "latitude.type": not_a_coordinate("lat"),
    }
    rows = marked(frame, rules).select(
        pl.lit(day).alias("snapshot_on"),
        pl.col("id").str.strip_chars().alias("report_id"),
        created.alias("created_at"),
        created_on.alias("created_on"),
        pl.col("category_slug").alias("main_category_code"),
        pl.col("subcategory_slug").alias("category_code"),
        coordinate("lng").alias("longitude"),
        coordinate("lat").alias("latitude"),
        PROBLEMS,
        ORIGINAL,
    )
    return with_waste_kind(rows)


def with_waste_kind(reports: pl.DataFrame) -> pl.DataFrame:
    """The reports plus `waste_kind`, by `data/reference/report_categories.csv`; null for what is not about waste.

    Args:
        reports: Rows with `main_category_code` and `category_code`.
    """
    kinds = reference_table("report_categories").select("main_category_code", "category_code", "waste_kind")
    kind = pl.col("waste_kind").fill_null(pl.when(pl.col("main_category_code") == _WASTE).then(pl.lit("other_waste")))
    joined = reports.join(kinds, on=["main_category_code", "category_code"], how="left", maintain_order="left")
    return joined.with_columns(kind.alias("waste_kind"))


def _recognises(head: Head) -> bool:
    text = head.text.lstrip()
    return (
        text.startswith("[")
        and all(f'"{name}"' in text for name in ("created_at", "category_slug", "subcategory_slug"))
        and '"resolved_date"' not in text
    )


SOURCE = FileSource(
    name="signalen_reports",
    title="Open public-space reports (Signalen)",
    patterns=("????-??-??.json", "????-??-??.json.gz", "*open_reports*.json", "*open_reports*.json.gz"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
)
