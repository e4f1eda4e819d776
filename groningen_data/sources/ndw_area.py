"""What is pulled of NDW's national publications: the sites of one area, cut out of the stream before it lands.

Every minute NDW publishes the whole country, of which an area needs a fiftieth (decision 0012). What lands is what was sent,
byte for byte, without the elements of the other sites. Which sites stand in the area, the site table says.
"""

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.fetching.client import Answer
from groningen_data.fetching.connector import Pull
from groningen_data.landing import Payload
from groningen_data.sources import datex
from groningen_data.sources.ndw_site_table import PUBLICATION, RECORDS, read_sites

SERVICE = "ndw"
FEEDS = {2: "trafficspeed.xml.gz", 3: "snelheden_en_intensiteiten_meetgegevens.xml.gz"}
TABLES = {2: "measurement_current.xml.gz", 3: "snelheden_en_intensiteiten_configuratie_meetlocaties.xml.gz"}
"""Files below the service's address, by version of DATEX II."""

_SITE, _REFERENCE, _TABLE, _TIME = range(4)
_ELEMENTS = {
    "siteMeasurements": _SITE,
    **dict.fromkeys(RECORDS, _SITE),
    "measurementSiteReference": _REFERENCE,
    "measurementSiteTableReference": _TABLE,
    "measurementSiteTable": _TABLE,
    "publicationTime": _TIME,
}


@dataclass(frozen=True)
class Excerpt:
    """What was cut out of a publication.

    Args:
        path: Where it is, packed.
        published_at: Time of the publication, as it says it.
        tables: The site tables that it holds or names: `<version>/<code>`.
        kept: Number of sites that it has of the area.
        left: Number of others.
    """

    path: Path
    published_at: str
    tables: tuple[str, ...]
    kept: int
    left: int


def excerpt(payload: Payload, publication: datex.Publication, sites: Iterable[str]) -> Excerpt:
    """Write what a publication says of some sites to a file beside it; the same publication gives the same bytes.

    Raises:
        PayloadError: It is not such a publication, or it is broken.
    """
    parser = datex.new_parser()
    elements, wanted = datex.ByLocalName(_ELEMENTS), frozenset(sites)
    # Bytes that are not written yet, and where in the payload they begin.
    pending, base = bytearray(), 0
    written = begin = kept = left = 0
    is_wanted = False
    tables: dict[str, None] = {}
    text: list[str] = []

    def write(upto: int) -> None:
        nonlocal written
        packed.write(pending[written - base : upto - base])
        written = upto

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal begin, is_wanted
        element = elements[name]
        if element is None:
            return
        if element == _SITE:
            begin, is_wanted = parser.CurrentByteIndex, attributes.get("id") in wanted
        elif element == _REFERENCE:
            is_wanted = attributes.get("id") in wanted
        elif element == _TABLE:
            key = datex.table_key(attributes.get("id"), attributes.get("version"))
            if key:
                tables[key] = None
        elif not text:
            parser.CharacterDataHandler = text.append

    def end(name: str) -> None:
        nonlocal written, kept, left
        element = elements[name]
        if element == _SITE:
            after = base + pending.index(b">", parser.CurrentByteIndex - base) + 1
            write(begin)
            if is_wanted:
                kept += 1
                write(after)
            else:
                left += 1
                written = after
        elif element == _TIME:
            parser.CharacterDataHandler = None

    target = _cut_of(payload)
    with target.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        for _ in datex.feed(parser, payload, publication, start, end, pending.extend):
            if written > base:
                del pending[: written - base]
                base = written
        write(base + len(pending))
    return Excerpt(target, "".join(text).strip(), tuple(tables), kept, left)


def _cut_of(payload: Payload) -> Path:
    return payload.path.with_suffix(".excerpt")


@contextmanager
def downloaded(visit: Pull, url: str) -> Iterator[tuple[Answer, Payload] | None]:
    """A file of the service, if it changed since its last delivery; it is removed at the end.

    Raises:
        SourceError: It cannot be had, or what is done with it shows that it is something else.
    """
    answer = visit.client.download(url, validators=visit.validators(url))
    if answer is None or answer.path is None:
        yield None
        return
    name = url.rsplit("/", 1)[-1]
    limit = visit.settings.payload_limit_mb * 1_000_000
    size = answer.path.stat().st_size
    payload = Payload(visit.client.source, "", name, size, datetime.now(UTC), path=answer.path, size_limit=limit)
    try:
        yield answer, payload
    except PayloadError as error:
        raise visit.problem(f"{answer.url} {error.problem}", "ask again later; report it if it stays") from error
    finally:
        answer.path.unlink(missing_ok=True)
        _cut_of(payload).unlink(missing_ok=True)


def sites_of_area(visit: Pull, payload: Payload) -> list[str]:
    """The sites of a site table that measure flow or speed in the area.

    Raises:
        SourceError: There are none.
    """
    west, south, east, north = visit.settings.traffic_area
    longitude, latitude = (pl.col(c).cast(pl.Float64, strict=False) for c in ("longitude", "latitude"))
    found = read_sites(payload).filter(longitude.is_between(west, east), latitude.is_between(south, north))
    if found.is_empty():
        raise visit.problem(
            f"the site table has no sites between {west}, {south} and {east}, {north} degrees",
            "set GRONINGEN_TRAFFIC_AREA to the area of the municipality",
        )
    return found["site_id"].sort().to_list()


def follow_settings(visit: Pull) -> None:
    """Forget what was noted for another area or version: what is there then counts as new."""
    now = [visit.settings.ndw_datex_version, *visit.settings.traffic_area]
    if visit.cursor.get("asked") != now:
        visit.cursor.clear()
        visit.cursor["asked"] = now


def deliver(visit: Pull, place: str, answer: Answer, made: Excerpt, asked: str) -> None:
    """Land an excerpt in place of the whole publication that was answered."""
    area = ", ".join(map(str, visit.settings.traffic_area))
    told = {**answer.headers, "excerpt": f"sites between {area} degrees: {made.kept} of {made.kept + made.left}"}
    visit.deliver(place, replace(answer, path=made.path, headers=told), asked=asked)


def pull_table(visit: Pull) -> None:
    """Land the site table's records of the area, once for each version of the table."""
    follow_settings(visit)
    version = visit.settings.ndw_datex_version
    url = visit.client.url(SERVICE, TABLES[version])
    with downloaded(visit, url) as found:
        if found is not None:
            answer, payload = found
            made = excerpt(payload, PUBLICATION, sites_of_area(visit, payload))
            table = "_".join(made.tables).replace("/", "_")
            deliver(visit, f"ndw_site_table_v{version}_{table}.xml.gz", answer, made, url)
