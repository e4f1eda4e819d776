"""Bytes as the sources send them, the same bytes every time. What the bytes say is none of this module's business."""

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

Payloads = Iterator[tuple[str, bytes]]
"""Path below the sample folder, and the payload's bytes."""


def json_bytes(value: Any, *, compact: bool = False) -> bytes:
    """JSON in UTF-8, on one line; `compact` leaves out the spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":") if compact else None).encode()


def packed(data: bytes) -> bytes:
    """`data` as gzip without time stamp or file name, which would differ at every run."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=5, fileobj=buffer, mtime=0) as out:
        out.write(data)
    return buffer.getvalue()
