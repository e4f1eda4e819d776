"""Inspection totals per address of Amsterdam: CSV with one row per address, added up over the inspections of a year.

Columns `straatnaam, totaal_schouwen, aantal_niet_aplus, aantal_grofvuil, stadsdeel, postcode, adres, geometrie_origineel,
dumpplek, eerste_melding, laatste_melding, lon, lat`. The postcode column holds other things as often as postcodes, and address
and house number are not kept: neither is read.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import column_names, completed, delimited, trimmed, with_point
from groningen_data.sources.parsing import (
    ORIGINAL,
    PROBLEMS,
    in_slices,
    iso_day,
    marked,
    not_a_coordinate,
    number,
    unreadable,
)

_REQUIRED = (
    "straatnaam",
    "totaal_schouwen",
    "aantal_niet_aplus",
    "aantal_grofvuil",
    "dumpplek",
    "eerste_melding",
    "laatste_melding",
    "lon",
    "lat",
)
_KNOWN = ("", "stadsdeel", "postcode", "adres", "geometrie_origineel")
_FIELDS = (*_REQUIRED, "stadsdeel")
_COUNTS = {"totaal_schouwen": "inspections", "aantal_niet_aplus": "waste_beside", "aantal_grofvuil": "bulky"}
_METRES = r"(?i)^\s*point\s*\(\s*([-\d.]+)\s+([-\d.]+)"


def parse_totals(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_inspection_totals` for one year, from the last landed file about it.

    A place has the code of its point (`4.900001,52.372090`); where several addresses share a point, `#2` and so on follow in
    order of delivery.
    """
    payload = payloads[-1]
    frame = _read(payload)
    notes = context.notes
    notes |= {"file": payload.name, "rows_read": frame.height, "earlier_deliveries": len(payloads) - 1}
    truth = pl.col("dumpplek").str.to_lowercase()
    rules = {f"{name}.type": unreadable(column, pl.Int64) for column, name in _COUNTS.items()} | {
        "is_dump_spot.type": ~truth.is_in(["true", "false"]),
        "first_on.type": pl.col("eerste_melding").is_not_null() & iso_day("eerste_melding").is_null(),
        "last_on.type": pl.col("laatste_melding").is_not_null() & iso_day("laatste_melding").is_null(),
        "longitude.type": not_a_coordinate("_x"),
        "latitude.type": not_a_coordinate("_y"),
    }
    counts = [number(column).cast(pl.Int64, strict=False).alias(name) for column, name in _COUNTS.items()]
    place = pl.format("{},{}", pl.col("longitude").round(6), pl.col("latitude").round(6))
    rank = pl.int_range(pl.len()).over(place) + 1
    rows = marked(with_point(frame, "_x", "_y", notes), rules, _FIELDS).select(
        pl.lit(int(batch_key)).alias("year"),
        pl.when(rank == 1).then(place).otherwise(pl.format("{}#{}", place, rank)).alias("location_code"),
        pl.col("straatnaam").alias("location_name"),
        pl.col("stadsdeel").alias("district_name"),
        *counts,
        (truth == "true").alias("is_dump_spot"),
        iso_day("eerste_melding").alias("first_on"),
        iso_day("laatste_melding").alias("last_on"),
        "longitude",
        "latitude",
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(rows))


def _batches(payload: Payload) -> tuple[str, ...]:
    years = _read(payload).select(iso_day("laatste_melding").dt.year().alias("year"))["year"].drop_nulls()
    if years.is_empty():
        raise PayloadError(payload.name, "has no readable laatste_melding", "ask the source for ISO dates")
    # The totals are of one year; a date of another one is an error in a row.
    return (str(years.mode().sort()[-1]),)


def _read(payload: Payload) -> pl.DataFrame:
    """The fields that may be kept, the street without house number, and the point as `_x` and `_y`."""
    frame = completed(delimited(payload, _REQUIRED, _KNOWN), ("stadsdeel", "geometrie_origineel"))
    metres = pl.col("geometrie_origineel").str.extract_groups(_METRES)
    has_degrees = pl.col("lon").is_not_null() & pl.col("lat").is_not_null()
    return frame.select(
        *(c for c in _FIELDS if c != "straatnaam"),
        _street("straatnaam"),
        pl.when(has_degrees).then("lon").otherwise(metres.struct.field("1")).alias("_x"),
        pl.when(has_degrees).then("lat").otherwise(metres.struct.field("2")).alias("_y"),
    ).with_columns(trimmed("straatnaam"))


def _street(column: str) -> pl.Expr:
    """The street of an address: without house number, addition or postcode; `1e Kekerstraat` keeps its number."""
    text = pl.col(column).str.replace(r"\s+\d.*$", "")
    is_ordinal = text.str.contains(r"^\d+(e|de|ste)\s")
    return pl.when(is_ordinal).then(text).otherwise(text.str.replace(r"^\d\S*\s*", "")).alias(column)


def _recognises(head: Head) -> bool:
    return set(_REQUIRED) <= set(column_names(head.text))


SOURCE = FileSource(
    name="amsterdam_inspections",
    title="Inspection totals per location (Amsterdam)",
    patterns=("*schouwen*bijplaatsing*.csv", "*schouwen*bijplaatsing*.csv.gz"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0363",
)
