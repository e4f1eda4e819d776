"""Which intersection each traffic measurement site is an approach of: by the name of the site, and by place where it does not tell.

The national registry names a site after the road, the crossing it comes after and the crossing it leads to
(`Zuiderpark na kr Oosterbrug ri kr Herebrug`). Traffic queues before a crossing, so a site belongs to the one it leads to.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import polars as pl
from ibis import _

from groningen_data.gate.recipe import AnalysisContext
from groningen_data.marts.traffic_near import DEGREE_M

SAME_INTERSECTION_M = 700
"""Sites that lead to a crossing of the same name are approaches of one crossing when they lie within this distance."""
SAME_ROAD_M = 2_000
"""Two sites of one road that face each other and lead to a crossing of the same name are approaches of it within this distance."""
SAME_PLACE_M = 150
"""Sites whose names tell no crossing stand at the same one when they lie within this distance."""

_TOWARDS = re.compile(r"^.*\b(?:ri|naar|richting|tussen)\.?\s+(?P<crossing>.+)$")
_ROAD = re.compile(r"^(?P<road>.+?)\s+(?:(?:na|vanaf|ri|tussen)\s|van\s.+\snaar\s)")
_REMARK = re.compile(r"\s+(?:thv|bij|en)\b.*$", re.IGNORECASE)
_KIND = re.compile(
    r"^(?:kr|kruising|afrit|afslag|oprit|aansl|aansluiting|viaduct|knp\s+pnt|knppnt|knooppunt)\.?\s+", re.IGNORECASE
)

SCHEMA = {
    "site_id": pl.String,
    "intersection_code": pl.String,
    "intersection_name": pl.String,
    "approach_name": pl.String,
    "grouped_by": pl.String,
    "approaches": pl.Int64,
    "longitude": pl.Float64,
    "latitude": pl.Float64,
    "neighbourhood_code": pl.String,
}


def compute(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """One row per registered site in the municipality."""
    sites = context.table("core.traffic_sites").filter(_.location_status == "inside")
    columns = ("site_id", "site_name", "direction", "longitude", "latitude", "neighbourhood_code", "successor_site_id")
    yield grouped(context.frame(sites.select(*columns).order_by("site_id")))


def grouped(sites: pl.DataFrame) -> pl.DataFrame:
    """Sites with their intersections.

    Two sites are approaches of one intersection when they lead to a crossing of the same name, or each leads to the road of the
    other, and lie within `SAME_INTERSECTION_M`; or within `SAME_ROAD_M` when they face each other on one road. Sites that follow
    each other on one road are never put together, because they count the same vehicles. Sites without a name that tells, but with a place, are put together within
    `SAME_PLACE_M` (complete linkage: all of them within that distance of each other).

    Args:
        sites: site_id, site_name, direction, longitude, latitude, neighbourhood_code, successor_site_id.

    Returns:
        The columns of the contract; the place of an intersection is the mean of the places of its approaches.
    """
    if sites.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    names = [(road_of(name), crossing_of(name)) for name in sites["site_name"]]
    groups = _groups(names, sites)
    rows = sites.with_columns(
        pl.Series("_group", groups),
        pl.Series("_road", [road for road, _ in names], pl.String),
        pl.Series("_crossing", [crossing for _, crossing in names], pl.String),
    ).with_columns(_is_present=pl.col("successor_site_id").is_null())
    named = rows.group_by("_group").agg(_label=pl.struct("site_id", "_road", "_crossing", "site_name").sort_by("site_id"))
    labels = {group: _label(members) for group, members in named.iter_rows()}
    codes = _codes(labels)
    found = rows.with_columns(
        intersection_code=pl.col("_group").replace_strict(codes, return_dtype=pl.String),
        intersection_name=pl.col("_group").replace_strict(labels, return_dtype=pl.String),
        approach_name=pl.coalesce("_road", "site_name", "site_id"),
        grouped_by=pl.when(pl.col("_crossing").is_not_null()).then(pl.lit("name")).otherwise(pl.lit("place")),
        approaches=pl.col("_is_present").sum().over("_group").cast(pl.Int64),
        longitude=pl.col("longitude").mean().over("_group"),
        latitude=pl.col("latitude").mean().over("_group"),
        neighbourhood_code=pl.col("neighbourhood_code").drop_nulls().first().over("_group", order_by="site_id"),
    )
    return found.select(SCHEMA.keys()).sort("site_id")


def crossing_of(site_name: str | None) -> str | None:
    """The crossing that a site leads to, as its registered name tells: `Hereweg na kr N7 ri kr Stationstraat` → `Stationstraat`."""
    match = _TOWARDS.match(_REMARK.sub("", site_name or ""))
    return (_KIND.sub("", match["crossing"].strip()) or None) if match else None


def road_of(site_name: str | None) -> str | None:
    """The road that a site lies on, as its registered name tells."""
    match = _ROAD.match(site_name or "")
    return match["road"] if match else None


def _plain(name: str | None) -> str:
    return re.sub(r"[^a-z0-9]", "", (name or "").lower())


def _groups(names: list[tuple[str | None, str | None]], sites: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The number of the group that each site belongs to."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    places = _metres(sites)
    headings = np.array([_heading(direction) for direction in sites["direction"]])
    roads, crossings = ([_plain(part) for part in parts] for parts in zip(*names, strict=True))
    joined = []
    for i, j in _leading_together(roads, crossings):
        between = places[j] - places[i]
        if roads[i] == roads[j]:
            is_one = np.hypot(*between) <= SAME_ROAD_M and headings[i] @ between > 0 and headings[j] @ -between > 0
        else:
            is_one = np.hypot(*between) <= SAME_INTERSECTION_M
        if is_one:
            joined.append((i, j))
    unnamed = [i for i, crossing in enumerate(crossings) if not crossing and np.isfinite(places[i]).all()]
    if len(unnamed) > 1:
        first: dict[int, int] = {}
        flat = fcluster(linkage(places[unnamed], "complete"), SAME_PLACE_M, "distance")
        joined += [(first.setdefault(int(cluster), site), site) for cluster, site in zip(flat, unnamed, strict=True)]
    positions = {site: i for i, site in enumerate(sites["site_id"])}
    joined += [(i, positions[later]) for i, later in enumerate(sites["successor_site_id"]) if later in positions]
    rows, columns = np.array(joined, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(names), len(names)))
    labels: npt.NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def _leading_together(roads: Sequence[str], crossings: Sequence[str]) -> set[tuple[int, int]]:
    """Pairs of sites that lead to a crossing of the same name, or each to the road of the other."""
    by_name: dict[object, list[int]] = defaultdict(list)
    for i, (road, crossing) in enumerate(zip(roads, crossings, strict=True)):
        if crossing:
            by_name[crossing].append(i)
            by_name[frozenset((road, crossing))].append(i)
    return {pair for members in by_name.values() for pair in combinations(members, 2)}


def _metres(sites: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Places in metres on a plane; NaN where unknown."""
    longitude, latitude = (sites[name].cast(pl.Float64).to_numpy() for name in ("longitude", "latitude"))
    middle = np.nanmean(latitude) if np.isfinite(latitude).any() else 0.0
    return np.column_stack([longitude * DEGREE_M * np.cos(np.radians(middle)), latitude * DEGREE_M])


def _heading(direction: str | None) -> tuple[float, float]:
    """East and north parts of a direction as the registry writes it (`northEastBound`); none where it is no compass point."""
    words = (direction or "").lower()
    return float(("east" in words) - ("west" in words)), float(("north" in words) - ("south" in words))


def _label(members: list[dict[str, str | None]]) -> str:
    """`Herebrug (Stationsweg, Zuiderpark)`: the crossing most approaches lead to, and their roads; without names the first site."""
    crossings = [member["_crossing"] for member in members if member["_crossing"]]
    if not crossings:
        first, *others = (str(member["site_name"] or member["site_id"]) for member in members)
        return f"{first} (+{len(others)})" if others else first
    roads = sorted({str(member["_road"] or member["site_id"]) for member in members})
    return f"{max(sorted(set(crossings)), key=crossings.count)} ({', '.join(roads)})"


def _codes(labels: dict[int, str]) -> dict[int, str]:
    """A readable code for each label; where two have the same name they are numbered, in the order of their groups."""
    found: dict[int, str] = {}
    taken: dict[str, int] = {}
    for group, label in sorted(labels.items(), key=lambda item: (item[1], item[0])):
        slug = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
        taken[slug] = taken.get(slug, 0) + 1
        found[group] = slug if taken[slug] == 1 else f"{slug}-{taken[slug]}"
    return found
