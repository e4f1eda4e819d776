"""Charge points of the sample city as NDW publishes those of the whole country: OCPI locations. All made up, at rounded points.

Among them is what such a file really holds: charge points of other cities, ones that were removed, an older copy of a location, and
power that has to be computed.
"""

import numpy as np

from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City
from groningen_data.sample.wire import Payloads, json_bytes, packed

LOCATIONS = 240
BROKEN_EVERY = 20
"""At every so many-th location all charge points are out of order."""
REMOVED_EVERY = 60
"""At every so many-th location one more charge point has been removed."""
COPIED_EVERY = 80
"""Of every so many-th location there is an older copy as well."""
ELSEWHERE = 30
OPERATORS = (("SPL", "Stroomplein"), ("LST", "Laadstad"), ("VLN", "Volt Noord"))
FEWEST_INHABITANTS = 100
"""Charge points stand in neighbourhoods with at least so many inhabitants."""

_POWER_KW = (11, 22, 50)
_POWER_SHARES = (0.55, 0.4, 0.05)
_AMPERES = {11: 16, 22: 32}
_SPREAD_DEGREES = 0.002
_OTHER_CITY = (4.9, 52.37)
_BUSY = ("AVAILABLE", "CHARGING")
_BUSY_SHARES = (0.7, 0.3)
_OLDER = "2025-01-01T00:00:00Z"


def payloads(city: City) -> Payloads:
    """The national file, as far as this city is concerned."""
    yield "traffic/charging_point_locations_ocpi.json.gz", packed(json_bytes(locations(city), compact=True))


def locations(city: City) -> list[dict[str, object]]:
    """The OCPI locations: more of them where more people live."""
    homes = [n for n in city.neighbourhoods if (n.inhabitants or 0) >= FEWEST_INHABITANTS]
    inhabitants = np.array([n.inhabitants for n in homes], dtype=np.float64)
    chance = generator(city, "charge points")
    where = chance.choice(len(homes), LOCATIONS, p=inhabitants / inhabitants.sum())
    centres = np.concatenate([np.array([n.centre for n in homes])[where], np.tile(_OTHER_CITY, (ELSEWHERE, 1))])
    places = np.round(centres + _SPREAD_DEGREES * np.clip(chance.standard_normal(centres.shape), -1, 1), 4)
    found: list[dict[str, object]] = []
    for number, (longitude, latitude) in enumerate(places, start=1):
        evses = int(chance.choice([1, 2], p=[0.2, 0.8]))
        power = int(chance.choice(_POWER_KW, p=_POWER_SHARES))
        statuses = [str(s) for s in chance.choice(_BUSY, evses, p=_BUSY_SHARES)]
        if number % BROKEN_EVERY == 0:
            statuses = ["OUTOFORDER"] * evses
        if number % REMOVED_EVERY == 0:
            statuses.append("REMOVED")
        party, operator = OPERATORS[int(chance.integers(len(OPERATORS)))]
        updated = f"{city.days[-1]}T{int(chance.integers(24)):02}:{int(chance.integers(60)):02}:00Z"
        location = _location(number, (party, operator), (float(longitude), float(latitude)), statuses, power, updated)
        found.append(location)
        if number % COPIED_EVERY == 0:
            found.append(_location(number, (party, operator), (6.5, 53.2), ["UNKNOWN"], power, _OLDER))
    return found


def _location(
    number: int, operator: tuple[str, str], place: tuple[float, float], statuses: list[str], power: int, updated: str
) -> dict[str, object]:
    party, name = operator
    return {
        "country_code": "NL",
        "party_id": party,
        "id": f"L{number:04}",
        "publish": True,
        "address": f"Laadstraat {number}",
        "city": "Groningen" if number <= LOCATIONS else "Amsterdam",
        "country": "NLD",
        "coordinates": {"latitude": f"{place[1]:.6f}", "longitude": f"{place[0]:.6f}"},
        "parking_type": "ON_STREET",
        "evses": [
            {
                "uid": f"E{number:04}-{n}",
                "evse_id": f"NL*{party}*E{number:04}*{n}",
                "status": status,
                "connectors": [_connector(power, updated)],
                "last_updated": updated,
            }
            for n, status in enumerate(statuses, start=1)
        ],
        "operator": {"name": name},
        "time_zone": "Europe/Amsterdam",
        "last_updated": updated,
    }


def _connector(power: int, updated: str) -> dict[str, object]:
    """Fast chargers say their power; of the others it follows from voltage and current."""
    if power in _AMPERES:
        kind = {"standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE"}
        limits: dict[str, object] = {"max_voltage": 230, "max_amperage": _AMPERES[power]}
    else:
        kind = {"standard": "IEC_62196_T2_COMBO", "format": "CABLE", "power_type": "DC"}
        limits = {"max_voltage": 920, "max_amperage": 200, "max_electric_power": power * 1000}
    return {"id": "1", **kind, **limits, "last_updated": updated}
