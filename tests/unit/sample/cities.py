"""Cities to make payloads of, without building the whole sample."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from groningen_data.sample.facts import City, neighbourhoods, sites

LAST_DAY = date(2026, 3, 15)


def city_of(days: int, last: date = LAST_DAY, seed: int = 14) -> City:
    """The sample city of so many days, the last of which is `last`."""
    covered = tuple(last - timedelta(days=ago) for ago in reversed(range(days)))
    return City(seed, covered, ZoneInfo("Europe/Amsterdam"), neighbourhoods(), sites())
