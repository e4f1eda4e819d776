"""Features of geographic services, all pages of a layer together: OGC API Features and WFS.

What comes out is the same for the same content, whatever the order, the moment or the size of the pages: a payload made of it is
only new when the layer changed. Nothing comes out of a layer that could not be read to its end.

Rules: OGC API Features Part 1 (https://docs.ogc.org/is/17-069r4/17-069r4.html) and Part 2 (Content-Crs), WFS 2.0
(https://docs.ogc.org/is/09-025r2/09-025r2.html) and, for what WFS 1.0.0 does not have, GeoServer
(https://docs.geoserver.org/stable/en/user/services/wfs/vendor.html).
"""

import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from groningen_data.fetching.client import Answer
from groningen_data.fetching.connector import Pull

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
"""Degrees, longitude first: the default of OGC API Features."""

Feature = Mapping[str, Any]

_PAGE = 1000
_JSON = ("application/geo+json", "application/json", "application/vnd.geo+json")
_XML = ("text/xml", "application/xml", "application/gml+xml", "application/vnd.ogc.se_xml")
_MOST_REPEATS = 3
_TIMES_READ = 3
_TOLD = 200
_SAID = re.compile(r"<(?:\w+:)?(?:ExceptionText|ServiceException)\b[^>]*>\s*(.*?)\s*</", re.DOTALL)


def ogc_features(visit: Pull, url: str, params: Mapping[str, str]) -> list[Feature] | None:
    """All features of a collection in degrees, or None when the service has no such collection (status 404).

    Args:
        visit: Whose client asks.
        url: Address of the collection's items.
        params: What to ask for besides the format and the size of the pages.

    Raises:
        SourceError: The service cannot be read to the end, or a page is not what it says.
    """
    client, found, ahead, repeats = visit.client, _Found(visit, url), [""], 0
    asked = {"f": "json", "limit": _PAGE, **params}
    for answer in client.pages(
        url, lambda _: ahead[0] or None, params=asked, accept=_JSON, recognise=lambda status, _: status == 404
    ):
        if answer.status == 404 and not found.pages:
            return None
        collection = _collection(visit, answer)
        crs = answer.headers.get("content-crs", f"<{CRS84}>").strip(" <>")
        if crs != CRS84:
            raise visit.problem(f"{answer.url} answers in {crs[:100]}", f"it should answer in {CRS84}; compare with its API page")
        said, features = collection.get("numberReturned"), collection["features"]
        if isinstance(said, int) and said != len(features):
            raise visit.problem(f"{answer.url} holds {len(features):,} features where it says {said:,}", "ask again later")
        repeats = 0 if found.take(features) else repeats + 1
        if repeats > _MOST_REPEATS:
            raise visit.problem(f"the pages of {answer.url} bring nothing new", "report it to the source; ask again later")
        ahead[0] = _next(collection)
        found.matched = collection.get("numberMatched")
    return found.whole()


def wfs_features(
    visit: Pull, url: str, layer: str, *, sort_by: str, version: str = "2.0.0", srs: str = "EPSG:4326", page: int = _PAGE
) -> list[Feature]:
    """All features of a layer of a WFS that answers GeoJSON.

    Args:
        visit: Whose client asks.
        url: Address of the WFS.
        layer: Name of the layer with its workspace; it may contain spaces.
        sort_by: Attributes to sort by, comma-separated: without an order pages are undefined, and a GeoServer refuses to page a
            layer that has no primary key.
        version: 2.0.0, 1.1.0 or 1.0.0; names of parameters differ.
        srs: Coordinate system to ask for.
        page: Features to ask for at a time; the server may give fewer.

    Raises:
        SourceError: The service answers an error, in whatever status, or the layer changed while it was read.
    """
    names, count = ("typeNames", "count") if version.startswith("2") else ("typeName", "maxFeatures")
    asked = {
        "service": "WFS",
        "version": version,
        "request": "GetFeature",
        names: layer,
        "outputFormat": "application/json",
        "srsName": srs,
        "sortBy": sort_by,
        count: page,
    }
    found, start = _Found(visit, layer), 0
    total: int | None = None
    while total is None or start < total:
        answer = visit.client.get(
            url,
            params={**asked, "startIndex": start},
            accept=(*_JSON, *_XML),
            recognise=lambda status, body: _is_report(status, body),
        )
        assert answer is not None
        if (text := answer.body.lstrip(b"\xef\xbb\xbf \t\r\n")).startswith(b"<"):
            told = exception_text(text.decode("utf-8", errors="replace")) or "XML that is no GeoJSON"
            raise visit.problem(f"the WFS answers an error about {layer}: {told}", "mend the request, or ask again later")
        collection = _collection(visit, answer)
        matched = next((n for k in ("numberMatched", "totalFeatures") if isinstance(n := collection.get(k), int)), None)
        if start and matched != total:
            raise visit.problem(f"{layer} changed while it was read", "nothing is lost: the next refresh asks again")
        total, features = matched, collection["features"]
        if not features:
            break
        if not found.take(features):
            raise visit.problem(f"the WFS gives the same features of {layer} twice", "report it to the source; ask again later")
        start += len(features)
    found.matched = total
    return found.whole()


def counted_features(visit: Pull, url: str, params: Mapping[str, str]) -> list[Feature]:
    """All features of a list that names its next page in the header `Link` and counts all of them in `X-Total-Count`.

    Such a list has no ids, and goes on changing while it is read: when the numbers do not agree, it is read again.

    Args:
        visit: Whose client asks.
        url: Address of the list.
        params: What to ask for.

    Raises:
        SourceError: The service cannot be read to the end, or its numbers never agree.
    """
    said = ""
    for _ in range(_TIMES_READ):
        found, totals = _Found(visit, url), set[str]()
        for answer in visit.client.pages(url, lambda answer: answer.links.get("next"), params=params, accept=_JSON):
            is_more = found.take(_collection(visit, answer)["features"])
            totals.add(said := answer.headers.get("x-total-count", ""))
            if not is_more:
                break
        found.matched = int(said) if said.isascii() and said.isdigit() else None
        if len(totals) == 1 and found.is_whole:
            return found.whole()
    raise visit.problem(
        f"{url.split('//')[-1]} counts {said} features and lists another number of them, {_TIMES_READ} times",
        "ask again at a quieter hour; report it if it stays",
    )


def exception_text(text: str) -> str | None:
    """What an OGC service says in an XML exception report, on one line and at most 200 characters; None when it is none."""
    said = _SAID.search(text)
    if said is None:
        return None
    plain = re.sub(r"<!\[CDATA\[|\]\]>", "", said.group(1))
    return "".join(c for c in " ".join(html.unescape(plain).split()) if c.isprintable())[:_TOLD]


def feature_collection(name: str, features: Iterable[Feature]) -> bytes:
    """One GeoJSON document of features in degrees; the same features give the same bytes."""
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    collection = {"type": "FeatureCollection", "name": name, "crs": crs, "features": list(features)}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()


class _Found:
    """The features of a layer that were read so far, each once.

    Features without an id of their own that are alike to the letter stand beside each other in a sorted layer: they are several
    when they are on one page or on both sides of its end, and the same ones when they come back on another page.
    """

    def __init__(self, visit: Pull, layer: str) -> None:
        self._visit, self._layer = visit, layer
        self._features: dict[object, tuple[str, Feature]] = {}
        self._last: tuple[str, int] = ("", 0)
        self.pages = 0
        self.matched: object = None

    def take(self, features: Sequence[Any]) -> bool:
        """Add a page; whether anything of it is new."""
        before = len(self._features)
        self.pages += 1
        alike: Counter[str] = Counter()
        for number, feature in enumerate(features):
            if not isinstance(feature, dict):
                raise self._visit.problem(f"{self._layer} has features that are no objects", "report it to the source")
            # A GeoServer makes up such ids anew for each answer when a layer has no primary key.
            is_made_up = ".fid-" in str(feature.get("id", ""))
            kept = {k: v for k, v in feature.items() if k != "id"} if is_made_up else feature
            text = json.dumps(kept, sort_keys=True, ensure_ascii=False)
            if number == 0 and text == self._last[0]:
                alike[text] = self._last[1]
            alike[text] += 1
            key = json.dumps(kept["id"]) if "id" in kept else (text, alike[text])
            if self._features.setdefault(key, (text, kept))[0] != text:
                raise self._visit.problem(
                    f"{self._layer} changed while it was read", "nothing is lost: the next refresh asks again"
                )
            self._last = text, alike[text]
        return len(self._features) > before

    @property
    def is_whole(self) -> bool:
        """Whether there are as many as the service says, where it does."""
        return not isinstance(self.matched, int) or self.matched == len(self._features)

    def whole(self) -> list[Feature]:
        """All of them, in an order that only their content decides."""
        if not self.is_whole:
            raise self._visit.problem(
                f"{self._layer} gave {len(self._features):,} different features of {self.matched:,}",
                "nothing is lost: the next refresh asks again",
            )
        return [feature for _, feature in sorted(self._features.values(), key=lambda pair: pair[0])]


def _collection(visit: Pull, answer: Answer) -> dict[str, Any]:
    collection = answer.json(visit.client.source)
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        raise visit.problem(
            f"{answer.url} answered no GeoJSON FeatureCollection", "compare the request with the service's API page"
        )
    features = collection.get("features")
    if features is not None and not isinstance(features, list):
        raise visit.problem(f"{answer.url} answered features that are no list", "report it to the source")
    return {**collection, "features": features or []}


def _next(collection: Mapping[str, Any]) -> str:
    links = collection.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") == "next" and "html" not in str(link.get("type", "")):
            return str(link.get("href") or "")
    return ""


def _is_report(status: int, body: bytes) -> bool:
    return status < 500 and b"ExceptionReport" in body[:4096]
