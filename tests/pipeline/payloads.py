"""Payloads of the sample city for chosen kinds and days only, where a whole city would take too long."""

from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

from groningen_data.sample.city import MAKERS
from groningen_data.sample.facts import City, neighbourhoods, sites
from groningen_data.settings import Settings


def write_payloads(settings: Settings, kinds: Iterable[str], days: Iterable[date]) -> None:
    """Write the payloads of some kinds (of `MAKERS`) and some days, where the sources of these settings look for them."""
    city = City(settings.sample_seed, tuple(sorted(set(days))), ZoneInfo(settings.timezone), neighbourhoods(), sites())
    for kind in kinds:
        for path, data in MAKERS[kind](city):
            file = settings.sample_dir / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
