"""What lands of a national publication: byte for byte, without the sites of elsewhere."""

import gzip
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from groningen_data.errors import PayloadError
from groningen_data.landing import Payload
from groningen_data.sample import traffic_feed
from groningen_data.sources import datex, ndw_area
from groningen_data.sources.ndw_area import excerpt
from groningen_data.sources.ndw_datex import _PUBLICATION as FEED
from groningen_data.sources.ndw_site_table import PUBLICATION as TABLE
from tests.unit.sample.cities import city_of

AT = datetime(2026, 3, 15, 7, 42, tzinfo=UTC)
IDS = [site.id for site in city_of(2).sites]
WANTED = IDS[3:6] + IDS[-1:]


@pytest.fixture
def national(tmp_path):
    """`national(bytes)`: a publication as it was downloaded."""

    def make(data: bytes) -> Payload:
        path = tmp_path / "downloaded"
        path.write_bytes(data)
        return Payload("ndw_datex", "", "downloaded", len(data), AT, path=path)

    return make


def unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


@pytest.fixture(params=[2, 3])
def version(request):
    return request.param


@pytest.fixture(params=["feed", "table"])
def whole(request, version) -> tuple[bytes, datex.Publication]:
    make = traffic_feed.publication if request.param == "feed" else traffic_feed.site_table
    return make(city_of(2), AT, version).encode(), FEED if request.param == "feed" else TABLE


@pytest.mark.parametrize("chunk", [1 << 18, 1_000, 61])
def test_it_is_what_was_sent_without_the_others(national, whole, monkeypatch, chunk):
    data, publication = whole
    monkeypatch.setattr(datex, "_CHUNK", chunk)
    made = excerpt(national(data), publication, WANTED)
    element = rb"(?:\w+:)?(?:siteMeasurements|measurementSiteRecord|measurementSite)"
    sites = [m.group() for m in re.finditer(rb"<(" + element + rb")[ >].*?</\1>", data)]
    assert len(sites) == len(IDS)
    without = data
    for site in sites:
        if not any(f'id="{wanted}"'.encode() in site for wanted in WANTED):
            without = without.replace(site, b"")
    assert unpacked(made.path) == without
    assert (made.kept, made.left, made.tables) == (len(WANTED), len(IDS) - len(WANTED), ("2001/NDW01_MT",))
    assert datetime.fromisoformat(made.published_at).date() == AT.date()


def test_of_all_sites_it_is_the_publication_itself(national, whole):
    data, publication = whole
    assert unpacked(excerpt(national(gzip.compress(data)), publication, IDS).path) == data


def test_of_no_site_it_is_still_well_formed(national, whole):
    data, publication = whole
    made = excerpt(national(data), publication, [])
    assert (made.kept, made.left) == (0, len(IDS))
    ElementTree.fromstring(unpacked(made.path))


def test_the_same_publication_gives_the_same_bytes(national, whole):
    data, publication = whole
    first = excerpt(national(data), publication, WANTED).path.read_bytes()
    assert excerpt(national(gzip.compress(data, 1)), publication, WANTED).path.read_bytes() == first


def test_several_tables_and_comments_between_records_stay(national):
    data = traffic_feed.site_table(city_of(2), AT).encode()
    other = b'</measurementSiteTable><!-- > --><measurementSiteTable id="B" version="1">'
    first = data.index(b"</measurementSiteRecord>") + len(b"</measurementSiteRecord>")
    made = excerpt(national(data[:first] + other + data[first:]), TABLE, IDS[1:2])
    assert made.tables == ("2001/NDW01_MT", "1/B")
    assert other in unpacked(made.path)
    ElementTree.fromstring(unpacked(made.path))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda data: data[: len(data) // 2], "was cut off"),
        (lambda data: data.replace(b"Publication", b"Situation"), "no payloadPublication|publishes"),
        (lambda data: b"<html/>", "outermost element is html"),
        (lambda data: b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + data[data.index(b"?>") + 2 :], "declares a document type"),
        (lambda data: gzip.compress(data)[:-20], "gzip stream is broken"),
    ],
)
def test_something_else_is_refused(national, whole, damage, told):
    data, publication = whole
    with pytest.raises(PayloadError, match=told):
        excerpt(national(damage(data)), publication, WANTED)


def test_the_addresses_are_those_of_both_versions():
    assert set(ndw_area.FEEDS) == set(ndw_area.TABLES) == {2, 3}
