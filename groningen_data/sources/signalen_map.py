"""Open reports on the public map of a Signalen installation, for a municipality without credentials for its private API.

The map tells of each report its category, place and moment, and no number: a report cannot be followed from day to day, only how
many are open is known. One answer is about the moment at which it was asked; the last one of a local day stands for that day.

Read in the source of Signalen/backend, not tried on a live installation: `v1/public/signals/geography` wants a `bbox`; it answers
pages of 4,000 by `geopage`, in order of place, with `X-Total-Count` and `Link`; the features of an empty page are null. It leaves
out what is closed (`o`, `a`, `done external`), split, or asked to be reopened, and categories that are not public; it is made anew
every half hour. Of each feature only what `signalen_fields` names lands.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl

from groningen_data.fetching.connector import Connector, Pull
from groningen_data.fetching.features import counted_features
from groningen_data.fetching.shapes import shape_of
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.parsing import in_slices, instant, marked
from groningen_data.sources.signalen import snapshot_day, with_waste_kind
from groningen_data.sources.signalen_fields import packed_map, rewritten_map

# An installation is of one municipality: all of the country is its whole map, wherever that lies.
_BOX = "3.2,50.7,7.3,53.8"
_CELL = ("main_category_code", "category_code", "neighbourhood_code", "location_status")


def parse_counts(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_public_report_counts` for one day: how many reports were open, as the map was asked last on that day."""
    payload = payloads[-1]
    reports = [_flat(feature) for feature in payload.json()["features"]]
    frame = pl.DataFrame(
        reports,
        schema={
            "main_category_code": pl.String,
            "category_code": pl.String,
            "created_at": pl.String,
            "longitude": pl.Float64,
            "latitude": pl.Float64,
        },
        orient="row",
    )
    placed = Locator(context.published("core.reference_neighbourhoods")).locate(frame)
    context.notes |= {
        "file": payload.name,
        "reports_read": frame.height,
        "reports_without_place": placed.filter(pl.col("location_status") == "no_location").height,
        "earlier_answers_of_this_day": len(payloads) - 1,
    }
    created_on = instant("created_at").dt.convert_time_zone(context.settings.timezone).dt.date()
    counted = placed.group_by(_CELL).agg(
        pl.len().cast(pl.Int64).alias("open_reports"),
        created_on.min().alias("oldest_created_on"),
        created_on.max().alias("newest_created_on"),
    )
    day = date.fromisoformat(batch_key)
    rules = {"created_on.after_snapshot": pl.col("newest_created_on") > day}
    rows = marked(counted.sort(_CELL), rules, counted.columns).with_columns(pl.lit(day).alias("snapshot_on"))
    yield from in_slices(with_waste_kind(rows))


def _flat(feature: dict[str, Any]) -> tuple[Any, ...]:
    category = feature["properties"]["category"]
    place = (feature["geometry"] or {}).get("coordinates") or (None, None)
    return category["parent"]["slug"], category["slug"], feature["properties"]["created_at"], *place


def _batches(payload: Payload) -> tuple[str, ...]:
    return (snapshot_day(payload.name).isoformat(),) if payload.json()["features"] else ()


def _recognises(head: Head) -> bool:
    text = head.text.lstrip()
    return text.startswith("{") and all(f'"{name}"' in text for name in ("FeatureCollection", "created_at", "slug", "parent"))


def _pull(visit: Pull) -> None:
    """Ask for the whole map; the answer stands for today."""
    url = visit.client.url("signalen_public", "v1/public/signals/geography")
    features = counted_features(visit, url, {"bbox": _BOX})
    if not features:
        raise visit.problem(
            f"{url.split('//')[-1]} shows no open reports", "check the address, and whether any category is public there"
        )
    visit.saw("geography", shape_of(json.dumps({"features": features}).encode()))
    try:
        body = packed_map(features)
    except ValueError as error:
        raise visit.problem(str(error), "the service changed: compare with its documentation") from None
    visit.deliver(f"map/{visit.settings.today()}.json", body)


SOURCE = FileSource(
    name="signalen_map",
    title="Public map of open public-space reports (Signalen)",
    patterns=("*signalen_map*.json", "*signalen_map*.geojson"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
    rewriting=lambda settings: rewritten_map,
    connector=Connector(("signalen_public",), _pull),
)
