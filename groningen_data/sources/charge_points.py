"""Public charge points of the whole country, as NDW publishes them: one gzip file with a JSON list of OCPI 2.2 locations.

A location holds charge points (`evses`), and these hold connectors, of which one can be used at a time. Only charge points that
lie in the municipality are kept. Power is that of the strongest connector: `max_electric_power` in W or, where an operator leaves
it out, voltage (line to neutral) times current times phases. What OCPI withdraws (`REMOVED`) or does not publish is left out.
Addresses, telephone numbers and tariffs are not read.
Rules: https://github.com/ocpi/ocpi/blob/release-2.2.1-bugfixes/mod_locations.asciidoc and https://docs.ndw.nu.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.fetching.connector import Connector, Pull
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import texts, with_point
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, in_slices, instant, json_items, marked, not_a_coordinate, number

FILE = "charging_point_locations_ocpi.json.gz"

_LOCATIONS_AT_A_TIME = 5_000
_REQUIRED = ("id", "evses", "coordinates")
_FIELDS = ("charge_point", "location", "operator", "sockets", "power_kw", "is_derived", "status", "updated", "copy", "x", "y")
_STATUSES = {
    "AVAILABLE": "in_service",
    "BLOCKED": "in_service",
    "CHARGING": "in_service",
    "RESERVED": "in_service",
    "OUTOFORDER": "fault",
    "INOPERATIVE": "out_of_service",
    "PLANNED": "planned",
    "UNKNOWN": "unknown",
}
_PHASES = {"AC_1_PHASE": 1, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2, "AC_3_PHASE": 3, "DC": 1}
# Some operators give the voltage between two lines (400 V) where OCPI asks for that of a line to neutral (230 V).
_LINE_TO_LINE_V = 300


def parse_charge_points(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_charge_points` from the last landed file.

    Raises:
        PayloadError: Not one charge point lies in the municipality.
    """
    payload, locator = payloads[-1], Locator(context.published("core.reference_neighbourhoods"))
    counts, newest = Counter[str](), dict[str, tuple[str, int]]()
    kept, locations = [], json_items(payload)
    while some := list(islice(locations, _LOCATIONS_AT_A_TIME)):
        rows = with_point(texts(list(_charge_points(some, counts, newest)), _FIELDS), "x", "y", {})
        placed = locator.locate(rows)
        counts["rows_elsewhere"] += placed.filter(pl.col("location_status") == "outside_municipality").height
        counts["rows_without_place"] += placed.filter(pl.col("location_status") == "no_location").height
        kept.append(placed.filter(pl.col("location_status") == "inside"))
    mine = pl.concat(kept) if kept else None
    if mine is None or mine.is_empty():
        raise PayloadError(payload.name, "has no charge point in the municipality", "look at the file; report it to NDW")
    # A location may be there twice, once as it was long ago.
    frame = mine.filter(pl.col("copy").is_in([str(copy) for _, copy in newest.values()])).sort("charge_point")
    context.notes |= {"file": payload.name, **counts, "rows_of_older_copies": mine.height - frame.height}
    status = pl.col("status").str.to_uppercase()
    rules = {"power_kw.type": not_a_coordinate("power_kw")}
    yield from in_slices(
        marked(frame, rules, _FIELDS).select(
            pl.col("charge_point").alias("charge_point_id"),
            pl.col("location").alias("location_id"),
            pl.col("operator").alias("operator_name"),
            number("sockets").alias("sockets"),
            _reason("sockets").alias("sockets_missing_reason"),
            number("power_kw").alias("power_kw"),
            _reason("power_kw").alias("power_missing_reason"),
            (pl.col("is_derived") == "true").alias("is_power_derived"),
            status.replace_strict(_STATUSES, default=pl.when(status.is_not_null()).then(pl.lit("other"))).alias("status_code"),
            pl.col("status").alias("status_name"),
            instant("updated").alias("updated_at"),
            "longitude",
            "latitude",
            "neighbourhood_code",
            "location_status",
            PROBLEMS,
            ORIGINAL,
        )
    )


def _charge_points(locations: list[Any], counts: Counter[str], newest: dict[str, tuple[str, int]]) -> Iterator[dict[str, Any]]:
    """A flat record per charge point; `counts` hears what was read and left out, `newest` which copy of a location that is."""
    for location in locations:
        location = _object(location)
        copy = counts["locations_read"] = counts["locations_read"] + 1
        if location.get("publish") is False:
            counts["locations_not_published"] += 1
            continue
        owner = f"{location.get('country_code')}*{location.get('party_id')}*"
        name = f"{owner}{location['id']}" if location.get("id") else None
        updated = location.get("last_updated")
        key = name or f"without id {copy}"
        newest[key] = max(newest.get(key, ("", 0)), (str(updated or ""), copy))
        for evse in map(_object, _list(location.get("evses"))):
            counts["rows_read"] += 1
            if evse.get("status") == "REMOVED":
                counts["rows_removed"] += 1
                continue
            connectors = [_object(connector) for connector in _list(evse.get("connectors"))]
            watts, is_derived = _watts(connectors)
            place = _object(evse.get("coordinates")) or _object(location.get("coordinates"))
            yield {
                "charge_point": f"{owner}{evse['uid']}" if evse.get("uid") else None,
                "location": name,
                "operator": _object(location.get("operator")).get("name"),
                "sockets": len(connectors) or None,
                "power_kw": watts / 1000 if isinstance(watts, float) else watts,
                "is_derived": is_derived,
                "status": evse.get("status"),
                "updated": _with_offset(evse.get("last_updated") or updated),
                "copy": copy,
                "x": place.get("longitude"),
                "y": place.get("latitude"),
            }


def _watts(connectors: list[dict[str, Any]]) -> tuple[float | str | None, bool | None]:
    """Power of the strongest connector and whether it was computed; what is no number as it came."""
    found: list[tuple[float, bool]] = []
    for connector in connectors:
        values = [connector.get(name) for name in ("max_electric_power", "max_voltage", "max_amperage")]
        try:
            stated, volts, amperes = (float(value) if value is not None else 0.0 for value in values)
        except (ValueError, TypeError, OverflowError):
            return f"no number: {values}", None
        phases: float = _PHASES.get(str(connector.get("power_type")), 1)
        if phases == 3 and volts > _LINE_TO_LINE_V:
            phases = math.sqrt(3)
        if stated or volts * amperes:
            found.append((stated, False) if stated else (volts * amperes * phases, True))
    return max(found) if found else (None, None)


def _with_offset(time: Any) -> Any:
    """Times of OCPI are UTC, also those that do not say so."""
    return f"{time}Z" if isinstance(time, str) and re.search(r":\d\d(\.\d+)?$", time) else time


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _reason(column: str) -> pl.Expr:
    return pl.when(pl.col(column).is_null()).then(pl.lit("not_delivered"))


def _batches(payload: Payload) -> tuple[str, ...]:
    count = 0
    for location in json_items(payload):
        if not count and (missing := [name for name in _REQUIRED if name not in _object(location)]):
            raise PayloadError(payload.name, f"has locations without {', '.join(missing)}", "compare with OCPI; adapt the parser")
        count += 1
    if not count:
        raise PayloadError(payload.name, "lists no locations", "ask for the file again; no rows is never data")
    return ("snapshot",)


def _recognises(head: Head) -> bool:
    text = head.text.lstrip()
    return text.startswith("[") and '"evses"' in text and '"party_id"' in text


def _pull(visit: Pull) -> None:
    """Ask for the file, which NDW makes anew every few minutes; it is not sent when nothing changed since the last visit."""
    url = visit.client.url("charge_points", FILE)
    answer = visit.client.download(url, validators=visit.validators(url))
    if answer is not None:
        visit.deliver(FILE, answer, asked=url)


SOURCE = FileSource(
    name="charge_points",
    title="Public charge points (NDW, OCPI)",
    patterns=("*charging_point_locations_ocpi*.json", "*charging_point_locations_ocpi*.json.gz"),
    recognises=_recognises,
    batches=_batches,
    connector=Connector(("charge_points",), _pull),
)
