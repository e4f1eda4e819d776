"""A measuring system that offers its fill levels as docs/inbound-telemetry.md asks: in order of arrival, a page at a time, by cursor.

What it has are the files of the sample city, one after the other. A file without the agreed columns could not exist in this form
and is left out; the word that some sensors send in place of a number is an error code here, as in a field of whole numbers.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from secrets import compare_digest
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from groningen_data.errors import PayloadError
from groningen_data.landing import Payload
from groningen_data.replica.world import Service, World
from groningen_data.sources.telemetry import SOURCE, read_fields

_MOST = 10_000
_USUAL = 1_000
_ERROR_CODE = -999


def _routes(world: World) -> Sequence[BaseRoute]:
    zone, salts = ZoneInfo(world.settings.timezone), count(1)

    @cache
    def arrived() -> pl.DataFrame:
        """All readings in order of their arrival (`_arrived`), as texts and whole numbers; late ones come with the next day's file."""
        files = []
        for path in world.files(SOURCE):
            try:
                frame = read_fields(Payload("telemetry", "", path.name, path.stat().st_size, world.now, path=path))
            except PayloadError:
                continue
            day = datetime.fromisoformat(path.name.removeprefix("fill_levels_")[:10]).replace(tzinfo=zone)
            files.append(frame.with_columns(_arrived=pl.max_horizontal("measured_at", pl.lit(day).dt.convert_time_zone("UTC"))))
        rows = pl.concat([f.select("containercode", "measured_at", "vulgraad", "vullinggewicht", "_arrived") for f in files])
        # What is delivered again arrives at the end, however old it is.
        return rows.with_columns(
            pl.col("measured_at").dt.convert_time_zone(str(zone)),
            pl.when(pl.col("vulgraad").is_not_null()).then(
                pl.col("vulgraad").cast(pl.Int64, strict=False).fill_null(_ERROR_CODE)
            ),
            pl.col("vullinggewicht").cast(pl.Int64),
            pl.col("_arrived").cum_max(),
        )

    def readings(request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        is_known = compare_digest(token.encode(), world.settings.secret("telemetry_token").encode())
        if not is_known or world.fault(request, "expired_token"):
            return _problem(401, "Toegang geweigerd", "het token is onbekend of verlopen", {"WWW-Authenticate": "Bearer"})
        rows, asked = arrived(), request.query_params
        limit = asked.get("limiet", str(_USUAL))
        if not limit.isdigit() or not 1 <= int(limit) <= _MOST:
            return _problem(400, "Ongeldige vraag", f"limiet is een geheel getal van 1 tot en met {_MOST}")
        if ("na" in asked) == ("vanaf" in asked):
            return _problem(400, "Ongeldige vraag", "vraag met na of met vanaf")
        if "na" in asked:
            position, made_at = _read(asked["na"])
            if position is None or made_at is None or position > rows.height:
                return _problem(400, "Ongeldige vraag", "deze cursor is hier niet uitgegeven")
            if world.now - made_at > timedelta(days=31):
                return _problem(410, "Cursor verlopen", "begin opnieuw met vanaf")
        else:
            try:
                since = datetime.fromisoformat(asked["vanaf"])
            except ValueError:
                since = datetime.min
            if since.tzinfo is None:
                return _problem(400, "Ongeldige vraag", "vanaf is een tijdstip volgens ISO 8601, met tijdzone")
            position = rows.filter(pl.col("_arrived") < since).height
        there = rows.filter(pl.col("_arrived") <= world.now).height
        page = rows[position : min(position + int(limit), there)]
        following, salt = position + page.height, 0
        if world.fault(request, "duplicate_pages"):
            # A cursor for the same place need not be the same text.
            following, salt = position, next(salts)
        if world.fault(request, "out_of_order"):
            page = page.reverse()
        skew = world.fault(request, "clock_skew")
        skew_s = float(skew.value or 86_400) if skew else 0.0
        return JSONResponse(
            {
                "metingen": [_reading(row, skew_s) for row in page.drop("_arrived").iter_rows()],
                "volgende": _cursor(following, world.now, salt) if following < there or page.height == int(limit) else None,
            }
        )

    return [Route("/v1/vulgraadmetingen", readings)]


def _reading(row: tuple[Any, ...], skew_s: float) -> dict[str, Any]:
    code, at, fill, weight = row
    return {
        "containercode": code,
        "tijdstip": (at + timedelta(seconds=skew_s)).isoformat(),
        "vulgraad": fill,
        "vullingGewicht": weight,
    }


def _cursor(position: int, made_at: datetime, salt: int) -> str:
    text = json.dumps([position, made_at.isoformat(), salt])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[int | None, datetime | None]:
    try:
        position, made_at, _ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return int(position), datetime.fromisoformat(made_at)
    except (ValueError, TypeError, binascii.Error):
        return None, None


def _problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """An error as RFC 9457 has it."""
    return JSONResponse({"title": title, "status": status, "detail": detail}, status, headers, "application/problem+json")


SERVICE = Service(hosts=("telemetrie.groningen.example",), routes=_routes)
