"""Collection vehicles and depots in the municipality's own form: two CSV files.

Columns `voertuigcode, type, laadvermogen_kg, fracties, depotcode, in_dienst` and `depotcode, naam, soort, breedtegraad,
lengtegraad`. Licence plates and crews are not part of the form, and are not read where they are sent.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import YES_NO, column_names, delimited, fraction_codes, with_point
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, in_slices, marked, not_a_coordinate, number, unreadable

_VEHICLES = ("voertuigcode", "type", "laadvermogen_kg", "fracties", "depotcode", "in_dienst")
_DEPOTS = ("depotcode", "naam", "soort", "breedtegraad", "lengtegraad")
_KINDS = {"depot": "depot", "stortlocatie": "tipping"}


def parse_vehicles(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_vehicles` from the last landed list."""
    payload = payloads[-1]
    frame = delimited(payload, _VEHICLES)
    context.notes |= {"file": payload.name, "rows_read": frame.height, "earlier_deliveries": len(payloads) - 1}
    answer = pl.col("in_dienst").str.to_lowercase()
    rules = {
        "capacity_kg.type": unreadable("laadvermogen_kg"),
        "is_in_service.type": ~answer.is_in(list(YES_NO)),
    }
    rows = marked(frame, rules, _VEHICLES).select(
        pl.col("voertuigcode").alias("vehicle_code"),
        pl.col("type").alias("vehicle_kind"),
        number("laadvermogen_kg").alias("capacity_kg"),
        fraction_codes("fracties").alias("fraction_codes"),
        pl.col("depotcode").alias("depot_code"),
        answer.replace_strict(YES_NO, default=None, return_dtype=pl.Boolean).alias("is_in_service"),
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(rows)


def parse_depots(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_depots` from the last landed list."""
    payload = payloads[-1]
    frame = delimited(payload, _DEPOTS)
    notes = context.notes
    notes |= {"file": payload.name, "rows_read": frame.height, "earlier_deliveries": len(payloads) - 1}
    kind = pl.col("soort").str.to_lowercase()
    rules = {
        "depot_kind.unknown": ~kind.is_in(list(_KINDS)),
        "longitude.type": not_a_coordinate("lengtegraad"),
        "latitude.type": not_a_coordinate("breedtegraad"),
    }
    rows = marked(with_point(frame, "lengtegraad", "breedtegraad", notes), rules, _DEPOTS).select(
        pl.col("depotcode").alias("depot_code"),
        pl.col("naam").alias("depot_name"),
        kind.replace_strict(_KINDS, default=None, return_dtype=pl.String).alias("depot_kind"),
        "longitude",
        "latitude",
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(rows)


def _batches_of(required: tuple[str, ...], payload: Payload) -> tuple[str, ...]:
    delimited(payload, required)
    return ("snapshot",)


def _recognises(required: tuple[str, ...], head: Head) -> bool:
    return set(required) <= set(column_names(head.text))


VEHICLES = FileSource(
    name="fleet_vehicles",
    title="Collection vehicles (the municipality's own form)",
    patterns=("vehicles*.csv", "*voertuigen*.csv"),
    recognises=lambda head: _recognises(_VEHICLES, head),
    batches=lambda payload: _batches_of(_VEHICLES, payload),
    extent="GM0014",
)
DEPOTS = FileSource(
    name="fleet_depots",
    title="Depots and tipping sites (the municipality's own form)",
    patterns=("depots*.csv", "*depots*.csv"),
    recognises=lambda head: _recognises(_DEPOTS, head),
    batches=lambda payload: _batches_of(_DEPOTS, payload),
    extent="GM0014",
)
