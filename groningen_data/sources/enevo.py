"""Containers and fill levels as the Enevo API (version 3) answers: one JSON object per scope (`containers`, `sites`, …).

Fill levels name the slot that a container stands in, so a slot is what has a code here; what a slot's container, place, size
and content are is joined from the scopes that were delivered. Addresses are not read.
"""

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
    OWN_DAY,
    day_keys,
    fill_levels,
    fraction,
    own_day,
    texts,
    unknown_fractions,
    with_point,
)
from groningen_data.sources.parsing import (
    ORIGINAL,
    PROBLEMS,
    check_columns,
    in_slices,
    instant,
    marked,
    not_a_coordinate,
    number,
    read_json,
    unreadable,
)

_SOURCE_CODE = "enevo"
_LEVELS = "fillLevels"
_SCOPES = {
    "containers": ("id", "type", "site", "containerSlot"),
    "containerSlots": ("id", "contentType", "container", "site"),
    "containerTypes": ("id", "volume"),
    "contentTypes": ("id", "name"),
    "sites": ("id", "name", "latitude", "longitude"),
}
_SCOPE = re.compile(rf'"scope"\s*:\s*"(?:{"|".join((_LEVELS, *_SCOPES))})/?"')
_LEVEL_FIELDS = ("time", "fillLevel", "containerSlot", "confidence", "frozen")
_ORIGINAL = ("slot", "container", "site", "type", "content_type", "volume", "content", "longitude", "latitude")


def parse_containers(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_containers`: slots, and containers that stand in none (their code is `container-<id>`).

    Of each scope the last landed answer counts.

    Raises:
        PayloadError: Neither containers nor slots were delivered.
    """
    scopes = {_scope(p): p for p in payloads}
    if not {"containers", "containerSlots"} & set(scopes):
        problem = f"holds {', '.join(sorted(scopes))}, but no containers or slots"
        raise PayloadError(payloads[-1].name, problem, "deliver the scopes containers and containerSlots as well")
    tables = {scope: texts(_listed(scopes[scope]) if scope in scopes else [], names) for scope, names in _SCOPES.items()}
    frame = _joined(tables).with_columns(_has_devices(scopes.get("containers")))
    notes = context.notes
    notes |= {f"{scope}_read": table.height for scope, table in tables.items()}
    notes |= {"files": ", ".join(p.name for p in scopes.values()), "rows_read": frame.height}
    notes["fractions_not_known"] = ", ".join(unknown_fractions(frame["content"]))
    rules = {
        "longitude.type": not_a_coordinate("longitude"),
        "latitude.type": not_a_coordinate("latitude"),
        "capacity_l.type": unreadable("volume"),
    }
    litres = number("volume") * 1000
    rows = with_point(marked(frame, rules, _ORIGINAL), "longitude", "latitude", notes).select(
        pl.lit(_SOURCE_CODE).alias("source_code"),
        pl.coalesce("slot", pl.format("container-{}", "container")).alias("container_code"),
        pl.lit(False).alias("is_code_derived"),
        pl.col("site").alias("cluster_code"),
        pl.col("site_name").alias("location_name"),
        *fraction("content"),
        pl.when(litres > 0).then(litres).alias("capacity_l"),
        "longitude",
        "latitude",
        "has_sensor",
        pl.lit(None, pl.Float64).alias("alarm_pct"),
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(rows))


def parse_fill_levels(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_fill_levels` for one day.

    A level that the system froze, or does not vouch for at all (confidence 0), is no reading.
    """
    yield from fill_levels(payloads, batch_key, context, _readings)


def _joined(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per slot or unplaced container: its ids, site, size and content."""
    slots = tables["containerSlots"].select(slot="id", _container="container", _site="site", content_type="contentType")
    containers = tables["containers"].select(container="id", type="type", _own_site="site", slot="containerSlot")
    placed = slots.join(containers.drop_nulls("slot"), on="slot", how="full", coalesce=True, maintain_order="left_right")
    unplaced = containers.filter(pl.col("slot").is_null())
    both = pl.concat([placed, unplaced], how="diagonal")
    sites = tables["sites"].select(site="id", site_name="name", longitude="longitude", latitude="latitude")
    types = tables["containerTypes"].select(type="id", volume="volume")
    contents = tables["contentTypes"].select(content_type="id", content="name")
    frame = both.with_columns(site=pl.coalesce("_site", "_own_site"), container=pl.coalesce("container", "_container"))
    for other, key in ((sites, "site"), (types, "type"), (contents, "content_type")):
        frame = frame.join(other.unique(key, keep="last"), on=key, how="left", maintain_order="left")
    return frame


def _has_devices(payload: Payload | None) -> pl.Expr:
    """Whether a container has a device; unknown where no container says so."""
    listed = [c for c in (_listed(payload) if payload else []) if isinstance(c, dict)]
    devices = {str(c.get("id")): bool(c.get("devices")) for c in listed}
    if not any("devices" in c for c in listed):
        return pl.lit(None, pl.Boolean).alias("has_sensor")
    return pl.col("container").replace_strict(devices, default=None, return_dtype=pl.Boolean).alias("has_sensor")


def _readings(payload: Payload) -> pl.DataFrame:
    frame = texts(_listed(payload), _LEVEL_FIELDS)
    reason = (
        pl.when(pl.col("fillLevel").is_null())
        .then(pl.lit("no_reading"))
        .when(pl.col("frozen") == "true")
        .then(pl.lit("frozen"))
        .when(number("confidence") == 0)
        .then(pl.lit("no_confidence"))
    )
    rules = {
        "row.type": pl.col("_no_object"),
        "measured_at.type": instant("time").is_null(),
        "fill_pct.type": not_a_coordinate("fillLevel"),
    }
    return (
        marked(frame, rules, _LEVEL_FIELDS)
        .with_columns(measured_at=instant("time"))
        .with_columns(own_day("measured_at"))
        .select(
            pl.col("containerSlot").alias("container_code"),
            "measured_at",
            pl.when(reason.is_null()).then(number("fillLevel")).alias("fill_pct"),
            reason.alias("fill_missing_reason"),
            pl.lit(None, pl.Float64).alias("content_weight_kg"),
            OWN_DAY,
            PROBLEMS,
            ORIGINAL,
        )
    )


def _batches(payload: Payload) -> tuple[str, ...]:
    listed = _listed(payload)
    if _scope(payload) == _LEVELS:
        check_columns(payload.name, _names(listed), ("time", "fillLevel", "containerSlot"), _LEVEL_FIELDS)
        return day_keys(payload, _readings(payload), _SOURCE_CODE)
    check_columns(payload.name, _names(listed), ("id",))
    return (_SOURCE_CODE,)


def _names(listed: list[Any]) -> list[str]:
    return list(dict.fromkeys(k for record in listed if isinstance(record, dict) for k in record))


def _scope(payload: Payload) -> str:
    answer = read_json(payload)
    found = [s for s in (_LEVELS, *_SCOPES) if isinstance(answer, dict) and s in answer]
    if not found:
        known = ", ".join((_LEVELS, *_SCOPES))
        raise PayloadError(payload.name, "is JSON, but no answer of Enevo with something to load", f"deliver one of {known}")
    return found[0]


def _listed(payload: Payload) -> list[Any]:
    scope = _scope(payload)
    answer = read_json(payload)
    listed = answer[scope]
    if not isinstance(listed, list) or not listed:
        raise PayloadError(payload.name, f"lists no {scope}", "fetch it again; no rows is never data")
    count = answer.get("count")
    if isinstance(count, int) and count > len(listed):
        raise PayloadError(payload.name, f"holds {len(listed):,} of {count:,} {scope}", "ask for all of them (limit=0)")
    return listed


def _recognises(head: Head) -> bool:
    return _SCOPE.search(head.text) is not None and all(f'"{name}"' in head.text for name in ("href", "version", "customer"))


SOURCE = FileSource(
    name="enevo",
    title="Containers and fill levels (Enevo)",
    patterns=("*enevo*containers.json", "*enevo*fill_levels*.json", "*enevo*fill_levels*.json.gz"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0363",
)
