"""How far places are apart, and how long the drive takes: along the road where a routing service is configured, else estimated."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from groningen_data.errors import SourceError
from groningen_data.fetching.client import Client
from groningen_data.settings import Settings

SERVICE = "osrm"
EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the earth (IUGG)."""
_COORDINATES_PER_REQUEST = 100
"""What an OSRM service allows by default (`--max-table-size`)."""

Origin = Literal["straight_line", "road_network"]
Point = tuple[float, float]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Matrix:
    """Distances and driving times between places.

    Args:
        distance_m: From row to column, in whole metres.
        duration_s: The same in whole seconds.
        origin: Whether they are estimated from straight lines or follow the road network.
        note: Why it is not the road network although a service is configured; empty when nothing is wrong.
    """

    distance_m: Whole
    duration_s: Whole
    origin: Origin
    note: str = ""

    def part(self, places: Sequence[int]) -> "Matrix":
        """The same for some of the places, in the order given."""
        chosen = np.ix_(places, places)
        return Matrix(self.distance_m[chosen], self.duration_s[chosen], self.origin, self.note)


def matrix_of(settings: Settings, points: Sequence[Point]) -> Matrix:
    """Distances between points: from the service `osrm` in the setting `addresses` when it has one, else estimated.

    A service that cannot be reached or gives no usable answer does not stop the planning: distances are then estimated, and the
    note says why.

    Args:
        settings: `addresses`, `routing_profile`, `routing_detour_factor`, `routing_speed_km_h`, and those of the client.
        points: Longitude and latitude, in degrees.
    """
    address = settings.address(SERVICE)
    if address is None:
        return estimated(points, settings.routing_detour_factor, settings.routing_speed_km_h)
    try:
        with Client(SERVICE, {SERVICE: address}, settings) as client:
            return along_roads(points, client, settings.routing_profile)
    except SourceError as error:
        instead = estimated(points, settings.routing_detour_factor, settings.routing_speed_km_h)
        # The path of a question holds up to a hundred places.
        told = re.sub(r"/table/v1/\S+", "/table/v1/…", str(error))
        return Matrix(instead.distance_m, instead.duration_s, instead.origin, f"distances are estimated: {told}")


def estimated(points: Sequence[Point], detour_factor: float, speed_km_h: float) -> Matrix:
    """Great-circle distances (haversine) times a detour factor, driven at one speed.

    The detour factor, or circuity, is the length of the road over that of the straight line: about 1.2 between random points of a
    city (Newell 1980), 1.4 as a national mean (Ballou, Rahardja and Sakai 2002, *Transportation Research A* 36).

    Args:
        points: Longitude and latitude, in degrees.
        detour_factor: Road metres per metre of straight line.
        speed_km_h: Mean driving speed.
    """
    longitude, latitude = np.radians(np.asarray(points, dtype=float).reshape(-1, 2)).T
    east, north = longitude[:, None] - longitude[None, :], latitude[:, None] - latitude[None, :]
    chord = np.sin(north / 2) ** 2 + np.cos(latitude)[:, None] * np.cos(latitude)[None, :] * np.sin(east / 2) ** 2
    metres = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(chord, 0, 1))) * detour_factor
    return Matrix(_whole(metres), _whole(metres / (speed_km_h / 3.6)), "straight_line")


def along_roads(points: Sequence[Point], client: Client, profile: str) -> Matrix:
    """Distances and driving times of an OSRM-compatible table service, asked in blocks.

    The form of question and answer is that of OSRM's HTTP API, table service (`docs/http.md` of osrm-backend).

    Args:
        points: Longitude and latitude, in degrees.
        client: Has the service's address under `osrm`.
        profile: The service's routing profile.

    Raises:
        SourceError: The service cannot be reached, refuses, or does not know a way between two points.
    """
    size, half = len(points), _COORDINATES_PER_REQUEST // 2
    distances, durations = np.zeros((size, size)), np.zeros((size, size))
    blocks = [range(first, min(first + half, size)) for first in range(0, size, half)]
    for rows in blocks:
        for columns in blocks:
            answer = _asked(client, profile, [points[i] for i in rows], [points[i] for i in columns])
            where = np.ix_(rows, columns)
            distances[where] = _numbers(client, answer, "distances", len(rows), len(columns))
            durations[where] = _numbers(client, answer, "durations", len(rows), len(columns))
    np.fill_diagonal(distances, 0)
    np.fill_diagonal(durations, 0)
    return Matrix(_whole(distances), _whole(durations), "road_network")


def _asked(client: Client, profile: str, sources: Sequence[Point], destinations: Sequence[Point]) -> Any:
    coordinates = ";".join(f"{longitude:.6f},{latitude:.6f}" for longitude, latitude in (*sources, *destinations))
    answer = client.get(
        client.url(SERVICE, f"table/v1/{profile}/{coordinates}"),
        params={
            "sources": ";".join(map(str, range(len(sources)))),
            "destinations": ";".join(str(len(sources) + n) for n in range(len(destinations))),
            "annotations": "duration,distance",
        },
        accept=("application/json",),
    )
    assert answer is not None
    return answer.json(client.source)


def _numbers(client: Client, answer: Any, name: str, rows: int, columns: int) -> npt.NDArray[np.float64]:
    code = answer.get("code") if isinstance(answer, dict) else None
    if code != "Ok":
        raise SourceError(client.source, f"answered {code} where Ok was expected", "look whether its map covers the municipality")
    try:
        table = np.array(answer[name], dtype=float)
    except (KeyError, TypeError, ValueError):
        table = np.empty(0)
    if table.shape != (rows, columns) or not np.isfinite(table).all() or (table < 0).any():
        raise SourceError(
            client.source,
            f"gives no {rows} by {columns} {name} without gaps",
            "look whether its map covers the municipality, and whether it serves distances (OSRM 5.20 or later)",
        )
    return table


def _whole(values: npt.NDArray[np.float64]) -> Whole:
    return np.rint(values).astype(np.int64)
