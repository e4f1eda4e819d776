"""Extracts about persons, made fit to land: a CSV stream goes in, and one without identifiers or free text comes out.

Only the fields that an extract names go on, each in a form of its own, so nothing else can pass. A row that may not pass
stays as an empty row with its number and the reason: who reads the result sees what is missing, and can ask for it again.
"""

import codecs
import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.privacy.pseudonyms import Pseudonymiser
from groningen_data.privacy.service_numbers import holds_service_number, service_number

ROW, REASON = "_row", "_reason"
"""Columns of the result beside the fields: the number of a row that was left out (1 is the first below the header), and why."""
SERVICE_NUMBER, STRAY_NUMBER, FIELDS = "service_number", "stray_number", "fields"
"""Reasons: no valid citizen service number; one in another field; another number of fields than the header has."""
COLUMNS = "columns"
"""With this reason, the number says how many columns of the extract were left out."""
UNREADABLE, UNLISTED = "unreadable", "unlisted"
"""Stand for a value that has not the form of its field, and for a word that is not on the field's list."""

_CHUNK = 1 << 20
_LONGEST_LINE = 1 << 20
_SLICE_ROWS = 20_000

Form = Callable[[pl.Expr], pl.Expr]
"""From delivered texts (trimmed; null when blank) to what may land: never any text whatever."""


@dataclass(frozen=True)
class Field:
    """One field of an extract.

    Args:
        delivered: Its column in the extract, in lower case.
        landed: Its column in the result; None for what is only looked at.
        form: What of it may land. Identifiers have none: they land as pseudonyms.
        pseudonym_of: For identifiers: the kind of thing that they identify.
        is_service_number: Whether a row without a valid citizen service number in it is left out.
        is_optional: Whether the extract may lack the column.
    """

    delivered: str
    landed: str | None = None
    form: Form | None = None
    pseudonym_of: str | None = None
    is_service_number: bool = False
    is_optional: bool = False


def minimised(
    stream: IO[bytes], name: str, fields: Sequence[Field], pseudonymiser: Pseudonymiser, *, promised_rows: int | None = None
) -> Iterator[bytes]:
    """The extract in `stream` as CSV (`;`, UTF-8) with the landed columns, `_row` and `_reason`, in pieces.

    Args:
        stream: CSV in UTF-8 with a header; the separator is the one the header uses most.
        name: For messages.
        fields: What may pass.
        pseudonymiser: Replaces the identifiers.
        promised_rows: How many rows there must be below the header, blank lines left out; any number when None.

    Raises:
        PayloadError: It is not such an extract, was cut off, or has another number of rows than was promised. No message ever quotes the extract.
    """
    lines = _lines(stream, name)
    try:
        header_line = next(lines, "")
        separator = max(";,\t|", key=header_line.count)
        header = [cell.strip().lower() for cell in next(csv.reader([header_line], delimiter=separator, strict=True), [])]
        places = _places(name, header, fields)
        landed = [f.landed for f in fields if f.landed]
        yield f"{';'.join((*landed, ROW, REASON))}\n".encode()
        if len(header) > len(places):
            yield f"{';' * len(landed)}{len(header) - len(places)};{COLUMNS}\n".encode()
        rows, before, last, count = csv.reader(lines, delimiter=separator, strict=True), 0, header, 0
        while batch := list(islice(rows, _SLICE_ROWS)):
            yield _slice(batch, before, len(header), places, fields, pseudonymiser).encode()
            before, last, count = before + len(batch), batch[-1], count + sum(1 for row in batch if any(row))
    except csv.Error:
        raise PayloadError(
            name, "is not readable as CSV", "ask for the file again; it was cut off or is of another type"
        ) from None
    except UnicodeDecodeError:
        raise PayloadError(name, "is not UTF-8 text", "ask the source for UTF-8, or convert the file") from None
    if not before:
        raise PayloadError(name, "has a header but no rows", "ask for the file again; no rows is never data")
    if 0 < len(last) < len(header):
        raise PayloadError(name, "was cut off in its last line", "ask for the file again")
    if promised_rows is not None and count != promised_rows:
        problem = f"has {count:,} rows where its manifest promises {promised_rows:,}"
        raise PayloadError(name, problem, "ask for the file again, with its manifest")


def _lines(stream: IO[bytes], name: str) -> Iterator[str]:
    """Lines with their ends; a byte-order mark is dropped."""
    decode = codecs.getincrementaldecoder("utf-8-sig")().decode
    rest = ""
    while chunk := stream.read(_CHUNK):
        *whole, rest = (rest + decode(chunk)).split("\n")
        yield from (f"{line}\n" for line in whole)
        if len(rest) > _LONGEST_LINE:
            raise PayloadError(name, "has a line of more than 1 MB", "deliver the extract as CSV with a row per line")
    rest += decode(b"", final=True)
    if rest:
        yield rest


def _places(name: str, header: Sequence[str], fields: Sequence[Field]) -> dict[str, int]:
    """Position of each field in a row; a file without a header would show its first row here, so no name of its own is told."""
    if not any(header):
        raise PayloadError(name, "is empty", "ask for the file again; an empty file is never data")
    missing = [f.delivered for f in fields if f.delivered not in header and not f.is_optional]
    if missing:
        problem = f"misses column(s) {', '.join(missing)}"
        raise PayloadError(name, problem, "deliver the columns of the agreed extract, with their names in the first line")
    twice = [f.delivered for f in fields if header.count(f.delivered) > 1]
    if twice:
        raise PayloadError(name, f"has column(s) {', '.join(twice)} twice", "deliver each column once")
    return {f.delivered: header.index(f.delivered) for f in fields if f.delivered in header}


def _slice(
    batch: Sequence[Sequence[str]],
    before: int,
    width: int,
    places: Mapping[str, int],
    fields: Sequence[Field],
    pseudonymiser: Pseudonymiser,
) -> str:
    numbered = [(n, row) for n, row in enumerate(batch, before + 1) if any(row)]
    fits = [len(row) == width for _, row in numbered]
    columns = {
        column: [row[place] if fit else None for (_, row), fit in zip(numbered, fits, strict=True)]
        for column, place in places.items()
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(pl.all().str.strip_chars())
    frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    frame = frame.with_columns(pl.Series(ROW, [n for n, _ in numbered], pl.Int64), pl.Series("_fits", fits, pl.Boolean))
    there = [f for f in fields if f.delivered in places]
    frame = frame.with_columns(service_number(pl.col(f.delivered)) for f in there if f.is_service_number)
    frame = frame.with_columns(f.form(pl.col(f.delivered)).alias(f.delivered) for f in there if f.form)
    nameless = pl.any_horizontal(pl.lit(False), *(pl.col(f.delivered).is_null() for f in there if f.is_service_number))
    stray = pl.any_horizontal(pl.lit(False), *(holds_service_number(pl.col(f.delivered)) for f in there if f.form))
    reason = (
        pl.when(~pl.col("_fits"))
        .then(pl.lit(FIELDS))
        .when(nameless)
        .then(pl.lit(SERVICE_NUMBER))
        .when(stray)
        .then(pl.lit(STRAY_NUMBER))
    )
    frame = frame.with_columns(reason.alias(REASON))
    landed = [_landed(frame, f, pseudonymiser) for f in fields if f.landed]
    left_out = frame.select(pl.when(pl.col(REASON).is_not_null()).then(pl.col(ROW)), REASON)
    return pl.DataFrame([*landed, *left_out]).write_csv(separator=";", include_header=False)


def _landed(frame: pl.DataFrame, field: Field, pseudonymiser: Pseudonymiser) -> pl.Series:
    if field.delivered not in frame.columns:
        return pl.repeat(None, frame.height, dtype=pl.String, eager=True).alias(field.landed or "")
    passing = frame.select(pl.when(pl.col(REASON).is_null()).then(pl.col(field.delivered))).to_series()
    if field.pseudonym_of is not None:
        values = [None if value is None else pseudonymiser.pseudonym(field.pseudonym_of, value) for value in passing]
        passing = pl.Series(values, dtype=pl.String)
    return passing.alias(field.landed or "")


def day(text: pl.Expr) -> pl.Expr:
    """Dates in any order of day, month and year, as delivered; a midnight behind it is dropped."""
    bare = text.str.replace(r"[T ]00:00(:00(\.0+)?)?$", "")
    return _of_form(bare, r"^([0-9]{8,9}|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4})$")


def amount(text: pl.Expr) -> pl.Expr:
    """Amounts of money, as delivered; a euro sign is dropped."""
    return _of_form(text.str.replace(r"^€\s*", ""), r"^-?[0-9][0-9.,]{0,13}$")


def neighbourhood(text: pl.Expr) -> pl.Expr:
    """CBS neighbourhood codes `BU00140003`; without the letters they start with a zero, unlike any number of eight digits."""
    upper = text.str.to_uppercase()
    return _of_form(upper.str.replace(r"^(0[0-9]{7})$", "BU${1}"), r"^BU[0-9]{8}$")


def yes_no(text: pl.Expr) -> pl.Expr:
    """`true` and `false`."""
    words = {"ja": "true", "j": "true", "true": "true", "1": "true", "nee": "false", "n": "false", "false": "false", "0": "false"}
    return text.str.to_lowercase().replace_strict(words, default=pl.when(text.is_not_null()).then(pl.lit(UNREADABLE)))


def rule_name(text: pl.Expr) -> pl.Expr:
    """Names of rules: small letters, digits and underscores, beginning with a letter; no digits in a row could be a number."""
    return _of_form(text.str.to_lowercase(), r"^[a-z][a-z_]*[0-9]{0,2}[a-z_]*$")


def small_number(text: pl.Expr) -> pl.Expr:
    """Whole numbers of at most three digits."""
    return _of_form(text, r"^[0-9]{1,3}$")


def listed(codes: Mapping[str, str]) -> Form:
    """Words of a list, as the codes they stand for; case, spaces, hyphens and leading zeros do not count."""

    def form(text: pl.Expr) -> pl.Expr:
        word = text.str.to_lowercase().str.replace_all(r"[ \-]+", "_").str.replace(r"^0+([0-9])", "${1}")
        return word.replace_strict(codes, default=pl.when(text.is_not_null()).then(pl.lit(UNLISTED)))

    return form


def _of_form(text: pl.Expr, pattern: str) -> pl.Expr:
    return pl.when(text.str.contains(pattern)).then(text).when(text.is_not_null()).then(pl.lit(UNREADABLE))
