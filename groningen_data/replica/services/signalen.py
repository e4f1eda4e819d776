"""A Signalen installation, and the token service in front of its private API (Signalen/backend, commit 9986bd66).

Private: a bearer token of the token service, HAL pages of 100 in the order `-created_at` unless asked otherwise. Public: open
reports as GeoJSON pages in order of place, without a number and for 60 requests per hour. Its bug is kept: `incident_date_before` filters on or
after, `incident_date_after` on or before. Every report has what the real ones have and we must not keep: free text, a reporter, an
address, notes; all of it made up, and to be recognised by `PERSONAL`.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from groningen_data.replica.world import Service, World
from groningen_data.sample import city, geography, reports
from groningen_data.sample.waste_world import world_of

API, LOGIN = "signalen.groningen.example", "login.signalen.groningen.example"
PERSONAL = (
    "Testmelder",
    "testmelder",
    "@example.org",
    "0600000",
    "Proeflaan",
    "979797",
    "9797ZZ",
    "zwarte auto",
    "@gemeente.example",
)
"""What stands in the texts, reporters, notes and addresses of the reports, and must be found nowhere else."""
TOKEN_LASTS_S = 300
PUBLIC_REQUESTS_PER_HOUR = 60

_PAGE, _LARGEST_PAGE, _GEO_PAGE = 100, 1000, 4000
_STATES = {
    "m": "Gemeld",
    "i": "In afwachting van behandeling",
    "b": "In behandeling",
    "ingepland": "Ingepland",
    "o": "Afgehandeld",
    "s": "Gesplitst",
}
_OPEN_STATES = ("m", "i", "b", "ingepland")
_UNSEEN: reports.Category = ("Overlast van personen", "overlast-van-personen", "Verward gedrag", "verward-gedrag")
_LITTER: reports.Category = ("Afval", "afval", "Veeg en zwerfvuil", "veeg-en-zwerfvuil")
_DUMPING: reports.Category = ("Afval", "afval", "Dumping", "dumping")
_ZONE = ZoneInfo("Europe/Amsterdam")
_EVENING, _CHANGED_AT = clock_time(20), clock_time(10)


@dataclass(frozen=True)
class _Signal:
    """One report: what is known of it at every moment."""

    created_at: datetime
    point: tuple[float, float] | None
    categories: tuple[tuple[datetime, reports.Category], ...]
    closes_at: datetime | None = None
    closed_state: str = "o"
    parent: int | None = None
    number: int = 0
    key: str = ""
    container: str | None = None
    children: tuple[tuple[datetime, int], ...] = field(default=())

    def category(self, now: datetime) -> tuple[datetime, reports.Category]:
        """Since when it has which category."""
        return [c for c in self.categories if c[0] <= now][-1]

    def is_closed(self, now: datetime) -> bool:
        return self.closes_at is not None and self.closes_at <= now

    def updated_at(self, now: datetime) -> datetime:
        moments = [self.created_at, self.category(now)[0], *([self.closes_at] if self.closes_at else [])]
        return max(moment for moment in moments if moment <= now)


class _Installation:
    """Every report of the city, numbered in the order in which they were made, and a few that change as real ones do.

    One stands split since the last day but one, with two of the city's reports as its parts. Of those made on the last evening,
    after the last list of open reports, one gets another category on the day of the clock, one a category that we may not see,
    and one is split in two. One more was hidden from us long ago.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def signals(self) -> dict[int, _Signal]:
        town = city.city_of(self.world.settings)
        frame = world_of(town).frame
        codes = frame["container_code"].to_list()
        places = frame.select("longitude", "latitude").to_numpy()
        made = []
        for report in reports.everything(town, geography.outlines_of(town.neighbourhoods)):
            listed = report.listed
            category = tuple(str(listed[n]) for n in ("category", "category_slug", "subcategory", "subcategory_slug"))
            point = (float(str(listed["lng"])), float(str(listed["lat"]))) if listed["lng"] is not None else None
            near = int(np.abs(places - np.array(point)).sum(axis=1).argmin()) if point and category[3] == "container" else None
            made.append(
                _Signal(
                    report.created_at,
                    point,
                    ((report.created_at, (category[0], category[1], category[2], category[3])),),
                    report.closes_at,
                    key=str(listed["id"]),
                    container=None if near is None else str(codes[near]),
                )
            )
        last = town.days[-1]
        evening = datetime.combine(last, _EVENING, UTC)
        changed = datetime.combine(last + timedelta(days=1), _CHANGED_AT, UTC)
        split_at = datetime.combine(town.days[-2], clock_time(9), UTC)
        point = next(s.point for s in made if s.point)
        extra = {
            "moved": _Signal(evening, point, ((evening, _LITTER), (changed, _DUMPING))),
            "hidden": _Signal(evening + timedelta(minutes=1), point, ((evening, _LITTER), (changed, _UNSEEN))),
            "split": _Signal(evening + timedelta(minutes=2), point, ((evening, _LITTER),), changed, "s"),
            "part 1": _Signal(changed, point, ((changed, _LITTER),)),
            "part 2": _Signal(changed, point, ((changed, _DUMPING),)),
            "hidden long ago": _Signal(split_at, point, ((split_at, _LITTER), (split_at + timedelta(hours=1), _UNSEEN))),
            "split long ago": _Signal(split_at, point, ((split_at, _LITTER),), split_at + timedelta(hours=1), "s"),
        }
        made += [replace(signal, key=key) for key, signal in extra.items()]
        made.sort(key=lambda s: (s.created_at, s.key))
        numbered = {number: replace(signal, number=number) for number, signal in enumerate(made, 1)}
        numbers = {signal.key: number for number, signal in numbered.items()}
        parts = [n for n, s in numbered.items() if s.created_at > split_at + timedelta(hours=1) and s.key not in extra][:2]
        for parent, children in (("split long ago", parts), ("split", [numbers["part 1"], numbers["part 2"]])):
            for child in children:
                numbered[child] = replace(numbered[child], parent=numbers[parent])
            since = tuple((numbered[child].created_at, child) for child in children)
            numbered[numbers[parent]] = replace(numbered[numbers[parent]], children=since)
        return numbered

    def there(self) -> list[_Signal]:
        """Reports that were made by now."""
        now = self.world.now
        return [s for s in self.signals.values() if s.created_at <= now]

    def visible(self) -> list[_Signal]:
        """Those of a category that we may see."""
        return [s for s in self.there() if s.category(self.world.now)[1] != _UNSEEN]


def _routes(world: World) -> Sequence[BaseRoute]:
    installation, gate, guests = _Installation(world), _Gate(world), _Throttle()

    def private(answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            if (refused := gate.refusal(request)) is not None:
                return refused
            return answer(request)

        return guarded

    def listed(request: Request) -> Response:
        found = _filtered(installation.visible(), request, world.now)
        if isinstance(found, Response):
            return found
        return _hal(world, request, found, lambda s: _item(s, world.now, request))

    def removed(request: Request) -> Response:
        bounds = _bounds(request, "after", "before")
        if isinstance(bounds, Response):
            return bounds
        after, before = bounds
        gone = [s for s in installation.there() if s.category(world.now)[1] == _UNSEEN]
        found = [s for s in gone if _within(s.category(world.now)[0], after, before)]
        return _hal(world, request, found, lambda s: {"id": s.number})

    def promoted(request: Request) -> Response:
        bounds = _bounds(request, "after")
        if isinstance(bounds, Response):
            return bounds
        parents = [s for s in installation.visible() if s.children and s.children[0][0] <= world.now]
        return _hal(world, request, [s for s in parents if _within(s.children[0][0], bounds[0])], lambda s: {"id": s.number})

    async def geography_(request: Request) -> Response:
        if (refused := guests.refusal()) is not None:
            return refused
        return _features(world, request, installation.visible())

    return [
        Route("/realms/signalen/protocol/openid-connect/token", gate.token, methods=["POST"]),
        Route("/signals/v1/private/signals/category/removed/", private(removed)),
        Route("/signals/v1/private/signals/promoted/parent/", private(promoted)),
        Route("/signals/v1/private/signals/", private(listed)),
        Route("/signals/v1/public/signals/geography", geography_),
    ]


class _Gate:
    """Tokens by client credentials (RFC 6749), each valid for `TOKEN_LASTS_S`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, float] = {}

    async def token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        client = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
        if client != tuple(self._world.settings.secret(f"signalen_client_{part}") for part in ("id", "secret")):
            return JSONResponse(
                {"error": "invalid_client", "error_description": "Invalid client or Invalid client credentials"}, 401
            )
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        token = secrets.token_urlsafe(32)
        self._tokens[token] = time.monotonic() + TOKEN_LASTS_S
        answered = {"access_token": token, "expires_in": TOKEN_LASTS_S, "token_type": "Bearer", "scope": "email"}
        return JSONResponse(answered, headers={"Cache-Control": "no-store"})

    def refusal(self, request: Request) -> Response | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._world.fault(request, "expired_token"):
            self._tokens.pop(token, None)
        if self._tokens.get(token, 0.0) > time.monotonic():
            return None
        return JSONResponse({"detail": "Authentication credentials were not provided or expired."}, 401)


class _Throttle:
    """What anonymous guests may ask: `PUBLIC_REQUESTS_PER_HOUR`."""

    def __init__(self) -> None:
        self._asked: list[float] = []

    def refusal(self) -> Response | None:
        now = time.monotonic()
        self._asked = [at for at in self._asked if at > now - 3600]
        if len(self._asked) < PUBLIC_REQUESTS_PER_HOUR:
            self._asked.append(now)
            return None
        wait = int(self._asked[0] + 3600 - now) + 1
        return JSONResponse(
            {"detail": f"Request was throttled. Expected available in {wait} seconds."}, 429, {"Retry-After": str(wait)}
        )


def _basic(request: Request) -> tuple[str, str] | None:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    name, _, secret = base64.b64decode(text).decode().partition(":")
    return name, secret


def _filtered(signals: list[_Signal], request: Request, now: datetime) -> list[_Signal] | Response:
    asked = request.query_params
    bounds = _bounds(request, "created_after", "created_before", "updated_after", "updated_before")
    days = _bounds(request, "incident_date_after", "incident_date_before")
    if isinstance(bounds, Response):
        return bounds
    if isinstance(days, Response):
        return days
    found = [
        s
        for s in signals
        if _within(s.created_at, *bounds[:2])
        and _within(s.updated_at(now), *bounds[2:])
        # The filters mean each other, as they do at the source.
        and _within(s.created_at.replace(hour=0, minute=0, second=0, microsecond=0), days[1], days[0])
        and _is_of_kind(s, asked.get("kind"), now)
    ]
    for name, value in (
        ("status", lambda s: _state(s, now)[0]),
        ("maincategory_slug", lambda s: s.category(now)[1][1]),
        ("category_slug", lambda s: s.category(now)[1][3]),
        ("id", lambda s: str(s.number)),
    ):
        if chosen := set(asked.getlist(name)):
            found = [s for s in found if value(s) in chosen]
    ordering = asked.get("ordering", "-created_at")
    keys: dict[str, Callable[[_Signal], Any]] = {
        "id": lambda s: s.number,
        "created_at": lambda s: (s.created_at, s.number),
        "updated_at": lambda s: (s.updated_at(now), s.number),
    }
    return sorted(found, key=keys.get(ordering.lstrip("-"), keys["created_at"]), reverse=ordering.startswith("-"))


def _is_of_kind(signal: _Signal, kind: str | None, now: datetime) -> bool:
    is_parent = any(at <= now for at, _ in signal.children)
    kinds = {
        "signal": not is_parent and signal.parent is None,
        "parent_signal": is_parent,
        "child_signal": signal.parent is not None,
        "exclude_parent_signal": not is_parent,
    }
    return kind is None or kinds.get(kind, True)


def _bounds(request: Request, *names: str) -> list[datetime | None] | Response:
    found: list[datetime | None] = []
    for name in names:
        text = request.query_params.get(name)
        try:
            moment = datetime.fromisoformat(text) if text else None
        except ValueError:
            return JSONResponse({name: ["Voer een geldige datum/tijd in."]}, 400)
        found.append(moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment)
    return found


def _within(moment: datetime, after: datetime | None, before: datetime | None = None) -> bool:
    return (after is None or moment >= after) and (before is None or moment <= before)


def _hal(world: World, request: Request, found: list[_Signal], shown: Callable[[_Signal], dict[str, Any]]) -> Response:
    try:
        page, size = int(request.query_params.get("page", 1)), int(request.query_params.get("page_size", _PAGE))
    except ValueError:
        page, size = 0, _PAGE
    size = min(max(size, 1), _LARGEST_PAGE)
    pages = max(1, -(-len(found) // size))
    if not 1 <= page <= pages:
        return JSONResponse({"detail": "Ongeldige pagina."}, 404)
    shown_page = page
    if world.fault(request, "duplicate_pages"):
        shown_page = max(1, page - 1)
    if world.fault(request, "out_of_order"):
        found = found[::-1]
    return JSONResponse(
        {
            "_links": {
                "self": {"href": _page_url(request, page)},
                "next": {"href": _page_url(request, page + 1) if page < pages else None},
                "previous": {"href": _page_url(request, page - 1) if page > 1 else None},
            },
            "count": len(found),
            "results": [shown(s) for s in found[(shown_page - 1) * size : shown_page * size]],
        }
    )


def _page_url(request: Request, page: int) -> str:
    asked = [(k, v) for k, v in request.query_params.multi_items() if k != "page"] + ([("page", str(page))] if page > 1 else [])
    return str(request.url.replace(query=urlencode(asked)))


def _state(signal: _Signal, now: datetime) -> tuple[str, str, datetime]:
    if signal.is_closed(now) and signal.closes_at is not None:
        return signal.closed_state, _STATES[signal.closed_state], signal.closes_at
    state = _OPEN_STATES[signal.number % len(_OPEN_STATES)]
    return state, _STATES[state], signal.created_at


def _item(signal: _Signal, now: datetime, request: Request) -> dict[str, Any]:
    """A report as the list of the private API shows it."""
    n, (category_since, category) = signal.number, signal.category(now)
    state, shown, since = _state(signal, now)
    main, main_slug, sub, sub_slug = category
    base = str(request.url.replace(query="")).split("/v1/")[0] + "/v1/private/signals"
    children = [number for at, number in signal.children if at <= now]
    links: dict[str, Any] = {
        "curies": {"name": "sia", "href": f"{request.url.scheme}://{request.url.netloc}/signals/relations"},
        "self": {"href": f"{base}/{n}"},
        "archives": {"href": f"{base}/{n}/history"},
        "sia:attachments": {"href": f"{base}/{n}/attachments"},
    }
    if signal.parent is not None:
        links["sia:parent"] = {"href": f"{base}/{signal.parent}"}
    if children:
        links["sia:children"] = [{"href": f"{base}/{number}"} for number in children]
    return {
        "_links": links,
        "_display": f"{n} - {state} - {main} - Proeflaan 979797",
        "id": n,
        "id_display": f"SIG-{n}",
        "signal_id": str(UUID(hashlib.md5(signal.key.encode(), usedforsecurity=False).hexdigest())),
        "source": "online",
        "text": f"Testmelder {n} van Proeflaan 979797 zag een zwarte auto; bel 0600000{n:03d} of mail testmelder{n}@example.org",
        "text_extra": "Ook de zwarte auto van Testmelder stond er",
        "status": {
            "text": "Testmelder is teruggebeld",
            "user": "behandelaar@gemeente.example",
            "state": state,
            "state_display": shown,
            "extra_properties": None,
            "created_at": _local(since),
        },
        "location": _location(signal),
        "category": {
            "category_url": f"/signals/v1/public/terms/categories/{main_slug}/sub_categories/{sub_slug}",
            "sub": sub,
            "sub_slug": sub_slug,
            "main": main,
            "main_slug": main_slug,
            "departments": "STW, ASC",
            "created_by": None if category_since == signal.created_at else "behandelaar@gemeente.example",
            "text": "Testmelder bedoelde iets anders",
            "deadline": _local(signal.created_at + timedelta(days=3)),
            "deadline_factor_3": _local(signal.created_at + timedelta(days=9)),
        },
        "reporter": {
            "email": f"testmelder{n}@example.org",
            "phone": f"0600000{n:03d}",
            "sharing_allowed": True,
            "allows_contact": True,
        },
        "priority": {"priority": "normal", "created_by": None},
        "type": {"code": "SIG", "created_by": None},
        "created_at": _local(signal.created_at),
        "updated_at": _local(signal.updated_at(now)),
        "incident_date_start": _local(signal.created_at),
        "incident_date_end": None,
        "operational_date": None,
        "has_attachments": False,
        "extra_properties": _answers(signal),
        "notes": [{"text": "Testmelder woont op Proeflaan 979797", "created_by": "behandelaar@gemeente.example"}],
        "directing_departments": [],
        "routing_departments": None,
        "attachments": [],
        "parent": signal.parent,
        "has_parent": signal.parent is not None,
        "has_children": bool(children),
        "assigned_user_email": "behandelaar@gemeente.example",
    }


def _location(signal: _Signal) -> dict[str, Any]:
    point = None if signal.point is None else {"type": "Point", "coordinates": list(signal.point)}
    return {
        "id": signal.number,
        "stadsdeel": None,
        "buurt_code": None,
        "area_type_code": None,
        "area_code": None,
        "area_name": None,
        "address": {
            "openbare_ruimte": "Proeflaan",
            "huisnummer": 979797,
            "huisletter": "B",
            "huisnummer_toevoeging": "",
            "postcode": "9797ZZ",
            "woonplaats": "Groningen",
        },
        "address_text": "Proeflaan 979797B 9797ZZ Groningen",
        "postcode": "9797ZZ",
        "geometrie": point,
        "extra_properties": None,
        "created_by": None,
        "bag_validated": True,
    }


def _answers(signal: _Signal) -> list[dict[str, Any]]:
    told = [{"id": "extra_auto", "label": "Wat zag u?", "category_url": "", "answer": "een zwarte auto van Testmelder"}]
    if signal.container is None:
        return told
    pointed = {
        "id": signal.container,
        "type": "Rest",
        "description": "Restafval container",
        "label": f"Restafval container - {signal.container}",
        "address": {"openbare_ruimte": "Proeflaan", "huisnummer": 979797},
    }
    return [*told, {"id": "extra_container", "label": "Kies de container", "category_url": "", "answer": [pointed]}]


def _local(moment: datetime) -> str:
    """As the installation writes instants: the local clock with its offset."""
    return moment.astimezone(_ZONE).isoformat()


def _features(world: World, request: Request, signals: list[_Signal]) -> Response:
    asked, now = request.query_params, world.now
    try:
        west, south, east, north = _box(asked.get("bbox"), asked.get("lon"), asked.get("lat"))
        page = int(asked.get("geopage", 1))
    except (ValueError, TypeError):
        return JSONResponse({"non_field_errors": ["Either bbox or lon/lat must be filled in"]}, 400)
    found = [
        s
        for s in signals
        if s.point and west <= s.point[0] <= east and south <= s.point[1] <= north and not s.is_closed(now)
        if not (slug := asked.get("maincategory_slug")) or s.category(now)[1][1] == slug
        if not (slug := asked.get("category_slug")) or s.category(now)[1][3] == slug
    ]
    found.sort(key=lambda s: s.point or ())
    pages = max(1, -(-len(found) // _GEO_PAGE))
    if not 1 <= page <= pages:
        return JSONResponse({"detail": "Ongeldige pagina."}, 404)
    neighbours = (("self", page), ("next", page + 1), ("prev", page - 1))
    links = [
        f'<{request.url.include_query_params(geopage=number)}>; rel="{relation}"'
        for relation, number in neighbours
        if 1 <= number <= pages
    ]
    headers = {"X-Total-Count": str(len(found)), "Link": ",".join(links)}
    if page > 1 and world.fault(request, "duplicate_pages"):
        page -= 1
    if world.fault(request, "out_of_order"):
        found = found[::-1]
    features = [_feature(s, now) for s in found[(page - 1) * _GEO_PAGE : page * _GEO_PAGE]]
    # An aggregate of no rows is null.
    return JSONResponse({"type": "FeatureCollection", "features": features or None}, headers=headers)


def _box(box: str | None, longitude: str | None, latitude: str | None) -> Iterable[float]:
    if box:
        corners = [float(part) for part in box.split(",")]
        if len(corners) != 4:
            raise ValueError(box)
        return corners
    reach = 0.0005
    x, y = float(str(longitude)), float(str(latitude))
    return x - reach, y - reach, x + reach, y + reach


def _feature(signal: _Signal, now: datetime) -> dict[str, Any]:
    main, main_slug, sub, sub_slug = signal.category(now)[1]
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": list(signal.point or ())},
        "properties": {
            "category": {"name": sub, "slug": sub_slug, "parent": {"name": main, "slug": main_slug}},
            "created_at": _local(signal.created_at),
        },
    }


SERVICE = Service(hosts=(API, LOGIN), routes=_routes)
