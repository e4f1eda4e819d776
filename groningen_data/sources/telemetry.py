"""Fill levels in the municipality's own form: `containercode, tijdstip, vulgraad, vullingGewicht` as CSV, JSON or Parquet.

`tijdstip` is ISO 8601 with offset (in Parquet it may be an instant), `vulgraad` a percentage, empty when the sensor gave none;
JSON is `{"vulgraadmetingen": […]}`. One file may hold any days. The same readings can be pulled, in order of their arrival
(docs/inbound-telemetry.md).
"""

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx
import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.fetching.client import Answer
from groningen_data.fetching.connector import Connector, Pull
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import column_names, completed, day_keys, delimited, fill_levels, own_day, texts, trimmed
from groningen_data.sources.parsing import (
    ORIGINAL,
    PROBLEMS,
    check_columns,
    coordinate,
    instant,
    marked,
    not_a_coordinate,
    read_json,
    read_parquet,
)

_SOURCE_CODE = "telemetry"
_LIST = "vulgraadmetingen"
_PAGE = "metingen"
_REQUIRED = ("containercode", "tijdstip", "vulgraad")
_FIELDS = (*_REQUIRED, "vullinggewicht")
_PARQUET = b"PAR1"
# Clocks of devices deviate; a reading from later than this after we asked is of no use.
_AHEAD = timedelta(hours=1)
# When a cursor has expired, so much is asked again before the time of the last page.
_AGAIN = timedelta(days=1)
_MOST_AT_A_TIME = 10_000
_MOST_REPEATS = 10
_EXPIRED = 410


def parse_fill_levels(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_fill_levels` for one day, from all landed files that have it."""
    yield from fill_levels(payloads, batch_key, context, _readings)


def _batches(payload: Payload) -> tuple[str, ...]:
    return day_keys(payload, _in_time(payload).select(own_day("_in_time")), _SOURCE_CODE)


def _in_time(payload: Payload) -> pl.DataFrame:
    """The fields of a payload, and `_in_time`: `measured_at` without what lies ahead of the answer that told it."""
    frame = read_fields(payload)
    is_ahead = _is_ahead(payload)
    if not frame.is_empty() and frame.select(is_ahead.all()).item():
        raise PayloadError(payload.name, "has only times that lie in the future", "have the clock of the source set right")
    return frame.with_columns(_in_time=pl.when(~is_ahead).then("measured_at"))


def _readings(payload: Payload) -> pl.DataFrame:
    frame = _in_time(payload)
    rules = {
        "row.type": pl.col("_no_object"),
        "measured_at.type": pl.col("measured_at").is_null(),
        "measured_at.after_response": _is_ahead(payload),
        "fill_pct.type": not_a_coordinate("vulgraad"),
        "content_weight_kg.type": not_a_coordinate("vullinggewicht"),
    }
    return marked(frame, rules, _FIELDS).select(
        pl.col("containercode").alias("container_code"),
        "measured_at",
        coordinate("vulgraad").alias("fill_pct"),
        pl.when(pl.col("vulgraad").is_null()).then(pl.lit("no_reading")).alias("fill_missing_reason"),
        coordinate("vullinggewicht").alias("content_weight_kg"),
        own_day("_in_time"),
        PROBLEMS,
        ORIGINAL,
    )


def _is_ahead(payload: Payload) -> pl.Expr:
    """Whether a reading is from after it was asked for: such rows belong to the day that their payload is mostly about."""
    if "asked_at" not in payload.headers:
        return pl.lit(False)
    return (pl.col("measured_at") > datetime.fromisoformat(payload.headers["asked_at"]) + _AHEAD).fill_null(False)


def read_fields(payload: Payload) -> pl.DataFrame:
    """The four fields as text, whichever form they came in, and `measured_at`."""
    start = payload.read()[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(_PARQUET):
        return _of_parquet(payload)
    if start[:1] in (b"{", b"["):
        frame = _of_json(payload)
    else:
        frame = delimited(payload, _REQUIRED, _FIELDS).with_columns(pl.lit(False).alias("_no_object"))
    return _with_instant(completed(frame, ("vullinggewicht",)))


def _with_instant(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame plus `measured_at`; a space instead of the T, and a time without seconds, are ISO 8601 to many systems."""
    time = pl.col("tijdstip").str.strip_chars().str.replace(" ", "T", literal=True)
    time = time.str.replace(r"(T\d{2}:\d{2})([zZ+-])", "${1}:00${2}")
    return frame.with_columns(_time=time).with_columns(measured_at=instant("_time")).drop("_time")


def _of_json(payload: Payload) -> pl.DataFrame:
    answer = read_json(payload)
    listed = answer.get(_LIST, answer.get(_PAGE)) if isinstance(answer, dict) else answer
    if not isinstance(listed, list):
        raise PayloadError(payload.name, f"is JSON, but holds no list of {_LIST}", f'deliver {{"{_LIST}": […]}}')
    if not listed:
        raise PayloadError(payload.name, f"lists no {_LIST}", "ask for the readings again; no rows is never data")
    records = [{str(k).strip().lower(): v for k, v in r.items()} if isinstance(r, dict) else r for r in listed]
    check_columns(payload.name, dict.fromkeys(k for r in records if isinstance(r, dict) for k in r), _REQUIRED, _FIELDS)
    return texts(records, _FIELDS)


def _of_parquet(payload: Payload) -> pl.DataFrame:
    frame = parquet(payload, _REQUIRED, _FIELDS)
    time = frame.schema["tijdstip"]
    if time == pl.String:
        frame = _with_instant(frame)
    elif isinstance(time, pl.Datetime) and time.time_zone:
        at = pl.col("tijdstip").cast(pl.Datetime("us", "UTC"), strict=False)
        frame = frame.with_columns(pl.when(at.dt.year().is_between(1995, 2100)).then(at).alias("measured_at"))
    else:
        problem = f"has times without a time zone (tijdstip is {time})"
        raise PayloadError(payload.name, problem, "deliver tijdstip as timestamp with time zone, or as text")
    frame = completed(frame, ("vullinggewicht",))
    # A missing whole number is often written as a not-a-number of a float column.
    numbers = [pl.col(c).fill_nan(None) for c in ("vulgraad", "vullinggewicht") if frame.schema[c].is_float()]
    texts_only = frame.with_columns(numbers).with_columns(pl.col(c).cast(pl.String) for c in _FIELDS)
    return texts_only.with_columns(trimmed(c) for c in _FIELDS).with_columns(pl.lit(False).alias("_no_object"))


def parquet(payload: Payload, required: Sequence[str], known: Sequence[str]) -> pl.DataFrame:
    """A Parquet payload with its column names in lower case; only the known columns.

    Raises:
        PayloadError: It is no complete Parquet, misses a column, or has no rows.
    """
    frame = read_parquet(payload)
    frame = frame.rename({c: c.strip().lower() for c in frame.columns})
    check_columns(payload.name, frame.columns, required, known)
    if frame.is_empty():
        raise PayloadError(payload.name, "has columns but no rows", "ask for the file again; no rows is never data")
    return frame.select(c for c in known if c in frame.columns)


def _recognises(head: Head) -> bool:
    if head.data.startswith(_PARQUET):
        # The names stand at the end of the file, which a small file's head shows.
        return all(name.encode() in head.data for name in _REQUIRED)
    if head.text.lstrip()[:1] in ("{", "["):
        return any(all(f'"{name}"' in head.text for name in (listed, *_REQUIRED)) for listed in (_LIST, _PAGE))
    return set(_REQUIRED) <= set(column_names(head.text))


class _Bearer(httpx.Auth):
    """The token as it stands in the settings; read again when it is refused, for it may have been renewed meanwhile."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token()}"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = f"Bearer {self._token()}"
            yield request


def _pull(visit: Pull) -> None:
    """Ask for what arrived since the last visit, page by page; each page is a payload.

    The cursor notes the place of the next page (`next`; without one, the first page is asked by time) and the time that the last
    page is about (`about`). The last page of a visit is asked again at the next: it has grown by then.
    """
    url, auth = visit.client.url("telemetry", _LIST), _Bearer(lambda: visit.settings.secret("telemetry_token"))
    asked: set[str] = set()
    contents: set[str] = set()
    repeats = 0
    while True:
        cursor, since = visit.cursor.get("next"), _since(visit)
        where = {"na": cursor} if cursor else {"vanaf": since}
        answer = visit.client.get(
            url,
            params={**where, "limiet": _MOST_AT_A_TIME},
            accept=("application/json",),
            auth=auth,
            recognise=lambda status, _: status == _EXPIRED,
        )
        if answer is not None and answer.status == _EXPIRED and cursor:
            del visit.cursor["next"]
            continue
        readings, following = _page(visit, answer)
        if following:
            visit.cursor["next"] = following
        content = hashlib.sha256(json.dumps(readings).encode()).hexdigest()
        if content in contents:
            repeats += 1
        elif readings:
            visit.cursor |= _about(visit, readings)
            # One form for both, so that their fields are compared with one another's.
            after = _number(cursor) if cursor else int(since[:10].replace("-", ""))
            visit.deliver(f"{_LIST}/na_{after}.json", cast(Answer, answer))
        if not following:
            return
        contents.add(content)
        asked.add(cursor or "")
        if following in asked or repeats > _MOST_REPEATS:
            raise visit.problem(
                f"the pages of {_LIST} lead back to one another", "report it to the source; the next refresh asks again"
            )


def _page(visit: Pull, answer: Answer | None) -> tuple[list[Any], str | None]:
    page = answer.json(visit.client.source) if answer is not None and answer.status != _EXPIRED else None
    readings, following = (page.get(_PAGE), page.get("volgende")) if isinstance(page, dict) else (None, None)
    if not isinstance(readings, list) or not (following is None or (isinstance(following, str) and following)):
        raise visit.problem(
            f"the answer is no page of {_PAGE} with `volgende`",
            "compare it with docs/inbound-telemetry.md; report it to the source",
        )
    if following and not readings:
        raise visit.problem(f"a page without {_PAGE} tells of a next one", "report it to the source; the next refresh asks again")
    return readings, following


def _since(visit: Pull) -> str:
    """From when to ask where there is no cursor: a day before the time of the last page, or the beginning of the first day."""
    if "about" in visit.cursor:
        since = datetime.fromisoformat(visit.cursor["about"]) - _AGAIN
    else:
        since = datetime.combine(visit.settings.first_local_day, time(), ZoneInfo(visit.settings.timezone))
    return since.isoformat(timespec="seconds")


def _about(visit: Pull, readings: Sequence[Any]) -> dict[str, str]:
    """The time that a page is about, by most of its clocks: what arrives after it arrives after that time."""
    times = texts(readings, ["tijdstip"]).pipe(_with_instant)["measured_at"]
    middle = times.filter(times <= visit.settings.now()).median()
    return {"about": middle.isoformat()} if isinstance(middle, datetime) else {}


def _number(cursor: str) -> int:
    """Names the page after a cursor: cursors are opaque, and may hold anything."""
    return int(hashlib.sha256(cursor.encode()).hexdigest()[:15], 16)


SOURCE = FileSource(
    name="telemetry",
    title="Fill levels of waste containers (the municipality's own form)",
    patterns=(
        "fill_levels*",
        "*vulgraad*",
        "*telemetry*fill_levels*",
        "*fill_levels*.csv",
        "*fill_levels*.csv.gz",
    ),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
    connector=Connector(("telemetry",), _pull),
    takes_files_too=True,
)
