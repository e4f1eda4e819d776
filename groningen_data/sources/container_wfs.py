"""The municipality's container registry as its GeoServer publishes it: WFS layer `CONTAINERS` as GeoJSON.

Properties `CLUSTERCODE, CLUSTEROMSCHRIJVING, CONTAINERCODE, FRACTIE, LATITUDE, LONGITUDE`; it knows no sensors and no sizes.
A GeoServer answers errors with status 200 and an XML ExceptionReport, and may cut an answer at a number of features.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.fetching.connector import Connector, Pull
from groningen_data.fetching.features import feature_collection, wfs_features
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
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, check_columns, in_slices, marked, not_a_coordinate, read_json

_SOURCE_CODE = "wfs"
_LAYER = "geo-data:CONTAINERS"
_REQUIRED = ("CONTAINERCODE", "FRACTIE")
_KNOWN = ("CLUSTERCODE", "CLUSTEROMSCHRIJVING", "LATITUDE", "LONGITUDE")
_FIELDS = (*_REQUIRED, *_KNOWN)


def parse_containers(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_containers` from the last landed answer of the WFS.

    The place is that of the properties LONGITUDE and LATITUDE, which are degrees whatever the layer's coordinate system;
    without them that of the geometry.
    """
    payload = payloads[-1]
    frame = texts(properties_of(_features(payload), str.upper), (*_FIELDS, "x", "y"))
    notes = context.notes
    notes |= {"file": payload.name, "rows_read": frame.height, "earlier_deliveries": len(payloads) - 1}
    notes["fractions_not_known"] = ", ".join(unknown_fractions(frame["FRACTIE"]))
    place = frame.with_columns(
        _x=pl.when(pl.all_horizontal(pl.col("LONGITUDE", "LATITUDE").is_not_null())).then("LONGITUDE").otherwise("x"),
        _y=pl.when(pl.all_horizontal(pl.col("LONGITUDE", "LATITUDE").is_not_null())).then("LATITUDE").otherwise("y"),
    )
    rules = {
        "row.type": pl.col("_no_object"),
        "longitude.type": not_a_coordinate("_x"),
        "latitude.type": not_a_coordinate("_y"),
    }
    rows = marked(with_point(place, "_x", "_y", notes), rules, (*_FIELDS, "x", "y"))
    # The description repeats the cluster's code: `1235 - Teststraat`.
    street = pl.col("CLUSTEROMSCHRIJVING").str.replace(r"^\s*\d+\s*-\s*", "")
    rows = rows.select(
        pl.lit(_SOURCE_CODE).alias("source_code"),
        pl.col("CONTAINERCODE").alias("container_code"),
        pl.lit(False).alias("is_code_derived"),
        pl.col("CLUSTERCODE").alias("cluster_code"),
        pl.when(street != "").then(street).alias("location_name"),
        *fraction("FRACTIE"),
        pl.lit(None, pl.Float64).alias("capacity_l"),
        "longitude",
        "latitude",
        pl.lit(None, pl.Boolean).alias("has_sensor"),
        pl.lit(None, pl.Float64).alias("alarm_pct"),
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(rows))


def _batches(payload: Payload) -> tuple[str, ...]:
    _features(payload)
    return (_SOURCE_CODE,)


def _features(payload: Payload) -> list[Any]:
    refuse_exception_report(payload)
    collection = read_json(payload)
    features = features_of(payload, collection)
    total = next((collection.get(k) for k in ("numberMatched", "totalFeatures") if isinstance(collection.get(k), int)), None)
    if total is not None and total > len(features):
        problem = f"holds {len(features):,} of {total:,} features"
        raise PayloadError(payload.name, problem, "ask the WFS for all of them, or put its pages into one file")
    names = dict.fromkeys(name for properties in properties_of(features, str.upper) if properties for name in properties)
    check_columns(payload.name, names, _REQUIRED, (*_KNOWN, "x", "y"))
    return features


def _recognises(head: Head) -> bool:
    text = head.text.lstrip()
    if text.startswith("<"):
        return "ExceptionReport" in text and "CONTAINERS" in text.upper()
    return text.startswith("{") and '"FeatureCollection"' in text and '"CONTAINERCODE"' in text


def _pull(visit: Pull) -> None:
    """Ask for the whole layer in degrees; the registry has no history and tells no changes."""
    features = wfs_features(visit, visit.client.url("container_wfs"), _LAYER, sort_by="CONTAINERCODE")
    if not features:
        raise visit.problem(f"{_LAYER} has no features", "nothing is lost: the next refresh asks again")
    visit.deliver("containers_wfs.json", feature_collection("containers", features))


SOURCE = FileSource(
    name="container_wfs",
    title="Waste containers of the municipality (WFS)",
    patterns=(
        "*containers*wfs*.json",
        "*containers*wfs*.json.gz",
        "*wfs*containers*.json",
        "*wfs*containers*.json.gz",
        "containers.geojson",
    ),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
    connector=Connector(("container_wfs",), _pull),
)
