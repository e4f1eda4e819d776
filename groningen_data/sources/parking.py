"""Parking places and charge points in the municipality's own form: two CSV files.

Columns `parkeernummer, naam, soort, capaciteit, breedtegraad, lengtegraad` and `laadpaalnummer, exploitant, aansluitingen,
vermogen_kw, status, breedtegraad, lengtegraad`. Kinds and statuses that are not known here are `other`, with their own name
beside it.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import column_names, delimited, with_point
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, in_slices, marked, not_a_coordinate, number, unreadable

_PARKING = ("parkeernummer", "naam", "soort", "capaciteit", "breedtegraad", "lengtegraad")
_CHARGE_POINTS = ("laadpaalnummer", "exploitant", "aansluitingen", "vermogen_kw", "status", "breedtegraad", "lengtegraad")
_KINDS = {
    "garage": "garage",
    "parkeergarage": "garage",
    "terrein": "lot",
    "parkeerterrein": "lot",
    "p+r": "park_and_ride",
    "pr": "park_and_ride",
    "straat": "street",
    "straatparkeren": "street",
    "fietsenstalling": "bicycle",
    "stalling": "bicycle",
}
_STATUSES = {
    "in bedrijf": "in_service",
    "actief": "in_service",
    "beschikbaar": "in_service",
    "bezet": "in_service",
    "storing": "fault",
    "defect": "fault",
    "buiten bedrijf": "out_of_service",
    "buiten gebruik": "out_of_service",
    "gepland": "planned",
    "in aanvraag": "planned",
}


def parse_parking(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_parking` from the last landed list."""
    frame = _last(payloads, _PARKING, context)
    rules = {"capacity.type": not_a_coordinate("capaciteit"), **_PLACE_RULES}
    rows = marked(frame, rules, _PARKING).select(
        pl.col("parkeernummer").alias("parking_id"),
        pl.col("naam").alias("parking_name"),
        _code("soort", _KINDS).fill_null("other").alias("parking_kind"),
        pl.col("soort").alias("kind_name"),
        number("capaciteit").alias("capacity"),
        _reason("capaciteit").alias("capacity_missing_reason"),
        "longitude",
        "latitude",
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(rows))


def parse_charge_points(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_charge_points` from the last landed list."""
    frame = _last(payloads, _CHARGE_POINTS, context)
    power = pl.col("vermogen_kw").str.replace(",", ".", literal=True)
    frame = frame.with_columns(power.alias("_power"))
    rules = {"sockets.type": not_a_coordinate("aansluitingen"), "power_kw.type": unreadable("_power"), **_PLACE_RULES}
    rows = marked(frame, rules, _CHARGE_POINTS).select(
        pl.col("laadpaalnummer").alias("charge_point_id"),
        pl.col("exploitant").alias("operator_name"),
        number("aansluitingen").alias("sockets"),
        _reason("aansluitingen").alias("sockets_missing_reason"),
        number("_power").alias("power_kw"),
        _reason("vermogen_kw").alias("power_missing_reason"),
        _code("status", _STATUSES).alias("status_code"),
        pl.col("status").alias("status_name"),
        "longitude",
        "latitude",
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(rows))


_PLACE_RULES = {"longitude.type": not_a_coordinate("lengtegraad"), "latitude.type": not_a_coordinate("breedtegraad")}


def _last(payloads: Sequence[Payload], columns: tuple[str, ...], context: BuildContext) -> pl.DataFrame:
    payload = payloads[-1]
    frame = delimited(payload, columns)
    notes = context.notes
    notes |= {"file": payload.name, "rows_read": frame.height, "earlier_deliveries": len(payloads) - 1}
    return with_point(frame, "lengtegraad", "breedtegraad", notes)


def _code(column: str, codes: dict[str, str]) -> pl.Expr:
    """The code of a delivered name; `other` for one that is not known, null where there is none."""
    name = pl.col(column).str.to_lowercase().str.replace_all(r"[\s_-]+", " ")
    return pl.when(name.is_not_null()).then(name.replace_strict(codes, default="other", return_dtype=pl.String))


def _reason(column: str) -> pl.Expr:
    return pl.when(pl.col(column).is_null()).then(pl.lit("not_delivered"))


def _batches_of(required: tuple[str, ...], payload: Payload) -> tuple[str, ...]:
    delimited(payload, required)
    return ("snapshot",)


def _recognises(required: tuple[str, ...], head: Head) -> bool:
    return set(required) <= set(column_names(head.text))


PARKING = FileSource(
    name="parking",
    title="Parking places (the municipality's own form)",
    patterns=("parking*.csv", "parking*.csv.gz", "*parkeerplaatsen*.csv", "*parkeergarages*.csv"),
    recognises=lambda head: _recognises(_PARKING, head),
    batches=lambda payload: _batches_of(_PARKING, payload),
    extent="GM0014",
)
CHARGE_POINTS = FileSource(
    name="charge_points",
    title="Charge points (the municipality's own form)",
    patterns=("charge_points*.csv", "charge_points*.csv.gz", "*laadpalen*.csv"),
    recognises=lambda head: _recognises(_CHARGE_POINTS, head),
    batches=lambda payload: _batches_of(_CHARGE_POINTS, payload),
    extent="GM0014",
)
