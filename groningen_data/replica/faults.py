"""The faults a service may have, each with a switch; those that concern the transport are played here, the others by the services."""

import asyncio
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groningen_data.errors import SettingsError

KINDS = {
    "slow": "the answer comes drop by drop (`value`: seconds in all)",
    "too_many": "429 with Retry-After (`value`: seconds to wait)",
    "error": "status 500",
    "truncated": "the connection breaks off in the middle of the answer",
    "wrong_type": "a page of HTML with status 200",
    "drift": "a field is new in every JSON object, and `value` (old:new) is renamed; also in a packed file",
    "clock_skew": "the server's clock and the times it makes are wrong (`value`: seconds)",
    "duplicate_pages": "a page is served twice",
    "out_of_order": "records and pages come in another order",
    "expired_token": "a token is refused although it was valid",
}
"""Kinds of faults and what happens."""

_MAINTENANCE = b"<!DOCTYPE html><html><head><title>Onderhoud</title></head><body><h1>Even geduld</h1></body></html>"


@dataclass
class Fault:
    """One fault that is switched on.

    Args:
        kind: One of `KINDS`.
        where: Beginning of the paths that meet it, such as `www.daggegevens.knmi.nl`; empty for all.
        times: How many requests still meet it; None for all.
        value: See `KINDS`.
    """

    kind: str
    where: str = ""
    times: int | None = None
    value: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"fault {self.kind}", "there is no such fault", f"choose one of: {', '.join(KINDS)}")


class Faults:
    """The faults that are switched on, in the order in which they are met."""

    def __init__(self, *faults: Fault) -> None:
        self._on = list(faults)

    def switch_on(self, fault: Fault) -> None:
        """From now on."""
        self._on.append(fault)

    def clear(self) -> None:
        """Switch all off."""
        self._on.clear()

    def met(self, path: str, *kinds: str) -> Fault | None:
        """The first fault of these kinds at a path; uses up one of its times."""
        for fault in self._on:
            if fault.kind in kinds and path.lstrip("/").startswith(fault.where) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


def parsed(text: str) -> Fault:
    """A fault as it is written in the shell: `kind[@where][*times][=value]`.

    Raises:
        SettingsError: It is none.
    """
    head, _, value = text.partition("=")
    head, _, times = head.partition("*")
    kind, _, where = head.partition("@")
    if times and not times.isdigit():
        raise SettingsError(f"fault {text}", f"{times} is no number of times", "write it like error@opendata.cbs.nl*2")
    return Fault(kind, where, int(times) if times else None, value)


class FaultsMiddleware:
    """Plays the faults of the transport."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app, self._faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_replica"):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if fault := self._faults.met(path, "too_many"):
            await _answer(send, 429, b"Too many requests", [(b"retry-after", (fault.value or "1").encode())])
        elif self._faults.met(path, "error"):
            await _answer(send, 500, b"Internal Server Error")
        elif self._faults.met(path, "wrong_type"):
            await _answer(send, 200, _MAINTENANCE, [(b"content-type", b"text/html; charset=utf-8")])
        else:
            await self._app(scope, receive, self._spoilt(path, send))

    def _spoilt(self, path: str, send: Send) -> Send:
        """What sends the answer, with the faults that spoil it."""
        if fault := self._faults.met(path, "clock_skew"):
            send = _with_date(send, datetime.now(UTC) + timedelta(seconds=float(fault.value or 86_400)))
        if fault := self._faults.met(path, "drift"):
            send = _whole(send, _renaming(fault.value))
        if self._faults.met(path, "truncated"):
            send = _whole(send, None)
        if fault := self._faults.met(path, "slow"):
            send = _drop_by_drop(send, float(fault.value or 5))
        return send


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [length, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})


def _with_date(send: Send, moment: datetime) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"date", format_datetime(moment, usegmt=True).encode())]
        await send(message)

    return sending


def _whole(send: Send, change: Callable[[bytes], bytes] | None) -> Send:
    """Collects an answer, changes it and sends it; without a change it breaks off halfway."""
    start: Message = {}
    pieces: list[bytes] = []

    async def sending(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
            return
        pieces.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(pieces)
        sent = change(body) if change else body
        headers = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
        start["headers"] = [*headers, (b"content-length", str(len(sent)).encode())]
        await send(start)
        await send({"type": "http.response.body", "body": sent if change else sent[: len(sent) // 2], "more_body": False})

    return sending


def _drop_by_drop(send: Send, seconds: float) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        size = max(1, len(body) // 10)
        drops = [body[n : n + size] for n in range(0, len(body), size)] or [b""]
        for drop in drops[:-1]:
            await send({"type": "http.response.body", "body": drop, "more_body": True})
            await asyncio.sleep(seconds / len(drops))
        await send({"type": "http.response.body", "body": drops[-1], "more_body": more})

    return sending


def _renaming(names: str) -> Callable[[bytes], bytes]:
    old, _, new = names.partition(":")

    def changed(found: Any) -> Any:
        if isinstance(found, list):
            return [changed(f) for f in found]
        if isinstance(found, dict):
            return {new if key == old and new else key: changed(value) for key, value in found.items()} | {"nieuwVeld": 1}
        return found

    def change(body: bytes) -> bytes:
        if body.startswith(b"\x1f\x8b"):
            return gzip.compress(change(gzip.decompress(body)), mtime=0)
        try:
            return json.dumps(changed(json.loads(body)), ensure_ascii=False).encode()
        except ValueError:
            return body.replace(old.encode(), new.encode()) if old and new else body

    return change
