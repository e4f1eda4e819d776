"""What parsers share: reference tables, marking rows that break a rule, local time, and clear refusals.

Nothing here knows a particular source; the gate knows the two extra columns named here and drops them.
"""

import codecs
import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import IO, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from groningen_data.errors import PayloadError
from groningen_data.landing import Payload
from groningen_data.settings import PROJECT

PROBLEMS = "_problems"
ORIGINAL = "_original"
SLICE_ROWS = 200_000
_ROW = "_marked_row"
_RULES = pl.List(pl.String)

# The clock of the Dutch sources: what a "local day" means in their batch keys.
DUTCH_TIME = "Europe/Amsterdam"

_CHUNK = 1 << 20
_LARGEST_ITEM = 16 << 20

# A year outside these is a typing error, not a date.
_YEARS = (1995, 2100)

# CBS and PDOK write these instead of a figure (toelichting Wijk- en Buurtkaart).
SENTINELS: Mapping[float, str] = {
    -99997.0: "withheld",
    -99995.0: "later_version",
    -99991.0: "no_longer_published",
    -99999999.0: "not_delivered",
}


def read_json(payload: Payload) -> Any:
    """A payload as JSON whose texts can be stored.

    Raises:
        PayloadError: It is not complete JSON, or a text in it holds half a character (a lone surrogate).
    """
    value = payload.json()
    if b"\\ud" in payload.read().lower():
        _check_storable(payload, value)
    return value


def _check_storable(payload: Payload, value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise PayloadError(
            payload.name, "holds text that is not Unicode (a lone surrogate)", "ask the source to mend its export"
        ) from error


def json_items(payload: Payload) -> Iterator[Any]:
    """The items of a payload that is one JSON list, one at a time, so that it may be larger than memory.

    Raises:
        PayloadError: It is no list, is not complete, or holds text that cannot be stored.
    """
    with payload.open() as stream:
        text = _JsonText(payload, stream)
        if text.next_character() != "[":
            raise _no_list(payload)
        text.skip()
        if text.next_character() != "]":
            yield text.value()
            while text.next_character() == ",":
                text.skip()
                yield text.value()
        if text.next_character() != "]":
            raise _no_list(payload)
        text.skip()
        if text.next_character():
            raise _no_list(payload)


class _JsonText:
    """JSON that is read piece by piece; what was read is forgotten."""

    def __init__(self, payload: Payload, stream: IO[bytes]) -> None:
        self._payload, self._stream = payload, stream
        self._decoder, self._json = codecs.getincrementaldecoder("utf-8-sig")(), json.JSONDecoder()
        self._text, self._at = "", 0

    def next_character(self) -> str:
        """The next character that is no space, which stays; nothing at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in " \t\r\n":
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def skip(self) -> None:
        """Leave that character behind."""
        self._at += 1

    def value(self) -> Any:
        """The value that comes next."""
        self.next_character()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                end = len(self._text)
            # A number may go on beyond what was read.
            if self._text[end : end + 1] in (",", "]", " ", "\t", "\r", "\n"):
                break
            if len(self._text) - self._at > _LARGEST_ITEM or not self._more():
                raise _no_list(self._payload)
        if "\\ud" in self._text[self._at : end].lower():
            _check_storable(self._payload, value)
        self._at = end
        return value

    def _more(self) -> bool:
        data = self._stream.read(_CHUNK)
        try:
            self._text, self._at = self._text[self._at :] + self._decoder.decode(data, final=not data), 0
        except UnicodeDecodeError as error:
            raise PayloadError(
                self._payload.name, "is not UTF-8 text", "ask the source for UTF-8, or convert the file"
            ) from error
        return bool(data)


def _no_list(payload: Payload) -> PayloadError:
    return PayloadError(
        payload.name, "is not one complete JSON list", "ask for the file again; it was cut off or is of another type"
    )


# What reading a damaged zip raises; some of it is a wrong place, size or method in its directory.
BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


def read_parquet(payload: Payload, name: str = "Parquet") -> pl.DataFrame:
    """A Parquet payload as a frame.

    Args:
        payload: Known to be small.
        name: How the format is called in refusals.

    Raises:
        PayloadError: It is not complete, or its rows need more room than a payload may unpack to: a few kB can hold millions.
    """
    data = payload.read()
    try:
        facts = pq.read_metadata(io.BytesIO(data))
        size = max(
            facts.num_rows * facts.num_columns, sum(facts.row_group(n).total_byte_size for n in range(facts.num_row_groups))
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _incomplete(payload, name) from error
    if size > payload.size_limit:
        raise PayloadError(
            payload.name,
            f"unpacks to more than {payload.size_limit / 1e6:,.0f} MB",
            "if it is genuine, raise GRONINGEN_PAYLOAD_LIMIT_MB",
        )
    try:
        return pl.read_parquet(io.BytesIO(data))
    # What polars calls a panic is no Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise _incomplete(payload, name) from error


def _incomplete(payload: Payload, name: str) -> PayloadError:
    return PayloadError(payload.name, f"is not complete {name}", "ask for the file again; it was cut off or damaged")


@cache
def reference_table(name: str) -> pl.DataFrame:
    """A table of `data/reference` with all columns as text; empty cells are null."""
    return pl.read_csv(PROJECT / "data" / "reference" / f"{name}.csv", infer_schema=False)


def marked(frame: pl.DataFrame, rules: Mapping[str, pl.Expr], original: Iterable[str] | None = None) -> pl.DataFrame:
    """The frame plus the rules each row breaks already, and its source columns as JSON.

    Args:
        frame: Rows that still have their source columns.
        rules: Per rule id the condition under which a row breaks it; null counts as not broken.
        original: Source columns to keep verbatim, without what must not be read; None when the frame has them as JSON already.
    """
    conditions = [condition.fill_null(False).alias(rule) for rule, condition in rules.items()]
    is_broken = frame.with_columns(conditions).select(list(rules))
    # Lists cost more than all the conditions: they are made for the few rows that have some.
    found = is_broken.with_row_index(_ROW).filter(pl.any_horizontal(list(rules)))
    lists = found.select(
        _ROW, pl.concat_list(pl.when(rule).then(pl.lit(rule)) for rule in rules).list.drop_nulls().alias(PROBLEMS)
    )
    frame = frame.with_columns(pl.lit([], _RULES).alias(PROBLEMS))
    if lists.height:
        frame = (
            frame.drop(PROBLEMS)
            .with_row_index(_ROW)
            .join(lists, on=_ROW, how="left", maintain_order="left")
            .drop(_ROW)
            .with_columns(pl.col(PROBLEMS).fill_null(pl.lit([], _RULES)))
        )
    return frame if original is None else frame.with_columns(pl.struct(original).struct.json_encode().alias(ORIGINAL))


def unreadable(column: str, dtype: type[pl.DataType] = pl.Float64) -> pl.Expr:
    """Whether a text column holds something that is not readable as `dtype`; null and blank count as missing."""
    text = pl.col(column).str.strip_chars()
    return text.is_not_null() & (text != "") & text.cast(dtype, strict=False).is_null()


def not_a_coordinate(column: str) -> pl.Expr:
    """Whether a text column holds something that is no finite number; null and blank count as missing."""
    return unreadable(column) | ~number(column).is_finite()


def coordinate(column: str) -> pl.Expr:
    """A text column as a finite number; null where it is not one."""
    return pl.when(number(column).is_finite()).then(number(column))


def number(column: str) -> pl.Expr:
    """A text column as number; null where it is not one."""
    return pl.col(column).str.strip_chars().cast(pl.Float64, strict=False)


def local_parts(instant: str, zone: str = DUTCH_TIME) -> list[pl.Expr]:
    """Local date, hour and weekday (1 = Monday) of a UTC column."""
    local = pl.col(instant).dt.convert_time_zone(zone)
    return [
        local.dt.date().alias("local_date"),
        local.dt.hour().cast(pl.Int64).alias("local_hour"),
        local.dt.weekday().cast(pl.Int64).alias("weekday"),
    ]


def instant(column: str) -> pl.Expr:
    """ISO 8601 text with offset as UTC; null where it has no offset or is not an instant."""
    text = pl.col(column).str.strip_chars().str.replace(r"[zZ]$", "+00:00")
    read = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", time_zone="UTC", strict=False)
    return pl.when(read.dt.year().is_between(*_YEARS)).then(read)


def iso_day(column: str) -> pl.Expr:
    """Text `YYYY-MM-DD` as date; null where it is none."""
    read = pl.col(column).str.strip_chars().str.to_date("%Y-%m-%d", strict=False)
    return pl.when(read.dt.year().is_between(*_YEARS)).then(read)


def check_columns(name: str, found: Iterable[str], required: Iterable[str], known: Iterable[str] = ()) -> None:
    """Refuse a payload whose columns are not the promised ones.

    Raises:
        PayloadError: A required column is missing; the message also names columns that are new.
    """
    found, required = list(found), list(required)
    missing = [c for c in required if c not in found]
    if not missing:
        return
    new = [c for c in found if c not in {*required, *known}]
    problem = f"misses column(s) {', '.join(missing)}" + (f"; new are {', '.join(new[:8])}" if new else "")
    raise PayloadError(name, problem, "the source changed its format: compare with its documentation, then adapt the parser")


def day_of(key: str) -> date:
    """The local day with which a batch key starts."""
    return date.fromisoformat(key.split("/", 1)[0])


def year_in(text: str | None) -> int | None:
    """The last year (1995–2100) written in a text."""
    years = [int(y) for y in re.findall(r"(?<!\d)(\d{4})(?!\d)", text or "") if _YEARS[0] <= int(y) <= _YEARS[1]]
    return years[-1] if years else None


def in_slices(frame: pl.DataFrame, rows: int = SLICE_ROWS) -> Iterator[pl.DataFrame]:
    """The frame in slices of at most `rows`; nothing when it is empty."""
    yield from frame.iter_slices(rows) if frame.height else ()
