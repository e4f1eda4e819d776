"""A part of the sample city's traffic in a lake in memory: the sites that carry planted truths, and some that do not."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from groningen_data.sample import traffic, traffic_feed, traffic_world
from groningen_data.sample.city import MAKERS
from groningen_data.sample.facts import City, neighbourhoods, sites
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake

LAST = date(2026, 3, 15)
TABLES = (
    "core.reference_neighbourhoods",
    "core.reference_calendar",
    "core.reference_weather_hours",
    "core.traffic_sites",
    "core.traffic_events",
    "core.traffic_counts",
)
MARTS = (
    "collective.intersection_approach",
    "collective.site_quality",
    "collective.site_profile",
    "collective.approach_hour",
    "collective.intersection_hour",
    "collective.congestion_ranking",
)
PLANTED = {
    *traffic_world.CONGESTED_SITES,
    *traffic_world.JAMMED_SITES,
    *traffic_world.WORKS_SITES,
    traffic_world.GROWING_SITE,
    *(d.rsplit("_", 1)[0] for d in (traffic.STUCK_DETECTOR, traffic.DRIFTING_DETECTOR, traffic_feed.DEAD_DETECTOR)),
}
PLANTED_ROADS = (traffic_world.CLOSED_ROAD, traffic_world.DOUBLED_ROAD)
HEALTHY = ("G181_Hoendiep", "Lopendediep", "SintPetersburgweg_ZW", "Emmasingel", "Aweg_ZW")


def before_last(days: int) -> date:
    return LAST - timedelta(days=days)


def traffic_lake(folder: Path, seed: int, ago: Iterable[int], months: Iterable[str]) -> MemoryLake:
    """Read the payloads of these days before the last, and make the marts of traffic quality and congestion."""
    settings = sample_settings(folder, sample_seed=seed)
    wanted = (*PLANTED_ROADS, *HEALTHY)
    some = tuple(site for site in sites() if site.id in PLANTED or any(name in site.id for name in wanted))
    days = tuple(sorted({LAST, *map(before_last, ago)}))
    city = City(seed, days, ZoneInfo(settings.timezone), neighbourhoods(), some)
    whole = replace(city, days=tuple(before_last(n) for n in reversed(range((LAST - days[0]).days + 1))))
    for kind, of in {"geography": city, "events": city, "weather": whole, "traffic": city}.items():
        for path, data in MAKERS[kind](of):
            file = settings.sample_dir / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    lake = MemoryLake(settings)
    lake.read(settings, *TABLES)
    for mart in MARTS:
        lake.make(mart, *(months if mart not in ("collective.intersection_approach", "collective.congestion_ranking") else ()))
    return lake
