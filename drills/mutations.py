"""Ways in which a payload goes wrong, each a function from bytes and a source of chance to other bytes.

The same chance gives the same bytes. What a source or a network does to a payload comes first, what an attacker does after it.
"""

import gzip
import io
import json
import math
import re
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import polars as pl

from drills.samples import parquet

Mutation = Callable[[bytes, Random], bytes]

NUMBERS = (
    b"",
    b"-1",
    b"0",
    b"1e400",
    b"-1e308",
    b"NaN",
    b"inf",
    b"1,5",
    b"1.250,50",
    b"0x1F",
    b"99999999999999999999",
    b"9" * 5000,
    "٣".encode(),
)
DATES = (
    b"0000-00-00",
    b"9999-12-31",
    b"2026-02-30",
    b"1582-10-10",
    b"02/01/2026",
    b"2026-03-29 02:30:00",
    b"2026-10-25T02:30:00+02:00",
    b"+262143-12-31",
    b"-0001-01-01",
)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_DATE = re.compile(rb"\d{4}-\d\d-\d\d|20\d{6}")
_NAME = re.compile(rb"[A-Za-z_]{3,}")
_SEPARATORS = b";,\t|"


def cut(data: bytes, chance: Random) -> bytes:
    """The connection broke off."""
    return data[: chance.randrange(len(data) + 1)]


def beheaded(data: bytes, chance: Random) -> bytes:
    """The beginning is lost."""
    return data[chance.randrange(len(data) + 1) :]


def flipped(data: bytes, chance: Random) -> bytes:
    """Some bits are others."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 20)) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def noise(data: bytes, chance: Random) -> bytes:
    """Bytes that belong to nothing stand in the middle: also NULs."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice((b"\0", b"\0" * 1000, b"\xff\xfe", b"\r", b"\x1a", b'"', chance.randbytes(20))) + data[at:]


def without_line(data: bytes, chance: Random) -> bytes:
    """A line is missing, often the first."""
    lines = data.splitlines(keepends=True)
    if lines:
        del lines[chance.choice((0, chance.randrange(len(lines))))]
    return b"".join(lines)


def line_twice(data: bytes, chance: Random) -> bytes:
    """A line is there more than once, perhaps the header."""
    lines = data.splitlines(keepends=True)
    if lines:
        line = chance.choice(lines)
        lines[chance.randrange(len(lines) + 1) : 0] = [line] * chance.choice((1, 2, 50))
    return b"".join(lines)


def lines_shuffled(data: bytes, chance: Random) -> bytes:
    """Lines come in another order."""
    lines = data.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


def other_columns(data: bytes, chance: Random) -> bytes:
    """Two columns have changed places, in the header or in the rows or in both; or one is gone, or there twice."""
    lines = data.split(b"\n")
    separator = max(_SEPARATORS, key=lambda s: lines[0].count(bytes([s])))
    mark = bytes([separator])
    width = lines[0].count(mark) + 1
    if width < 2:
        return data
    one, other = chance.sample(range(width), 2)
    what, where = chance.choice(("swap", "drop", "twice")), chance.choice(("head", "rows", "both"))
    for n, line in enumerate(lines):
        cells = line.split(mark)
        if len(cells) != width or (where == "head" and n) or (where == "rows" and not n):
            continue
        if what == "swap":
            cells[one], cells[other] = cells[other], cells[one]
        elif what == "drop":
            del cells[one]
        else:
            cells.insert(other, cells[one])
        lines[n] = mark.join(cells)
    return b"\n".join(lines)


def other_separator(data: bytes, chance: Random) -> bytes:
    """The export was made with other settings."""
    old, new = chance.sample([bytes([s]) for s in _SEPARATORS], 2)
    return data.replace(old, new)


def renamed(data: bytes, chance: Random) -> bytes:
    """A name is another one everywhere."""
    names = sorted(set(_NAME.findall(data[:20_000])))
    if not names:
        return data
    name = chance.choice(names)
    return data.replace(name, chance.choice((name.upper(), name + b"_nieuw", b"x", "naïef".encode(), name[::-1], b"")))


def other_number(data: bytes, chance: Random) -> bytes:
    """A number is one that nobody measured."""
    return _replaced(_NUMBER, data, chance, NUMBERS)


def other_date(data: bytes, chance: Random) -> bytes:
    """A date is one that no calendar has, or a clock time that is skipped or comes twice."""
    return _replaced(_DATE, data, chance, DATES)


def _replaced(pattern: re.Pattern[bytes], data: bytes, chance: Random, values: tuple[bytes, ...]) -> bytes:
    found = list(pattern.finditer(data))
    for match in sorted(chance.sample(found, min(len(found), chance.choice((1, 1, 5, 50)))), key=lambda m: -m.start()):
        data = data[: match.start()] + chance.choice(values) + data[match.end() :]
    return data


def other_encoding(data: bytes, chance: Random) -> bytes:
    """The text is written in another encoding."""
    text = data.decode("utf-8", errors="replace")
    encoding = chance.choice(("utf-16", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-8-sig", "utf-7", "cp037"))
    return (text + chance.choice(("", "€ é\u2028"))).encode(encoding, errors="replace")


def long_line(data: bytes, chance: Random) -> bytes:
    """A line does not end."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice((b"x", b"1", b";", b'"', b"[", b"<a>", b" ")) * chance.choice((1_000, 300_000)) + data[at:]


def other_json(data: bytes, chance: Random) -> bytes:
    """A value in JSON is of another kind, nested, missing, or there twice."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return data
    for _ in range(chance.choice((1, 1, 3))):
        value = _changed(value, chance)
    return json.dumps(value, ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")


def _odd(chance: Random) -> Any:
    return chance.choice(
        (
            None,
            True,
            "",
            " ",
            "x" * 100_000,
            "\ud800",
            "a\0b",
            -1,
            10**30,
            1e308,
            math.nan,
            math.inf,
            [],
            {},
            [None],
            [[[[1]]]],
            {"": {"": ""}},
            "9999-12-31T23:59:59Z",
            "2026-10-25T02:30:00",
            "<script>",
            "' OR 1=1 --",
        )
    )


def _changed(value: Any, chance: Random) -> Any:
    """The value with one place in it changed, found by walking down."""
    if not isinstance(value, list | dict) or not value or chance.random() < 0.1:
        return _odd(chance)
    if isinstance(value, list):
        n = chance.randrange(len(value))
        match chance.randrange(8):
            case 0:
                return value[:n] + value[n + 1 :]
            case 1:
                return [*value, value[n]]
            case 2:
                return [*value[:n], _odd(chance), *value[n:]]
        return [*value[:n], _changed(value[n], chance), *value[n + 1 :]]
    key = chance.choice(list(value))
    match chance.randrange(8):
        case 0:
            return {k: v for k, v in value.items() if k != key}
        case 1:
            return {k if k != key else chance.choice((k.upper(), f" {k} ", "", f"{k}x")): v for k, v in value.items()}
        case 2:
            return value | {"new": _odd(chance)}
    return value | {key: _changed(value[key], chance)}


def nested(data: bytes, chance: Random) -> bytes:
    """JSON or XML that is deeper than any reader's stack."""
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"<a>", b"</a>")))
    depth = chance.choice((500, 900, 1_100, 100_000))
    bomb = opening * depth + b"1" + closing * depth
    return chance.choice((bomb, _NUMBER.sub(bomb, data, count=1)))


def bomb(data: bytes, chance: Random) -> bytes:
    """A little that unpacks to much: gzip, zip, Parquet or entities of XML."""
    match chance.randrange(5):
        case 0:
            return gzip.compress(b"\0" * 30_000_000, 1)
        case 1:
            return gzip.compress(data + data[-200:] * 100_000, 1)
        case 2:
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(zipfile.ZipInfo("uurgeg_280.txt"), b"\0" * 30_000_000)
            return buffer.getvalue()
        case 3 if data.startswith(b"PAR1"):
            return _many_rows(data)
    return _LAUGHS + data


def _many_rows(data: bytes) -> bytes:
    """A Parquet file of a few kB with millions of equal rows."""
    row = _frame(data).head(1)
    buffer = io.BytesIO()
    pl.concat([row] * 1).select(pl.all().repeat_by(3_000_000).explode()).write_parquet(buffer, row_group_size=3_000_000)
    return buffer.getvalue()


_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a0 "ha">%s<!ENTITY x SYSTEM "file:///etc/passwd">]><l>&a9;&x;</l>'
    % b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
)


def other_zip(data: bytes, chance: Random) -> bytes:
    """A file in a zip went wrong, or is missing, while the zip is whole."""
    if not data.startswith(b"PK\x03\x04"):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(sorted(members))
    within = chance.choice(
        (cut, flipped, without_line, line_twice, other_columns, renamed, other_number, other_date, other_encoding)
    )
    changed = within(members.pop(name), chance)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in (members if chance.random() < 0.1 else {**members, name: changed}).items():
            archive.writestr(zipfile.ZipInfo(member), content)
    return buffer.getvalue()


def packed(data: bytes, chance: Random) -> bytes:
    """Packed, twice, or packed and then damaged."""
    once = gzip.compress(data, 1, mtime=0)
    match chance.randrange(4):
        case 0:
            return once
        case 1:
            return gzip.compress(once, 1, mtime=0)
        case 2:
            return cut(once, chance)
    return flipped(once, chance)


def another_thing(data: bytes, chance: Random) -> bytes:
    """An answer that is no data at all."""
    return chance.choice(
        (
            b"",
            b"\n",
            b"{}",
            b"[]",
            b"null",
            b"0",
            b'"x"',
            b"[null]",
            b"<html><body>Even geduld</body></html>",
            b'{"error": {"code": 500, "message": "x"}}',
            b"<ows:ExceptionReport><ows:ExceptionText>no</ows:ExceptionText></ows:ExceptionReport>",
            b"PAR1",
            b"PK\x03\x04",
            b"\x1f\x8b",
            b"\xef\xbb\xbf",
            chance.randbytes(200),
        )
    )


def other_parquet(data: bytes, chance: Random) -> bytes:
    """A column of Parquet is of another kind, has another name, is null, or is gone."""
    if not data.startswith(b"PAR1"):
        return data
    frame = _frame(data)
    name = chance.choice(frame.columns)
    column = pl.col(name)
    match chance.randrange(7):
        case 0:
            return parquet(frame.drop(name))
        case 1:
            return parquet(frame.rename({name: f"{name} "}))
        case 2:
            return parquet(frame.with_columns(pl.lit(None).alias(name)))
        case 3:
            return parquet(frame.with_columns(pl.concat_list(column).alias(name)))
        case 4:
            return parquet(frame.with_columns(pl.lit(b"\xff\0").alias(name)))
        case 5:
            odd = chance.choice((math.nan, -1e308, "x", True, 2**62))
            return parquet(frame.with_columns(pl.lit(odd).alias(name)))
    return parquet(frame.head(0))


def _frame(data: bytes) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(data))


MUTATIONS: tuple[Mutation, ...] = (
    cut,
    beheaded,
    flipped,
    noise,
    without_line,
    line_twice,
    lines_shuffled,
    other_columns,
    other_separator,
    renamed,
    other_number,
    other_date,
    other_encoding,
    long_line,
    other_json,
    other_parquet,
    other_zip,
    nested,
    packed,
    another_thing,
    bomb,
)
# What builds on what is inside is tried more often.
_WEIGHTS = {other_json: 3, other_number: 3, other_date: 2, renamed: 2, other_columns: 2, flipped: 2, bomb: 0.3}


def mutated(data: bytes, chance: Random) -> tuple[str, bytes]:
    """The payload after one mutation, or two; and their names."""
    weights = [_WEIGHTS.get(m, 1) for m in MUTATIONS]
    chosen = chance.choices(MUTATIONS, weights, k=chance.choice((1, 1, 1, 2)))
    for mutation in chosen:
        # What holds a bomb stays as it is.
        if len(data) < 5_000_000:
            try:
                data = mutation(data, chance)
            except (pl.exceptions.PolarsError, OSError, zipfile.BadZipFile):
                # The first has made it something that is no Parquet or zip any more.
                continue
    return "+".join(m.__name__ for m in chosen), data
