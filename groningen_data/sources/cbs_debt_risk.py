"""CBS's map of the risk of problematic debts: one CSV row per municipality and year.

`;`, decimal comma, ISO-8859-1 or UTF-8, line ends of both kinds. The other CSVs of that publication (life events,
registrations, national development) have other columns and are not taken.
"""

import csv
import io
from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.parsing import SENTINELS, check_columns, in_slices, marked, reference_table

_REQUIRED = ("jaar", "gemeentecode", "risicogroep_aantal", "risicogroep_aandeel")
_KNOWN = ("gemeentenaam", "instroomkans")
_COLUMNS = (*_REQUIRED, *_KNOWN)


def parse_debt_risk(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.welfare_debt_risk` of one year, from the last landed file that has that year.

    Rows whose year cannot be read belong to the earliest year of their file, and are marked.
    """
    payload = payloads[-1]
    frame = _read(payload)
    belongs = _year() == int(batch_key)
    if batch_key == _keys(frame)[0]:
        belongs = belongs | _year().is_null()
    rows = _risks(frame.filter(belongs))
    merged = rows.filter(pl.col("municipality_status") != "exists")
    context.notes |= {
        "file": payload.name,
        "rows_read": rows.height,
        "rows_of_other_years": frame.height - rows.height,
        "municipalities_that_no_longer_exist": ", ".join(merged["municipality_code"].sort()),
        "inflow_missing": rows["inflow_missing_reason"].count(),
    }
    yield from in_slices(rows)


def _risks(frame: pl.DataFrame) -> pl.DataFrame:
    successions = reference_table("municipality_successions").select(
        code="from_code", last_year="last_year", successor_code="to_code", kind="kind"
    )
    code = pl.col("gemeentecode").str.strip_chars()
    rows = frame.with_columns(code.alias("code")).join(successions, on="code", how="left", maintain_order="left")
    persons, whole = _number("risicogroep_aantal"), _number("risicogroep_aantal").cast(pl.Int64, strict=False)
    rules = {
        "year.type": _year().is_null(),
        "persons_at_risk.type": _unreadable("risicogroep_aantal") | (persons.is_not_null() & whole.ne_missing(persons)),
        "at_risk_pct.type": _unreadable("risicogroep_aandeel"),
        "inflow_pct.type": _unreadable("instroomkans"),
    }
    return marked(rows, rules, frame.columns).select(
        pl.col("code").alias("municipality_code"),
        pl.when(pl.col("gemeentenaam").str.strip_chars() != "")
        .then(pl.col("gemeentenaam").str.strip_chars())
        .alias("municipality_name"),
        _year().alias("year"),
        whole.alias("persons_at_risk"),
        _reason("risicogroep_aantal").alias("persons_missing_reason"),
        _number("risicogroep_aandeel").alias("at_risk_pct"),
        _reason("risicogroep_aandeel").alias("share_missing_reason"),
        _number("instroomkans").alias("inflow_pct"),
        _reason("instroomkans").alias("inflow_missing_reason"),
        pl.col("kind").fill_null("exists").alias("municipality_status"),
        "successor_code",
        "_problems",
        "_original",
    )


def _year() -> pl.Expr:
    """The year; CBS marks a provisional one with stars."""
    return pl.col("jaar").str.extract(r"^\s*((?:19|20)\d{2})\s*\**\s*$").cast(pl.Int64, strict=False)


def _written(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    return pl.when(~text.is_in(["", ".", "x"])).then(text.str.replace(",", ".", literal=True))


def _number(column: str) -> pl.Expr:
    number = _written(column).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite() & ~number.is_in(list(SENTINELS))).then(number)


def _unreadable(column: str) -> pl.Expr:
    number = _written(column).cast(pl.Float64, strict=False)
    return _written(column).is_not_null() & (number.is_null() | ~number.is_finite())


def _reason(column: str) -> pl.Expr:
    """Small groups are left empty."""
    said = _written(column).cast(pl.Float64, strict=False).replace_strict(SENTINELS, default=None, return_dtype=pl.String)
    empty = pl.when(pl.col(column).is_null() | _written(column).is_null()).then(pl.lit("withheld"))
    return pl.coalesce(said, empty)


def _batches(payload: Payload) -> tuple[str, ...]:
    return _keys(_read(payload))


def _keys(frame: pl.DataFrame) -> tuple[str, ...]:
    return tuple(str(year) for year in frame.select(_year()).to_series().drop_nulls().unique().sort())


def _read(payload: Payload) -> pl.DataFrame:
    text = _text(payload)
    fields = _fields(text.split("\n", 1)[0])
    check_columns(payload.name, fields, _REQUIRED, _KNOWN)
    if text.count('"') % 2:
        raise PayloadError(payload.name, "was cut off in a quoted text", "ask for the file again")
    last = text.rstrip("\n").rsplit("\n", 1)[-1]
    if len(_fields(last, _separator(text.split("\n", 1)[0]))) < len(fields):
        raise PayloadError(payload.name, "was cut off in its last line", "ask for the file again")
    try:
        frame = pl.read_csv(io.StringIO(text), separator=_separator(text.split("\n", 1)[0]), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise PayloadError(
            payload.name, f"is not readable as CSV ({str(error).splitlines()[0]})", "ask for the file again"
        ) from error
    frame = frame.rename({column: column.strip().lower() for column in frame.columns})
    if frame.is_empty():
        raise PayloadError(payload.name, "has a header but no rows", "ask for the file again; no rows is never data")
    if not _keys(frame):
        raise PayloadError(payload.name, "has no readable year in column jaar", "ask for years of four digits")
    return frame.select(pl.col(c) if c in frame.columns else pl.lit(None, pl.String).alias(c) for c in _COLUMNS)


def _text(payload: Payload) -> str:
    """The file as text: UTF-8 when it is that, otherwise ISO-8859-1, as CBS writes it; one kind of line end."""
    data = payload.read()
    if b"\x00" in data:
        raise PayloadError(payload.name, "is not text", "deliver the CSV as CBS publishes it, in UTF-8 or ISO-8859-1")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _separator(header: str) -> str:
    return ";" if header.count(";") >= header.count(",") else ","


def _fields(line: str, separator: str | None = None) -> list[str]:
    try:
        fields = next(csv.reader([line.strip("\r\n")], delimiter=separator or _separator(line)), [])
    except csv.Error:
        return []
    return [field.strip().lower() for field in fields]


def _recognises(head: Head) -> bool:
    return set(_REQUIRED) <= set(_fields(head.text.split("\n", 1)[0]))


SOURCE = FileSource(
    name="cbs_debt_risk",
    title="Risico op problematische schulden per gemeente (CBS)",
    patterns=("*kaart_risico_gm*.csv", "*kaart_risico_gm*.csv.gz"),
    recognises=_recognises,
    batches=_batches,
)
