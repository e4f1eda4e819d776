"""Parking places in the municipality's own form: a CSV file.

Columns `parkeernummer, naam, soort, capaciteit, breedtegraad, lengtegraad`. Kinds that are not known here are `other`, with their
own name beside it.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import column_names, delimited, with_point
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, in_slices, marked, not_a_coordinate, number

_COLUMNS = ("parkeernummer", "naam", "soort", "capaciteit", "breedtegraad", "lengtegraad")
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


def parse_parking(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_parking` from the last landed list."""
    payload, notes = payloads[-1], context.notes
    frame = delimited(payload, _COLUMNS)
    notes |= {"file": payload.name, "rows_read": frame.height, "earlier_deliveries": len(payloads) - 1}
    rules = {
        "capacity.type": not_a_coordinate("capaciteit"),
        "longitude.type": not_a_coordinate("lengtegraad"),
        "latitude.type": not_a_coordinate("breedtegraad"),
    }
    kind = pl.col("soort").str.to_lowercase().str.replace_all(r"[\s_-]+", " ")
    rows = marked(with_point(frame, "lengtegraad", "breedtegraad", notes), rules, _COLUMNS).select(
        pl.col("parkeernummer").alias("parking_id"),
        pl.col("naam").alias("parking_name"),
        kind.replace_strict(_KINDS, default="other", return_dtype=pl.String).alias("parking_kind"),
        pl.col("soort").alias("kind_name"),
        number("capaciteit").alias("capacity"),
        pl.when(pl.col("capaciteit").is_null()).then(pl.lit("not_delivered")).alias("capacity_missing_reason"),
        "longitude",
        "latitude",
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(rows))


def _batches(payload: Payload) -> tuple[str, ...]:
    delimited(payload, _COLUMNS)
    return ("snapshot",)


def _recognises(head: Head) -> bool:
    return set(_COLUMNS) <= set(column_names(head.text))


SOURCE = FileSource(
    name="parking",
    title="Parking places (the municipality's own form)",
    patterns=("parking*.csv", "parking*.csv.gz", "*parkeerplaatsen*.csv", "*parkeergarages*.csv"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
)
