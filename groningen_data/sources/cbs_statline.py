"""CBS StatLine, OData version 3: *Kerncijfers wijken en buurten*, as the four parts of one table.

Each part (`TypedDataSet`, `DataProperties`, `WijkenEnBuurten`, `TableInfos` or its dump `Metadata`) is a parquet dump or the
JSON that the service answers. Measures are found by title, unit and group in `DataProperties`; the number behind a column's
name differs per year and is never used. Which measures: `data/reference/cbs_measures.csv`.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import carried_over
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.parsing import (
    DUTCH_TIME,
    ORIGINAL,
    PROBLEMS,
    SENTINELS,
    check_columns,
    in_slices,
    read_json,
    reference_table,
    year_in,
)

_REGION = "WijkenEnBuurten"
_TABLE = re.compile(r"(?<!\d)(\d{5}[a-z]{3})(?![a-z])", re.IGNORECASE)
_SERVICE = re.compile(r'"odata\.metadata"\s*:\s*"[^"]*/\d{5}[A-Za-z]{3}/\$metadata')
_TITLE = "kerncijfers wijken en buurten"
_LEVELS = {"NL": "country", "GM": "municipality", "WK": "district", "BU": "neighbourhood"}
_INFO = ("Identifier", "Title", "Modified", "Period")
_PARTS = ("TypedDataSet", "DataProperties", "WijkenEnBuurten", "TableInfos")
_COLUMNS = {
    "TypedDataSet": (_REGION,),
    "DataProperties": ("ID", "ParentID", "Type", "Key", "Title", "Unit"),
    "WijkenEnBuurten": ("Key", "Title"),
    "TableInfos": ("Identifier", "Title"),
}


@dataclass(frozen=True)
class _Part:
    """One part of a table: which, and its rows."""

    table: str
    part: str
    rows: pl.DataFrame


@dataclass(frozen=True)
class _Table:
    """A complete table: figures per region, measures, names of regions, year and release."""

    name: str
    year: int
    released_at: datetime | None
    data: pl.DataFrame
    properties: pl.DataFrame
    regions: pl.DataFrame


def parse_key_figures(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.reference_key_figures`: all regions of one table times the measures of the reference table."""
    table = _table(payloads, batch_key)
    measures = _measures(table, "key_figures", {"inhabitants"}, context)
    yield from in_slices(
        _long(table, measures, context).select(
            "region_code",
            "region_level",
            "region_name",
            "year",
            "measure_code",
            "measure_title",
            "unit",
            "value",
            "missing_reason",
            "current_code",
            "code_status",
            "source_table",
            "released_at",
            PROBLEMS,
            ORIGINAL,
        )
    )


def parse_recipients(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.welfare_recipients`: all regions of one table times the kinds of benefit."""
    table = _table(payloads, batch_key)
    measures = _measures(table, "recipients", {"social_assistance"}, context)
    whole = pl.col("value").cast(pl.Int64, strict=False)
    broken = (pl.col(PROBLEMS).list.len() > 0) | (pl.col("value").is_not_null() & whole.ne_missing(pl.col("value")))
    yield from in_slices(
        _long(table, measures, context).select(
            "region_code",
            "region_level",
            "year",
            pl.col("measure_code").alias("benefit_code"),
            pl.when(~broken).then(whole).alias("recipients"),
            "missing_reason",
            "current_code",
            "code_status",
            "source_table",
            "released_at",
            pl.concat_list(pl.when(broken).then(pl.lit("recipients.type"))).list.drop_nulls().alias(PROBLEMS),
            ORIGINAL,
        )
    )


def _long(table: _Table, measures: pl.DataFrame, context: BuildContext) -> pl.DataFrame:
    """One row per region and measure."""
    codes = table.data[_REGION].cast(pl.String).str.strip_chars()
    regions = pl.DataFrame({"region_code": codes}).join(table.regions, on="region_code", how="left", maintain_order="left")
    regions = carried_over(
        regions,
        table.year,
        context.published("core.reference_neighbourhoods"),
        reference_table("neighbourhood_successions"),
        context.settings.municipality_code,
    ).with_columns(
        pl.col("region_code").str.slice(0, 2).replace_strict(_LEVELS, default=None, return_dtype=pl.String).alias("region_level"),
        pl.lit(table.year, pl.Int64).alias("year"),
        pl.lit(table.name).alias("source_table"),
        pl.lit(table.released_at, pl.Datetime("us", "UTC")).alias("released_at"),
    )
    figures = [
        _figures(table.data[key]).with_columns(
            pl.lit(code).alias("measure_code"), pl.lit(title).alias("measure_title"), pl.lit(unit).alias("unit")
        )
        for code, title, unit, key in measures.iter_rows()
    ]
    rows = pl.concat([pl.concat([regions, f], how="horizontal") for f in figures], rechunk=False)
    delivered = pl.col("_text").fill_null(pl.col("value").cast(pl.String))
    return rows.with_columns(
        pl.struct("region_code", "measure_code", delivered.alias("value")).struct.json_encode().alias(ORIGINAL)
    )


def _figures(column: pl.Series) -> pl.DataFrame:
    """A column as value, reason when missing, and problems; text that is no number stays recoverable."""
    empty = "not_yet_released" if column.null_count() == column.len() else "withheld"
    if column.dtype == pl.String:
        text = pl.col("text").str.strip_chars()
        text = pl.when(~text.is_in(["", "."])).then(text)
        frame = pl.DataFrame({"text": column}).select(value=text.cast(pl.Float64, strict=False), text=text)
    else:
        frame = pl.DataFrame({"value": column.cast(pl.Float64)}).with_columns(pl.lit(None, pl.String).alias("text"))
    value = pl.col("value")
    broken = pl.col("text").is_not_null() & value.is_null()
    why = value.replace_strict(SENTINELS, default=None, return_dtype=pl.String)
    return frame.select(
        pl.when(why.is_null()).then(value).alias("value"),
        pl.when(value.is_null() & ~broken).then(pl.lit(empty)).otherwise(why).alias("missing_reason"),
        pl.concat_list(pl.when(broken).then(pl.lit("value.type"))).list.drop_nulls().alias(PROBLEMS),
        pl.when(broken).then("text").alias("_text"),
    )


def _measures(table: _Table, kind: str, required: set[str], context: BuildContext) -> pl.DataFrame:
    """The measures of one kind that the table has: code, title as the source names it, unit, and column."""
    wanted = reference_table("cbs_measures").filter(pl.col("table") == kind)
    topics = _topics(table)
    found, missing = [], []
    for code, titles, units, parent in wanted.select("measure_code", "title", "unit", "parent_title").iter_rows():
        match = _match(topics, titles, units, parent)
        if match is not None and match["Key"] in table.data.columns:
            found.append((code, (match["Title"] or "").strip(), match["Unit"], match["Key"]))
            continue
        missing.append(code)
        if code in required:
            names = [t["Title"].strip() for t in topics if t["Title"]]
            close = difflib.get_close_matches(titles.split("|")[0], names, n=5, cutoff=0.4)
            raise PayloadError(
                table.name,
                f"has no measure '{titles}' ({units}); close titles are: {'; '.join(close) or 'none'}",
                "add the new title to data/reference/cbs_measures.csv",
            )
    context.notes |= {
        "regions_read": table.data.height,
        "measures_found": len(found),
        "measures_not_found": len(missing),
        "measures_not_found_names": ", ".join(missing),
    }
    return pl.DataFrame(found, schema=["measure_code", "title", "unit", "key"], orient="row")


def _topics(table: _Table) -> list[dict[str, Any]]:
    rows = {row["ID"]: row for row in table.properties.iter_rows(named=True)}
    topics = []
    for row in rows.values():
        if row["Type"] != "Topic" or not row["Key"]:
            continue
        parents: list[str] = []
        parent = row["ParentID"]
        while parent in rows and len(parents) < len(rows):
            parents.append(_plain(rows[parent]["Title"]))
            parent = rows[parent]["ParentID"]
        topics.append(row | {"parents": parents})
    return topics


def _match(topics: list[dict[str, Any]], titles: str, units: str, parent: str | None) -> dict[str, Any] | None:
    """The one topic with this title and unit; a parent title decides between several, otherwise none is taken."""
    wanted, allowed = {_plain(t) for t in titles.split("|")}, {_plain(u) for u in units.split("|")}
    matches = [t for t in topics if _plain(t["Title"]) in wanted and _plain(t["Unit"]) in allowed]
    if len(matches) > 1 and parent:
        matches = [t for t in matches if _plain(parent) in t["parents"]]
    return matches[0] if len(matches) == 1 else None


def _plain(text: str | None) -> str:
    return re.sub(r"\s+", "", text or "").lower()


def _table(payloads: Sequence[Payload], table: str) -> _Table:
    """The table of one batch from the last landed file of each part."""
    parts: dict[str, pl.DataFrame] = {}
    for payload in payloads:
        part = _read(payload)
        if part.table == table:
            parts[part.part] = part.rows
    missing = [p for p in ("TypedDataSet", "DataProperties", "TableInfos") if p not in parts]
    if missing:
        raise PayloadError(
            f"CBS table {table}",
            f"is an incomplete set: {', '.join(missing)} is missing, delivered are {', '.join(parts) or 'none'}",
            "deliver all parts of the table: TypedDataSet, DataProperties, WijkenEnBuurten and TableInfos (or Metadata)",
        )
    info = parts["TableInfos"].row(0, named=True)
    year = year_in(info["Title"]) or year_in(str(info.get("Period") or ""))
    if year is None:
        raise PayloadError(
            f"CBS table {table}", f"names no year in its title '{info['Title']}'", "check that it is the right table"
        )
    names = parts.get("WijkenEnBuurten", pl.DataFrame(schema={"Key": pl.String, "Title": pl.String}))
    key, title = (pl.col(c).cast(pl.String).str.strip_chars() for c in ("Key", "Title"))
    regions = names.select(region_code=key, region_name=title)
    properties = parts["DataProperties"].with_columns(pl.col("Type", "Key", "Title", "Unit").cast(pl.String))
    return _Table(table, year, _released(info.get("Modified")), parts["TypedDataSet"], properties, regions.unique("region_code"))


def _released(text: Any) -> datetime | None:
    try:
        released = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (released if released.tzinfo else released.replace(tzinfo=ZoneInfo(DUTCH_TIME))).astimezone(UTC)


def _batches(payload: Payload) -> tuple[str, ...]:
    return (_read(payload).table,)


def _read(payload: Payload) -> _Part:
    with payload.open() as stream:
        is_parquet = stream.read(4) == b"PAR1"
    part = _read_parquet(payload) if is_parquet else _read_json(payload)
    if part.rows.is_empty():
        raise PayloadError(payload.name, "holds no rows", "ask for the file again; no rows is never data")
    check_columns(payload.name, part.rows.columns, _COLUMNS[part.part])
    if part.part == "TableInfos" and _TITLE not in str(part.rows["Title"][0]).lower():
        raise PayloadError(
            payload.name, f"describes another table: {part.rows['Title'][0]}", "deliver Kerncijfers wijken en buurten"
        )
    return part


def _read_parquet(payload: Payload) -> _Part:
    try:
        rows = pl.read_parquet(payload.read())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise PayloadError(
            payload.name, "is not complete parquet", "ask for the file again; it was cut off or damaged"
        ) from error
    return _Part(_table_name(payload), _part_of(payload, rows.columns), rows)


def _read_json(payload: Payload) -> _Part:
    answer = read_json(payload)
    if not isinstance(answer, dict):
        raise PayloadError(payload.name, "is JSON, but no answer of StatLine", "deliver the answer of the OData v3 service")
    if "Identifier" in answer and "Title" in answer:
        return _Part(
            str(answer["Identifier"]).strip().upper(),
            "TableInfos",
            _frame([answer], _INFO),
        )
    rows = answer.get("value")
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        raise PayloadError(payload.name, "misses column(s) value", "deliver the answer of the OData v3 service, not of version 4")
    if "odata.nextLink" in answer:
        raise PayloadError(payload.name, "is one page of several (odata.nextLink)", "follow the links and join the pages")
    if not rows:
        raise PayloadError(payload.name, "holds no rows", "ask for the file again; no rows is never data")
    url = re.search(r"/(\d{5}[A-Za-z]{3})/\$metadata", str(answer.get("odata.metadata", "")))
    keys = list(dict.fromkeys(k for r in rows for k in r))
    part = _part_of(payload, keys)
    wanted = _INFO if part == "TableInfos" else tuple(keys)
    return _Part(url.group(1).upper() if url else _table_name(payload), part, _frame(rows, wanted))


def _frame(rows: list[dict[str, Any]], columns: Sequence[str]) -> pl.DataFrame:
    """Rows as a frame; a column of mixed types becomes text."""
    series = []
    for name in columns:
        values = [row.get(name) for row in rows]
        kinds = {type(v) for v in values if v is not None}
        if kinds == {int} and all(v is None or abs(v) < 2**63 for v in values):
            series.append(pl.Series(name, values, pl.Int64))
        elif kinds <= {int, float}:
            series.append(pl.Series(name, [None if v is None else float(v) for v in values], pl.Float64))
        else:
            series.append(pl.Series(name, [None if v is None else str(v) for v in values], pl.String))
    return pl.DataFrame(series)


def _part_of(payload: Payload, columns: Sequence[str]) -> str:
    found = set(columns)
    if _REGION in found:
        if "Perioden" in found:
            raise PayloadError(payload.name, "is another table with periods", "deliver Kerncijfers wijken en buurten")
        return "TypedDataSet"
    if {"ParentID", "Key", "Title"} <= found:
        return "DataProperties"
    if {"Identifier", "Title"} <= found:
        return "TableInfos"
    if {"Key", "Title"} <= found:
        return "WijkenEnBuurten"
    named = next((part for part in _PARTS if part.lower() in payload.name.lower()), "TypedDataSet")
    check_columns(payload.name, columns, _COLUMNS[named])
    raise PayloadError(payload.name, "is no known part of a table", f"deliver one of {', '.join(_PARTS)}")


def _table_name(payload: Payload) -> str:
    match = _TABLE.search(payload.name)
    if match is None:
        raise PayloadError(
            payload.name,
            "does not say of which table it is",
            "put the table id in its name, such as cbs.v3.84799NED_TypedDataSet.parquet",
        )
    return match.group(1).upper()


def _recognises(head: Head) -> bool:
    if head.data.startswith(b"PAR1"):
        return re.search(r"\d{5}[a-z]{3}_(TypedDataSet|DataProperties|WijkenEnBuurten)\.", head.name, re.IGNORECASE) is not None
    text = head.text.lstrip()
    if not text.startswith("{") or "@odata.context" in text:
        return False
    if '"Identifier"' in text:
        return re.search(rf'"Title"\s*:\s*"{_TITLE}', text, re.IGNORECASE) is not None
    if _SERVICE.search(text) is None or '"Perioden"' in text:
        return False
    return f'"{_REGION}"' in text or '"DetailRegionCode"' in text


SOURCE = FileSource(
    name="cbs_statline",
    title="Kerncijfers wijken en buurten (CBS StatLine)",
    patterns=tuple(
        f"cbs.v3.*_{part}.{suffix}"
        for part in ("TypedDataSet", "DataProperties", _REGION)
        for suffix in ("parquet", "json", "json.gz")
    ),
    recognises=_recognises,
    batches=_batches,
)
