"""Whole documents as a file server gives them: unchanged ones are not sent again, and parts of them are when asked for."""

from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response


def document(request: Request, body: bytes, etag: str, modified: datetime, media_type: str) -> Response:
    """The answer to a request for a document: 200, 206 (one `Range`, with `If-Range`), 304 or 416.

    Args:
        request: Asks for it.
        body: All of it.
        etag: Changes with the body; without quotation marks.
        modified: When it last changed (UTC).
        media_type: What it is.
    """
    quoted = f'"{etag}"'
    headers = {
        "etag": quoted,
        "last-modified": format_datetime(modified.replace(microsecond=0), usegmt=True),
        "accept-ranges": "bytes",
    }
    if _is_known(request, quoted, modified):
        return Response(status_code=304, headers=headers)
    first = _first_byte(request, quoted, headers["last-modified"])
    if first is None:
        return Response(body, media_type=media_type, headers=headers)
    if first >= len(body):
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{len(body)}"})
    headers["content-range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
    return Response(body[first:], 206, media_type=media_type, headers=headers)


def _is_known(request: Request, etag: str, modified: datetime) -> bool:
    said = request.headers.get("if-none-match")
    if said is not None:
        # A known ETag is decisive: the time is not looked at.
        return said == "*" or etag in (tag.strip().removeprefix("W/") for tag in said.split(","))
    try:
        return modified.replace(microsecond=0) <= parsedate_to_datetime(request.headers["if-modified-since"])
    except (KeyError, ValueError, TypeError):
        return False


def _first_byte(request: Request, *validators: str) -> int | None:
    unit, _, asked = request.headers.get("range", "").partition("=")
    first, _, last = asked.partition("-")
    if unit != "bytes" or not first.isdigit() or last or request.headers.get("if-range", validators[0]) not in validators:
        return None
    return int(first)
