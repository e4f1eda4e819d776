"""CBS StatLine 83452NED, *Huishoudelijk afval per gemeente per inwoner*: kind of waste × region × year, in kg per inhabitant.

One zip is the whole table with all its years: CBS's bulk download (a CSV per part of version 4), or the answers of the OData service
of either version. Only the country and the municipality are taken.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.settings import Settings
from groningen_data.sources import cbs_odata
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.parsing import (
    BROKEN_ZIP,
    DUTCH_TIME,
    ORIGINAL,
    PROBLEMS,
    SENTINELS,
    check_columns,
    in_slices,
    reference_table,
)

KIND = "household_waste"
_WASTE, _REGION, _PERIOD = "Afvalsoort", "RegioS", "Perioden"
_CELL = (_WASTE, _REGION, _PERIOD)
_TITLE = re.compile(r"huishoudelijk afval per gemeente", re.IGNORECASE)
_KILOS = re.compile(r"\bkg\b|\bkilo", re.IGNORECASE)
_STATUSES = {"definitief": "final", "voorlopig": "provisional", "nadervoorlopig": "provisional"}
_BLANK = ("", ".", "x")

Parts = Mapping[str, pl.DataFrame]
"""The parts of the table by CBS's name of version 4, all as trimmed text; figures are in `Observations`."""


def parse_household_waste(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.reference_household_waste`: kinds of waste × (the country and the municipality) × years.

    A cell that is not delivered is a row without a figure. The measure is found by its unit, never by its id.
    """
    payload = payloads[-1]
    parts = _read(payload)
    info = parts["Properties"].row(0, named=True)
    regions = _codes(parts[f"{_REGION}Codes"], _REGION, "region_name").filter(_is_wanted(_REGION, context.settings))
    kinds = _codes(parts[f"{_WASTE}Codes"], _WASTE, "waste_kind_title")
    periods = _codes(parts[f"{_PERIOD}Codes"], _PERIOD, "title", "Status")
    figures = (
        parts["Observations"].filter(pl.col("Measure") == _measure(parts, payload.name)).select(*_CELL, "ValueAttribute", "Value")
    )
    wanted = figures.filter(_is_wanted(_REGION, context.settings))
    grid = regions.join(kinds, how="cross").join(periods, how="cross")
    rows = grid.join(wanted.unique(maintain_order=True), on=list(_CELL), how="full", coalesce=True, maintain_order="left_right")
    context.notes |= {
        "file": payload.name,
        "figures_read": wanted.height,
        "figures_of_other_regions": figures.height - wanted.height,
        "kinds_of_waste": kinds.height,
        "years": periods.height,
    }
    yield from in_slices(_rows(rows, batch_key, _released(info.get("Modified"))))


def _rows(cells: pl.DataFrame, table: str, released_at: datetime | None) -> pl.DataFrame:
    text = pl.col("Value").str.replace(",", ".", literal=True)
    value = text.cast(pl.Float64, strict=False)
    attribute = pl.col("ValueAttribute").str.to_lowercase()
    is_clean = attribute.is_null() | attribute.is_in(["none", ""])
    said = value.replace_strict(SENTINELS, default=None, return_dtype=pl.String)
    is_figure = is_clean & said.is_null() & value.is_finite()
    is_broken = is_clean & ~text.is_in(_BLANK) & (value.is_null() | ~value.is_finite())
    why = (
        pl.when(~is_clean)
        .then(pl.when(attribute == "confidential").then(pl.lit("withheld")).otherwise(pl.lit("not_delivered")))
        .otherwise(pl.coalesce(said, pl.lit("not_delivered")))
    )
    year = pl.col(_PERIOD).str.extract(r"^((?:19|20)\d{2})JJ00$").cast(pl.Int64)
    problems = [
        pl.when(is_broken).then(pl.lit("kg_per_inhabitant.type")),
        pl.when(year.is_null()).then(pl.lit("year.type")),
    ]
    return cells.select(
        pl.col(_REGION).alias("region_code"),
        pl.when(pl.col(_REGION).str.starts_with("NL"))
        .then(pl.lit("country"))
        .otherwise(pl.lit("municipality"))
        .alias("region_level"),
        "region_name",
        year.alias("year"),
        pl.col("Status").str.to_lowercase().replace_strict(_STATUSES, default=None, return_dtype=pl.String).alias("year_status"),
        pl.col(_WASTE).alias("waste_kind_code"),
        "waste_kind_title",
        _fraction().alias("fraction_code"),
        pl.when(is_figure).then(value).alias("kg_per_inhabitant"),
        pl.when(~is_figure.fill_null(False) & ~is_broken.fill_null(False)).then(why).alias("missing_reason"),
        pl.lit(table).alias("source_table"),
        pl.lit(released_at, pl.Datetime("us", "UTC")).alias("released_at"),
        pl.concat_list(problems).list.drop_nulls().alias(PROBLEMS),
        pl.struct(*_CELL, "ValueAttribute", "Value").struct.json_encode().alias(ORIGINAL),
    )


def _fraction() -> pl.Expr:
    """The fraction that containers and weighings know a kind of waste by; totals and other kinds have none."""
    rows = reference_table("waste_fractions").filter(pl.col("fraction_code").is_not_null())
    names = dict(rows.select("fraction_name", "fraction_code").iter_rows())
    plain = pl.col("waste_kind_title").str.to_lowercase().str.replace_all(r"[^a-z0-9]+", " ").str.strip_chars()
    return plain.replace_strict(names, default=None, return_dtype=pl.String)


def _is_wanted(column: str, settings: Settings) -> pl.Expr:
    return pl.any_horizontal(pl.col(column).str.starts_with(beginning) for beginning in _regions_wanted(settings))


def _regions_wanted(settings: Settings) -> tuple[str, ...]:
    return "NL", settings.municipality_code


def _codes(part: pl.DataFrame, name: str, title: str, *others: str) -> pl.DataFrame:
    more = [pl.col(c) if c in part.columns else pl.lit(None, pl.String).alias(c) for c in others]
    return part.select(pl.col("Identifier").alias(name), pl.col("Title").alias(title), *more).unique(name, maintain_order=True)


def _measure(parts: Parts, name: str) -> str:
    measures = parts["MeasureCodes"].select("Identifier", "Title", "Unit").rows()
    found = [code for code, _, unit in measures if _KILOS.search(unit or "")]
    if len(found) != 1:
        known = "; ".join(f"{title} ({unit})" for _, title, unit in measures)
        raise PayloadError(
            name, f"has {len(found)} measures in kilograms per inhabitant where one was; it has: {known}", "adapt the parser"
        )
    return str(found[0])


def _released(text: Any) -> datetime | None:
    try:
        released = datetime.fromisoformat(str(text).strip())
    except ValueError:
        return None
    return (released if released.tzinfo else released.replace(tzinfo=ZoneInfo(DUTCH_TIME))).astimezone(UTC)


def _read(payload: Payload) -> Parts:
    """The parts of a zip, whatever the version.

    Raises:
        PayloadError: It is no zip of this table, was cut off, or misses a part.
    """
    members = _members(payload)
    found = {name: _text(rows) for name, rows in members.items() if rows}
    if "TypedDataSet" in found:
        found = _as_version_4(found, payload.name)
    missing = [p for p in ("Properties", "MeasureCodes", "Observations", *(f"{c}Codes" for c in _CELL)) if p not in found]
    if missing:
        raise PayloadError(
            payload.name,
            f"misses {', '.join(missing)}; it holds {', '.join(sorted(found)) or 'nothing of a table'}",
            "download https://datasets.cbs.nl/csv/CBS/nl/83452NED again",
        )
    wanted = {"Properties": ("Identifier", "Title"), "MeasureCodes": ("Identifier", "Title", "Unit")}
    wanted |= {"Observations": ("Measure", "ValueAttribute", "Value", *_CELL)}
    for part, columns in (wanted | {f"{c}Codes": ("Identifier", "Title") for c in _CELL}).items():
        check_columns(f"{payload.name}/{part}", found[part].columns, columns)
    title = str(found["Properties"]["Title"][0])
    if not _TITLE.search(title):
        raise PayloadError(payload.name, f"is another table: {title}", "deliver Huishoudelijk afval per gemeente per inwoner")
    return found


def _as_version_4(parts: Parts, name: str) -> dict[str, pl.DataFrame]:
    """Parts of version 3 under the names of version 4."""
    for part, columns in {"DataProperties": ("Type", "Key", "Title", "Unit"), "TypedDataSet": _CELL, "TableInfos": ()}.items():
        check_columns(f"{name}/{part}", parts[part].columns if part in parts else (), columns or ("Identifier",))
    topics = parts["DataProperties"].filter(pl.col("Type") == "Topic")
    figures = parts["TypedDataSet"]
    keys = [key for key in topics["Key"] if key in figures.columns]
    found = {
        "Properties": parts["TableInfos"],
        "MeasureCodes": topics.select(pl.col("Key").alias("Identifier"), "Title", "Unit"),
        "Observations": figures.unpivot(keys, index=list(_CELL), variable_name="Measure", value_name="Value").with_columns(
            pl.lit("None").alias("ValueAttribute")
        ),
    }
    codes = {f"{c}Codes": parts[c].rename({"Key": "Identifier"}) for c in _CELL if c in parts and "Key" in parts[c].columns}
    return found | codes


def _members(payload: Payload) -> dict[str, list[dict[str, Any]]]:
    """The rows of each part, all its pages together."""
    found: dict[str, list[dict[str, Any]]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(payload.read())) as archive:
            if sum(member.file_size for member in archive.infolist()) > payload.size_limit:
                limit = f"{payload.size_limit / 1e6:,.0f} MB"
                raise PayloadError(
                    payload.name, f"unpacks to more than {limit}", "if it is genuine, raise GRONINGEN_PAYLOAD_LIMIT_MB"
                )
            for member in archive.namelist():
                stem, _, kind = member.rsplit("/", 1)[-1].rpartition(".")
                if kind in ("csv", "json"):
                    part = re.sub(r"_\d+$", "", stem)
                    text = archive.read(member).decode("utf-8-sig")
                    found.setdefault(part, []).extend(_of_csv(text) if kind == "csv" else _of_json(text, payload.name))
    except (*BROKEN_ZIP, pl.exceptions.PolarsError) as error:
        raise PayloadError(
            payload.name, "is not a complete zip of CSV or JSON in UTF-8", "ask for the file again; it was cut off or damaged"
        ) from error
    return found


def _of_csv(text: str) -> list[dict[str, Any]]:
    return pl.read_csv(io.StringIO(text), separator=";", infer_schema=False).to_dicts() if text.strip() else []


def _of_json(text: str, name: str) -> list[dict[str, Any]]:
    answer = json.loads(text)
    rows = answer.get("value", [answer]) if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PayloadError(name, "holds an answer without a list of rows (value)", "ask CBS for the table again")
    return rows


def _text(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    values = {c: [None if row.get(c) is None else str(row[c]).strip() for row in rows] for c in columns}
    return pl.DataFrame(values, schema=dict.fromkeys(columns, pl.String))


def _batches(payload: Payload) -> tuple[str, ...]:
    return (str(_read(payload)["Properties"]["Identifier"][0]).upper(),)


def _recognises(head: Head) -> bool:
    return head.data.startswith(b"PK\x03\x04") and f"{_WASTE}Codes".encode() in head.data


SOURCE = FileSource(
    name="cbs_household_waste",
    title="Huishoudelijk afval per gemeente per inwoner (CBS StatLine)",
    patterns=("*83452ned*.zip",),
    recognises=_recognises,
    batches=_batches,
    connector=cbs_odata.connector((KIND,), _regions_wanted, _batches),
)
