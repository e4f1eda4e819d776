"""The traffic measurement sites of NDW, in two forms: the site table itself (DATEX II XML), and a registry distilled from it.

The registry is JSON `{id: {c, n, side, lanes, m}}`: `c` is [longitude, latitude], `n` the name, `side` the direction, `m` the
measurement indexes per lane (not used: they hold for one version of a site only). How the table is read stands in
`ndw_site_table`. Earlier ids come from `data/reference/traffic_site_successions.csv`.
"""

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.fetching.connector import Connector
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources import datex, ndw_area
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.ndw_site_table import PATTERNS, PUBLICATION, read_sites, tables_in
from groningen_data.sources.parsing import (
    ORIGINAL,
    PROBLEMS,
    check_columns,
    coordinate,
    in_slices,
    marked,
    not_a_coordinate,
    read_json,
    reference_table,
    unreadable,
)

_REGISTRY = "snapshot"
_REQUIRED = ("c", "n", "lanes")
_KNOWN = ("side", "m")
_TEXTS = ("id", "n", "side", "lanes", "c", "longitude", "latitude", ORIGINAL)
_SITE = re.compile(r'^\s*\{\s*"[^"]+"\s*:\s*\{[^{}]*"c"\s*:\s*\[')


def parse_sites(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_sites` from the last landed registry and the last landed table, with a row more per earlier id.

    A site that stands in both is described by the one that came last.
    """
    used = [payloads[i] for i in sorted({_is_table(p): i for i, p in enumerate(payloads)}.values())]
    *before, sites = [_of_table(p) if _is_table(p) else _rows(_sites(p)) for p in used]
    sites = pl.concat([*(described.join(sites, on="site_id", how="anti") for described in before), sites])
    successions = reference_table("traffic_site_successions").select(_earlier="from_site_id", successor_site_id="to_site_id")
    earlier = (
        sites.join(successions, left_on="site_id", right_on="successor_site_id", how="inner", coalesce=False)
        .join(sites.select("site_id"), left_on="_earlier", right_on="site_id", how="anti")
        .with_columns(site_id="_earlier")
        .drop("_earlier")
    )
    sites = sites.with_columns(pl.lit(None, pl.String).alias("successor_site_id"))
    context.notes |= {
        "files": ", ".join(p.name for p in used),
        "sites_read": sites.height,
        "earlier_ids_added": earlier.height,
    }
    locator = Locator(context.published("core.reference_neighbourhoods"))
    yield from in_slices(locator.locate(pl.concat([sites, earlier.select(sites.columns)])))


def is_table_version(key: str) -> bool:
    """Whether a batch key is a version of the site table; the registry has none."""
    return key != _REGISTRY


def _batches(payload: Payload) -> tuple[str, ...]:
    if _is_table(payload):
        return tables_in(payload)
    _sites(payload)
    return (_REGISTRY,)


def _is_table(payload: Payload) -> bool:
    with payload.open() as stream:
        return stream.read(64).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<")


def _of_table(payload: Payload) -> pl.DataFrame:
    texts = ["site_id", "site_name", "direction", "lanes", "longitude", "latitude"]
    rules = {
        "lanes.type": unreadable("lanes", pl.Int64),
        "longitude.type": not_a_coordinate("longitude"),
        "latitude.type": not_a_coordinate("latitude"),
    }
    return marked(read_sites(payload), rules, texts).select(
        "site_id",
        "site_name",
        "direction",
        pl.col("lanes").cast(pl.Int64, strict=False),
        coordinate("longitude").alias("longitude"),
        coordinate("latitude").alias("latitude"),
        PROBLEMS,
        ORIGINAL,
    )


def _sites(payload: Payload) -> dict[str, Any]:
    sites = read_json(payload)
    if not isinstance(sites, dict):
        raise PayloadError(payload.name, "is JSON, but not an object of sites by id", "deliver the registry itself")
    if not sites:
        raise PayloadError(payload.name, "lists no sites", "ask for the registry again; no rows is never data")
    objects = [s for s in sites.values() if isinstance(s, dict)]
    check_columns(payload.name, dict.fromkeys(k for s in objects for k in s), _REQUIRED, _KNOWN)
    return sites


def _rows(sites: dict[str, Any]) -> pl.DataFrame:
    points = [_point(s) for s in sites.values()]
    frame = pl.DataFrame(
        {
            "id": list(sites),
            "n": [_field(s, "n") for s in sites.values()],
            "side": [_field(s, "side") for s in sites.values()],
            "lanes": [_field(s, "lanes") for s in sites.values()],
            "c": [_field(s, "c") for s in sites.values()],
            ORIGINAL: [json.dumps({i: s}, ensure_ascii=False) for i, s in sites.items()],
            "longitude": [x for x, _ in points],
            "latitude": [y for _, y in points],
            "_no_site": [not isinstance(s, dict) for s in sites.values()],
        },
        schema_overrides={**dict.fromkeys(_TEXTS, pl.String), "_no_site": pl.Boolean},
    )
    rules = {
        "row.type": pl.col("_no_site"),
        "lanes.type": unreadable("lanes", pl.Int64),
        "longitude.type": not_a_coordinate("longitude") | (pl.col("c").is_not_null() & pl.col("longitude").is_null()),
        "latitude.type": not_a_coordinate("latitude") | (pl.col("c").is_not_null() & pl.col("latitude").is_null()),
    }
    return marked(frame, rules).select(
        pl.col("id").str.strip_chars().alias("site_id"),
        pl.col("n").str.strip_chars().alias("site_name"),
        pl.col("side").alias("direction"),
        pl.col("lanes").cast(pl.Int64, strict=False).alias("lanes"),
        coordinate("longitude").alias("longitude"),
        coordinate("latitude").alias("latitude"),
        PROBLEMS,
        ORIGINAL,
    )


def _field(site: Any, name: str) -> str | None:
    value = site.get(name) if isinstance(site, dict) else None
    return value if value is None or isinstance(value, str) else str(value)


def _point(site: Any) -> tuple[str | None, str | None]:
    point = site.get("c") if isinstance(site, dict) else None
    if not isinstance(point, list) or len(point) != 2:
        return None, None
    return str(point[0]), str(point[1])


def _recognises(head: Head) -> bool:
    if datex.is_message(head.text):
        return PUBLICATION.kind in head.text
    return _SITE.match(head.text) is not None and '"lanes"' in head.text


SOURCE = FileSource(
    name="ndw_sites",
    title="Traffic measurement sites (NDW)",
    patterns=("*measurement[-_]locations*.json", "*measurement[-_]locations*.json.gz", *PATTERNS),
    recognises=_recognises,
    batches=_batches,
    connector=Connector((ndw_area.SERVICE,), ndw_area.pull_table),
)
