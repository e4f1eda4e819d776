"""Press containers as Sidcon's portal answers: a list of Ext.Direct results, one of which (`GetStateView`) is the data.

Coordinates are texts, a fill level is of the moment the device was last heard (`CommunicationDateTime`), and the press may
report more than 100 %. House numbers and what the devices say of themselves are not read.
"""

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

_SOURCE_CODE = "sidcon"
_METHOD = "GetStateView"
_REQUIRED = ("ContainerId", "Lat", "Lon", "Filling", "Fraction", "CommunicationDateTime")
_FIELDS = (*_REQUIRED, "Street", "LimitNearFull")
_SILENT_AFTER = pl.duration(hours=12)


def parse_containers(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_containers` from the last landed answer; an alarm is raised at `LimitNearFull`."""
    payload = payloads[-1]
    frame = texts(_states(payload), _FIELDS)
    notes = context.notes
    notes |= {"file": payload.name, "rows_read": frame.height, "earlier_deliveries": len(payloads) - 1}
    notes |= _other_results(payload)
    notes["fractions_not_known"] = ", ".join(unknown_fractions(frame["Fraction"]))
    rules = {
        "row.type": pl.col("_no_object"),
        "longitude.type": not_a_coordinate("Lon"),
        "latitude.type": not_a_coordinate("Lat"),
        "alarm_pct.type": unreadable("LimitNearFull"),
    }
    rows = marked(with_point(frame, "Lon", "Lat", notes), rules, _FIELDS).select(
        pl.lit(_SOURCE_CODE).alias("source_code"),
        pl.col("ContainerId").alias("container_code"),
        pl.lit(False).alias("is_code_derived"),
        pl.lit(None, pl.String).alias("cluster_code"),
        pl.col("Street").alias("location_name"),
        *fraction("Fraction"),
        pl.lit(None, pl.Float64).alias("capacity_l"),
        "longitude",
        "latitude",
        pl.lit(True).alias("has_sensor"),
        number("LimitNearFull").alias("alarm_pct"),
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(rows))


def parse_fill_levels(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_fill_levels` for one day.

    A device that was last heard more than twelve hours before most others gave no reading: its row has the moment of the
    answer (the last contact of any device), no fill level, and the reason `silent`.
    """
    yield from fill_levels(payloads, batch_key, context, _readings)


def _readings(payload: Payload) -> pl.DataFrame:
    frame = texts(_states(payload), _FIELDS)
    heard = instant("CommunicationDateTime")
    usual = heard.median()
    is_silent = (heard < usual - _SILENT_AFTER).fill_null(False)
    is_ahead = (heard > usual + _SILENT_AFTER).fill_null(False)
    answered = heard.filter(~is_ahead).max()
    at = pl.when(is_silent | is_ahead).then(answered).otherwise(heard)
    filling = pl.when(~is_silent).then(number("Filling"))
    reason = pl.when(is_silent).then(pl.lit("silent")).when(pl.col("Filling").is_null()).then(pl.lit("no_reading"))
    rules = {
        "row.type": pl.col("_no_object"),
        "measured_at.type": heard.is_null(),
        "measured_at.after_response": is_ahead,
        "fill_pct.type": not_a_coordinate("Filling"),
    }
    return (
        marked(frame, rules, _FIELDS)
        .with_columns(measured_at=at)
        .with_columns(own_day("measured_at"))
        .select(
            pl.col("ContainerId").alias("container_code"),
            "measured_at",
            filling.alias("fill_pct"),
            reason.alias("fill_missing_reason"),
            pl.lit(None, pl.Float64).alias("content_weight_kg"),
            OWN_DAY,
            PROBLEMS,
            ORIGINAL,
        )
    )


def _batches(payload: Payload) -> tuple[str, ...]:
    return (_SOURCE_CODE, *day_keys(payload, _readings(payload), _SOURCE_CODE))


def _results(payload: Payload) -> list[dict[str, Any]]:
    answer = read_json(payload)
    results = [r for r in (answer if isinstance(answer, list) else [answer]) if isinstance(r, dict)]
    failed = next((r for r in results if r.get("type") == "exception"), None)
    if failed:
        said = str(failed.get("message") or "no reason given")[:200]
        raise PayloadError(payload.name, f"is an error message of the portal: {said}", "log in anew, and fetch it again")
    return results


def _states(payload: Payload) -> list[Any]:
    found = [r for r in _results(payload) if r.get("method") == _METHOD]
    if not found:
        raise PayloadError(payload.name, f"holds no result of {_METHOD}", "deliver the portal's answer for the state view")
    result = found[-1].get("result")
    states = result.get("data") if isinstance(result, dict) else None
    if not isinstance(result, dict) or result.get("success") is False or not isinstance(states, list):
        raise PayloadError(payload.name, f"says that {_METHOD} did not succeed", "fetch it again")
    if not states:
        raise PayloadError(payload.name, "lists no containers", "fetch it again; no rows is never data")
    total = result.get("totalRecords")
    if isinstance(total, int) and total > len(states):
        raise PayloadError(payload.name, f"holds {len(states):,} of {total:,} containers", "ask for all of them at once")
    check_columns(payload.name, dict.fromkeys(k for s in states if isinstance(s, dict) for k in s), _REQUIRED)
    return states


def _other_results(payload: Payload) -> dict[str, int]:
    """How many records each other result lists, such as containers without a device; they are not loaded."""
    counts = {}
    for other in _results(payload):
        listed = other["result"].get("data") if isinstance(other.get("result"), dict) else None
        if other.get("method") != _METHOD and isinstance(listed, list):
            counts[f"not_loaded_{other.get('method')}"] = len(listed)
    return counts


def _recognises(head: Head) -> bool:
    text = head.text
    return text.lstrip()[:1] in ("[", "{") and f'"{_METHOD}"' in text and '"Filling"' in text


SOURCE = FileSource(
    name="sidcon",
    title="Press containers (Sidcon)",
    patterns=("*sidcon*response*.json", "*sidcon*response*.json.gz"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0363",
)
