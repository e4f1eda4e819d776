"""What may be kept of a report of a Signalen installation, and nothing else: applied before a byte of it is written anywhere.

Each field is named here and has a form that no sentence, name, e-mail address, telephone number or house number fits. Free text,
reporter, notes, attachments, address and history have none, so they cannot pass. Of what people answered to extra questions only
the ids of the containers that they pointed at are kept.
"""

import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from groningen_data.errors import PayloadError
from groningen_data.landing import Payload
from groningen_data.sources.parsing import BROKEN_ZIP

REQUIRED = ("id", "created_at", "updated_at", "status", "location", "category")
"""Fields without which an object is no report of a list of the private API."""
SIGNALS, REMOVED, PARENTS, DAY = "signals", "removed", "parents", "day"
SWAPPED = "coordinates_swapped"

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}(:?\d{2})?)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_STATE = re.compile(r"[a-z][a-z ]{0,29}")
_SLUG = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,79}")
_CONTAINER = re.compile(r"[A-Za-z]{0,8}[-_]?\d{3,8}")
_CONTAINERS_ASKED = "extra_container"
_LONGITUDES, _LATITUDES = (3.2, 7.3), (50.7, 53.7)
_MEMBERS = {
    "signals.csv": ("id", "created_at", "updated_at", "status_id", "location_id", "category_assignment_id"),
    "locations.csv": ("id", "lat", "lng"),
    "statusses.csv": ("id", "state", "created_at"),
    "categories.csv": ("id", "main", "sub"),
}
"""The files of the nightly zip that are read, with the columns that they must have; the others are never opened."""
_OTHER_NAMES = {"statuses.csv": "statusses.csv"}


def reduced(report: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of one report of a list of the private API; what does not have its form becomes null.

    A reduced report gives itself.
    """
    status, category, location = (_object(report.get(name)) for name in ("status", "category", "location"))
    return {
        "id": _whole(report.get("id")),
        "created_at": _fitting(_INSTANT, report.get("created_at")),
        "updated_at": _fitting(_INSTANT, report.get("updated_at")),
        "status": {
            "state": _fitting(_STATE, status.get("state")),
            "created_at": _fitting(_INSTANT, status.get("created_at")),
        },
        "category": {
            "main_slug": _fitting(_SLUG, category.get("main_slug")),
            "sub_slug": _fitting(_SLUG, category.get("sub_slug")),
        },
        "location": {"geometrie": _point(_object(location.get("geometrie")).get("coordinates"))},
        "parent": _whole(report.get("parent")),
        "has_children": report.get("has_children") is True,
        "containers": _containers(report),
    }


def packed(content: Mapping[str, Any]) -> bytes:
    """Reduced reports or ids as they land: the same content gives the same bytes."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def packed_map(features: Iterable[Mapping[str, Any]]) -> bytes:
    """What lands of the features of the public map; packed features give themselves.

    Raises:
        ValueError: Not one of them tells its category and when it was made.
    """
    kept = sorted((_reduced_feature(feature) for feature in features), key=json.dumps)
    told = {
        "the slug of their category": [f["properties"]["category"]["slug"] for f in kept],
        "the slug of their main category": [f["properties"]["category"]["parent"]["slug"] for f in kept],
        "when they were made": [f["properties"]["created_at"] for f in kept],
    }
    if kept and (missing := [name for name, values in told.items() if not any(values)]):
        raise ValueError(f"shows reports without {', '.join(missing)}")
    return packed({"type": "FeatureCollection", "features": kept})


def rewritten_map(payload: Payload) -> Iterator[bytes]:
    """What may land of a delivered file of the public map.

    Raises:
        PayloadError: It is none.
    """
    content = payload.json()
    features = content.get("features", ()) if isinstance(content, dict) else ()
    if features is None:
        features = []
    if not isinstance(features, list) or not all(isinstance(f, dict) for f in features):
        raise PayloadError(
            payload.name,
            "is JSON, but no map of reports",
            "deliver the answer of /v1/public/signals/geography, all pages together",
        )
    try:
        yield packed_map(features)
    except ValueError as error:
        raise PayloadError(
            payload.name, str(error), "compare with the documentation of Signalen, then adapt the parser"
        ) from None


def _reduced_feature(feature: Mapping[str, Any]) -> dict[str, Any]:
    properties = _object(feature.get("properties"))
    category = _object(properties.get("category"))
    point = _point(_object(feature.get("geometry")).get("coordinates"))
    return {
        "type": "Feature",
        "geometry": point and {"type": "Point", **point},
        "properties": {
            "category": {
                "slug": _fitting(_SLUG, category.get("slug")),
                "parent": {"slug": _fitting(_SLUG, _object(category.get("parent")).get("slug"))},
            },
            "created_at": _fitting(_INSTANT, properties.get("created_at")),
        },
    }


def rewritten(payload: Payload) -> Iterator[bytes]:
    """What may land of a delivered file: a page of the API, the nightly zip of the data warehouse, or what landed before.

    Raises:
        PayloadError: It is none of these.
    """
    with payload.open() as stream:
        start = stream.read(4)
    yield packed(_of_zip(payload) if start.startswith(b"PK") else _of_page(payload))


def _of_page(payload: Payload) -> dict[str, Any]:
    content = payload.json()
    if isinstance(content, dict):
        if isinstance(content.get(DAY), str) and REMOVED in content:
            return {DAY: _fitting(_DAY, content[DAY]), REMOVED: whole_numbers(content[REMOVED])}
        if PARENTS in content:
            return {PARENTS: whole_numbers(content[PARENTS])}
        reports = content.get(SIGNALS, content.get("results"))
        if isinstance(reports, list) and all(isinstance(r, dict) for r in reports):
            return {SIGNALS: ordered(reduced(r) for r in reports)} | ({SWAPPED: True} if content.get(SWAPPED) is True else {})
    raise PayloadError(
        payload.name, "is JSON, but no page of reports", "deliver pages of /v1/private/signals, or the nightly zip"
    )


def whole_numbers(values: Any) -> list[int]:
    """The whole numbers of a list, each once and in order; what else it holds is left out."""
    found = (_whole(value) for value in values) if isinstance(values, list) else ()
    return sorted({value for value in found if value is not None})


def ordered(reports: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Reduced reports in order of number."""
    return sorted(reports, key=lambda r: (r["id"] is None, r["id"] or 0))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _fitting(form: re.Pattern[str], value: Any) -> str | None:
    return value if isinstance(value, str) and form.fullmatch(value) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None


def _point(coordinates: Any) -> dict[str, Any] | None:
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return None
    x, y = coordinates[:2]
    if any(isinstance(c, bool) or not isinstance(c, int | float) for c in (x, y)):
        return None
    return {"coordinates": [x, y]}


def _containers(report: Mapping[str, Any]) -> list[str]:
    """Ids of the containers pointed at, each once and in the order in which they were."""
    kept = report.get("containers")
    chosen: list[Any] = list(kept) if isinstance(kept, list) else []
    answers = report.get("extra_properties")
    for asked in answers if isinstance(answers, list) else ():
        if isinstance(asked, dict) and asked.get("id") == _CONTAINERS_ASKED:
            answer = asked.get("answer")
            objects = answer if isinstance(answer, list) else [answer]
            chosen += [o.get("id") if isinstance(o, dict) else None for o in objects]
    fitting = (_fitting(_CONTAINER, container) for container in chosen)
    return list(dict.fromkeys(container for container in fitting if container is not None))


def _of_zip(payload: Payload) -> dict[str, Any]:
    """The reports of a zip of CSV files, each with its last status, place and category.

    The files name a place by `lat` and `lng`, and have them swapped (`lat` is the easting); whether they do is seen from all of
    them together. Categories stand there by name: their slugs are made from those, as the installation did when it made them.
    """
    with payload.open() as stream:
        data = io.BytesIO(stream.read())
    try:
        with zipfile.ZipFile(data) as archive:
            members = {_member(m.filename): m for m in archive.infolist() if not m.is_dir()}
            missing = [name for name in _MEMBERS if name not in members]
            if missing:
                raise PayloadError(payload.name, f"is a zip without {', '.join(missing)}", "deliver the whole nightly zip")
            if sum(members[name].file_size for name in _MEMBERS) > payload.size_limit:
                raise PayloadError(
                    payload.name,
                    f"unpacks to more than {payload.size_limit / 1e6:,.0f} MB",
                    "if it is genuine, raise GRONINGEN_PAYLOAD_LIMIT_MB",
                )
            places = dict(_rows(payload, archive, members["locations.csv"], lambda r: (_number(r["lat"]), _number(r["lng"]))))
            statuses = dict(_rows(payload, archive, members["statusses.csv"], lambda r: (r["state"], _with_t(r["created_at"]))))
            categories = dict(_rows(payload, archive, members["categories.csv"], lambda r: (_slug(r["main"]), _slug(r["sub"]))))
            is_swapped = _are_swapped(places.values())
            signals = list(_rows(payload, archive, members["signals.csv"], dict))
    except (*BROKEN_ZIP, csv.Error, TypeError) as error:
        raise PayloadError(
            payload.name, f"is no complete zip of CSV files ({type(error).__name__})", "ask for the file again; it was cut off"
        ) from None
    parents = {row.get("parent", "") for _, row in signals}
    reports = []
    for number, row in signals:
        first, second = places.get(row["location_id"], (None, None))
        state, since = statuses.get(row["status_id"], (None, None))
        main, sub = categories.get(row["category_assignment_id"], (None, None))
        reports.append(
            reduced(
                {
                    "id": _digits(number),
                    "created_at": _with_t(row["created_at"]),
                    "updated_at": _with_t(row["updated_at"]),
                    "status": {"state": state, "created_at": since},
                    "category": {"main_slug": main, "sub_slug": sub},
                    "location": {"geometrie": {"coordinates": [first, second] if is_swapped else [second, first]}},
                    "parent": _digits(row.get("parent", "")),
                    "has_children": number in parents,
                    "extra_properties": _answers(row.get("extra_properties", "")),
                }
            )
        )
    return {SIGNALS: ordered(reports)} | ({SWAPPED: True} if is_swapped else {})


def _member(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return _OTHER_NAMES.get(name, name)


def _rows(
    payload: Payload, archive: zipfile.ZipFile, member: zipfile.ZipInfo, take: Callable[[dict[str, str]], Any]
) -> Iterator[tuple[str, Any]]:
    """Of each row its id and what is taken of it."""
    with archive.open(member) as stream:
        rows = csv.DictReader(io.TextIOWrapper(stream, "utf-8-sig", newline=""))
        missing = [c for c in _MEMBERS[_member(member.filename)] if c not in (rows.fieldnames or ())]
        if missing:
            raise PayloadError(
                payload.name,
                f"has {_member(member.filename)} without column(s) {', '.join(missing)}",
                "the installation changed its export: compare with its documentation, then adapt the parser",
            )
        for row in rows:
            yield row["id"], take(row)


def _are_swapped(places: Iterable[tuple[float | None, float | None]]) -> bool:
    """Whether every `lat` is an easting and every `lng` a northing of the Netherlands."""
    points = [(lat, lng) for lat, lng in places if lat is not None and lng is not None]
    return bool(points) and all(
        _LONGITUDES[0] <= lat <= _LONGITUDES[1] and _LATITUDES[0] <= lng <= _LATITUDES[1] for lat, lng in points
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _digits(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _with_t(text: str) -> str:
    """A database's way to write an instant, in the form of ISO 8601."""
    return re.sub(r"([+-]\d{2})$", r"\1:00", text.strip().replace(" ", "T", 1))


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain)).strip("-_")


def _answers(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
