"""The container registry of Schiedam as its map loads it: GeoJSON, mostly wrapped in JavaScript (`var x = {…}`).

Properties `unieknr, locatie, thv, soort, capaciteit (m3)`; only underground containers for residual waste have a number. `thv`
may be a house number and is not read.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import (
    features_of,
    fraction,
    properties_of,
    refuse_exception_report,
    texts,
    unknown_fractions,
    with_point,
)
from groningen_data.sources.parsing import (
    ORIGINAL,
    PROBLEMS,
    check_columns,
    in_slices,
    marked,
    not_a_coordinate,
    number,
    unreadable,
)

_SOURCE_CODE = "schiedam"
_REQUIRED = ("unieknr", "locatie", "soort")
_KNOWN = ("thv", "nummer", "maximum aantal stortingen", "trommel (liter)", "capaciteit (m3)")
_FIELDS = (*_REQUIRED, "capaciteit (m3)", "x", "y")
_WRAPPING = re.compile(r"\s*(?:(?:var|let|const|window\.)\s*)?[\w.$]+\s*=\s*(?=\{)")


def parse_containers(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_containers` from the last landed registry.

    A container without a number gets a code of its fraction and point, such as `paper@4.398123,51.920639`; where several have
    the same, `#2` and so on follow in order of delivery.
    """
    payload = payloads[-1]
    frame = texts(properties_of(_features(payload)), _FIELDS)
    notes = context.notes
    notes |= {"file": payload.name, "rows_read": frame.height, "earlier_deliveries": len(payloads) - 1}
    notes |= {"codes_derived": frame["unieknr"].null_count(), "fractions_not_known": ", ".join(unknown_fractions(frame["soort"]))}
    rules = {
        "row.type": pl.col("_no_object"),
        "longitude.type": not_a_coordinate("x"),
        "latitude.type": not_a_coordinate("y"),
        "capacity_l.type": unreadable("capaciteit (m3)"),
    }
    rows = marked(with_point(frame, "x", "y", notes), rules, _FIELDS).with_columns(*fraction("soort"))
    rows = rows.select(
        pl.lit(_SOURCE_CODE).alias("source_code"),
        pl.coalesce("unieknr", _derived_code()).alias("container_code"),
        pl.col("unieknr").is_null().alias("is_code_derived"),
        pl.lit(None, pl.String).alias("cluster_code"),
        pl.col("locatie").alias("location_name"),
        "fraction_code",
        "fraction_name",
        "fraction_missing_reason",
        (number("capaciteit (m3)") * 1000).alias("capacity_l"),
        "longitude",
        "latitude",
        pl.lit(None, pl.Boolean).alias("has_sensor"),
        pl.lit(None, pl.Float64).alias("alarm_pct"),
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(rows))


def _derived_code() -> pl.Expr:
    place = pl.format("{},{}", pl.col("longitude").round(6), pl.col("latitude").round(6))
    code = pl.format("{}@{}", pl.col("fraction_code").fill_null("unknown"), place)
    rank = pl.int_range(pl.len()).over(code) + 1
    return pl.when(rank == 1).then(code).otherwise(pl.format("{}#{}", code, rank))


def _batches(payload: Payload) -> tuple[str, ...]:
    _features(payload)
    return (_SOURCE_CODE,)


def _features(payload: Payload) -> list[Any]:
    refuse_exception_report(payload)
    text = payload.text()
    bare = _WRAPPING.sub("", text, count=1).strip().rstrip(";")
    if not bare.startswith("{"):
        raise PayloadError(payload.name, "is neither GeoJSON nor JavaScript that holds it", "deliver the file that the map loads")
    try:
        collection = json.loads(bare)
    except (ValueError, RecursionError) as error:
        raise PayloadError(
            payload.name, f"is not complete GeoJSON ({error})", "ask for the file again; it was cut off"
        ) from error
    features = features_of(payload, collection)
    names = dict.fromkeys(name for properties in properties_of(features) if properties for name in properties)
    check_columns(payload.name, names, _REQUIRED, (*_KNOWN, "x", "y"))
    return features


def _recognises(head: Head) -> bool:
    text = head.text
    return '"FeatureCollection"' in text and all(f'"{name}"' in text for name in _REQUIRED)


SOURCE = FileSource(
    name="schiedam_containers",
    title="Waste containers of Schiedam",
    patterns=("*schiedam*containers*.geojson", "*schiedam*containers*.js", "*schiedam*containers*.json"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0606",
)
