"""NDW's open data: the newest publication of the feed and the newest site table as packed files, in DATEX II version 2 and 3.

https://opendata.ndw.nu/…; each address gives what was published last: another body every minute, without paging, archive or key.
The sample city's traffic is published until the last minute of its last day; set the clock to an instant in it to see others.
"""

import gzip
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import cache, lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from groningen_data.replica.documents import document
from groningen_data.replica.world import Service, World
from groningen_data.sample import city
from groningen_data.sample.facts import City
from groningen_data.sample.traffic_feed import publication, site_table, table_at
from groningen_data.sources.ndw_area import FEEDS, TABLES

_OUT_OF_ORDER = timedelta(minutes=5)
_TYPE = "application/gzip"


def _routes(world: World) -> Sequence[BaseRoute]:
    served: dict[int, tuple[datetime, int]] = {}

    @cache
    def of() -> City:
        return city.city_of(world.settings)

    @lru_cache(maxsize=4)
    def published(version: int, at: datetime, skew_s: float) -> bytes:
        return gzip.compress(publication(of(), at, version, says=at + timedelta(seconds=skew_s)).encode(), 1, mtime=0)

    @lru_cache(maxsize=4)
    def listed(version: int, at: datetime) -> bytes:
        return gzip.compress(site_table(of(), at, version).encode(), 1, mtime=0)

    def feed(version: int):  # type: ignore[no-untyped-def]
        async def answer(request: Request) -> Response:
            at, repeats = _last_published(of(), world.now), 0
            if version in served and world.fault(request, "duplicate_pages"):
                # The server forgets that it gave it already: its marks differ, and its content does not.
                at, repeats = served[version][0], served[version][1] + 1
            if world.fault(request, "out_of_order"):
                at -= _OUT_OF_ORDER
            fault = world.fault(request, "clock_skew")
            skew_s = float(fault.value or 86_400) if fault else 0.0
            served[version] = at, repeats
            modified = at + timedelta(seconds=40 + skew_s + repeats)
            return document(request, published(version, at, skew_s), f"{at:%Y%m%dT%H%M}-{repeats}-{skew_s:.0f}", modified, _TYPE)

        return answer

    def table(version: int):  # type: ignore[no-untyped-def]
        async def answer(request: Request) -> Response:
            now = _last_published(of(), world.now)
            changed = datetime.combine(now.date(), time(), now.tzinfo)
            return document(request, listed(version, now), f"{table_at(of(), now)}-v{version}", changed, _TYPE)

        return answer

    files = [(f"/{name}", feed(version)) for version, name in FEEDS.items()]
    files += [(f"/{name}", table(version)) for version, name in TABLES.items()]
    return [Route(path, answer, methods=["GET", "HEAD"]) for path, answer in files]


def _last_published(of: City, now: datetime) -> datetime:
    """The minute of the last publication, at most the last minute of the city's last day."""
    end = datetime.combine(of.days[-1] + timedelta(days=1), time(), of.timezone).astimezone(now.tzinfo) - timedelta(minutes=1)
    return min(now.replace(second=0, microsecond=0), end)


SERVICE = Service(hosts=("opendata.ndw.nu",), routes=_routes)
