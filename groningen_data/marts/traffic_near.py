"""Which events, road works and closures concern which traffic measurement site."""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext

AT_THE_PLACE_M = 150
ON_THE_ROAD_M = 1_000
DEGREE_M = 111_200


def places_of_events(context: MartContext, kinds: tuple[str, ...], within_m: int = AT_THE_PLACE_M) -> ibis.Table:
    """Sites and what is at their place: within some metres, or on the road that a site is named after, within a kilometre.

    What has no end yet lasts for ever; what has no place concerns no site.

    Args:
        context: Names `core.traffic_events` and `core.traffic_sites` among its tables.
        kinds: Of `core.traffic_events`.
        within_m: Distance in metres.

    Returns:
        site_id, event_id, event_kind, starts_on, ends_on.
    """
    sites = context.table("core.traffic_sites").select("site_id", "site_name", "longitude", "latitude")
    events = context.table("core.traffic_events").filter(_.event_kind.isin(kinds))
    events = events.select("event_id", "event_kind", "starts_on", "ends_on", "road_name", east="longitude", north="latitude")
    pairs = sites.cross_join(events)
    apart = distance_m(pairs.longitude, pairs.latitude, pairs.east, pairs.north)
    road = _plain(pairs.road_name)
    is_on_road = (road.length() > 0) & _plain(pairs.site_name).startswith(road)
    near = pairs.filter((apart <= within_m) | (is_on_road & (apart <= ON_THE_ROAD_M)))
    return near.select("site_id", "event_id", "event_kind", "starts_on", ends_on=_.ends_on.fill_null(ibis.date("9999-12-31")))


def distance_m(
    longitude: ibis.expr.types.FloatingValue,
    latitude: ibis.expr.types.FloatingValue,
    other_longitude: ibis.expr.types.FloatingValue,
    other_latitude: ibis.expr.types.FloatingValue,
) -> ibis.expr.types.FloatingValue:
    """Metres between two places of one city, on a plane."""
    east = (longitude - other_longitude) * latitude.radians().cos() * DEGREE_M
    north = (latitude - other_latitude) * DEGREE_M
    return (east * east + north * north).sqrt()


def _plain(name: ibis.expr.types.StringValue) -> ibis.expr.types.StringValue:
    return name.fill_null("").lower().re_replace("[^a-z0-9]", "")
