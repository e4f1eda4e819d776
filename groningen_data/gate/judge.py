"""Row by row against the contract: which rows of a slice are accepted, and which are quarantined for which rules.

Frames in, frames out; no database here. Uniqueness is not judged here, because a slice cannot know the other slices.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.config import ValidationDepth, config_context

from groningen_data.contracts.base import ContractModel, columns_of, facts_of, polars_schema
from groningen_data.errors import PayloadError

PROBLEMS = "_problems"
ORIGINAL = "_original"

_DATE = "%Y-%m-%d"
_INSTANT = "%Y-%m-%dT%H:%M:%S%.f"


@dataclass(frozen=True)
class Judgement:
    """One slice, judged.

    Args:
        accepted: Rows that meet every rule, with the contract's columns and types.
        quarantined: The other rows: `row_number` (position in the slice), `rules` (list), `row_key` (the key columns in
            words, personal ones left out), `original` (JSON text).
    """

    accepted: pl.DataFrame
    quarantined: pl.DataFrame


def judge(contract: ContractModel, raw: pl.DataFrame) -> Judgement:
    """Judge one slice against a contract.

    Args:
        contract: What the rows must meet.
        raw: The contract's columns, of the contract's types or as text (dates and instants in ISO 8601, instants with their
            offset), and optionally `_problems` (list of rule ids the parser found broken) and `_original` (the source row as
            JSON).

    Raises:
        PayloadError: Columns are missing, unknown or of another kind altogether, or a rule failed that speaks of no single row.
    """
    wanted = polars_schema(contract)
    _require_columns(contract, raw, set(wanted))
    typed, problems = _cast(raw, wanted)
    if PROBLEMS in raw.columns:
        problems.append(raw[PROBLEMS])
    castable = _row_mask(problems, raw.height)
    are_castable = castable.all()
    candidates = typed if are_castable else typed.filter(castable)
    broken = _broken_rules(contract, candidates)
    if are_castable and broken.is_empty():
        return Judgement(candidates, _no_quarantine())
    everywhere = pl.Series("row_number", range(raw.height), dtype=pl.Int64)
    by_rule = broken.select(everywhere.filter(castable).gather(broken["index"]), "rule")
    for series in problems:
        found = pl.DataFrame({"row_number": everywhere, "rule": series})
        found = found.explode("rule") if series.dtype == pl.List else found
        by_rule = pl.concat([by_rule, found.drop_nulls("rule")])
    verdicts = by_rule.group_by("row_number").agg(pl.col("rule").unique().sort().alias("rules")).sort("row_number")
    bad = raw[verdicts["row_number"].to_list()]
    quarantined = verdicts.with_columns(
        pl.Series("row_key", _keys(contract, bad), dtype=pl.String),
        pl.Series("original", _originals(bad), dtype=pl.String),
    )
    return Judgement(typed.filter(~everywhere.is_in(verdicts["row_number"].implode())), quarantined)


def _no_quarantine() -> pl.DataFrame:
    return pl.DataFrame(schema={"row_number": pl.Int64, "rules": pl.List(pl.String), "row_key": pl.String, "original": pl.String})


def _require_columns(contract: ContractModel, raw: pl.DataFrame, wanted: set[str]) -> None:
    have = set(raw.columns) - {PROBLEMS, ORIGINAL}
    missing, unknown = sorted(wanted - have), sorted(have - wanted)
    if missing or unknown:
        parts = (("columns missing", missing), ("unknown columns", unknown))
        raise PayloadError(
            facts_of(contract).name,
            "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names),
            "compare the source with the contract, and mend the parser or the contract",
        )


def _cast(raw: pl.DataFrame, wanted: dict[str, pl.DataType]) -> tuple[pl.DataFrame, list[pl.Series]]:
    """Cast every column to its contract type; returns the frame and, per column with losses, the rule id per losing row."""
    columns: list[pl.Series] = []
    for name, dtype in wanted.items():
        series = raw[name]
        try:
            columns.append(series if series.dtype == dtype else _cast_series(series, dtype).rename(name))
        except pl.exceptions.PolarsError as error:
            # Its text may quote values.
            raise PayloadError(
                name, f"is delivered as {series.dtype}, which cannot become {dtype} ({type(error).__name__})", "mend the parser"
            ) from None
    typed = pl.DataFrame(columns)
    as_delivered = {name: f"_delivered {name}" for name, dtype in wanted.items() if raw.schema[name] != dtype}
    suspects = [name for name, dtype in wanted.items() if name in as_delivered or dtype.is_float()]
    # All columns in one pass: asking one series costs as much as asking many.
    lost = typed.hstack([raw[name].alias(delivered) for name, delivered in as_delivered.items()]).select(
        _is_lost(name, as_delivered.get(name), wanted[name]).alias(name) for name in suspects
    )
    losing = [name for name, any_lost in lost.select(pl.all().any()).row(0, named=True).items() if any_lost] if suspects else []
    return typed, [lost.select(pl.when(name).then(pl.lit(f"{name}.type"))).to_series() for name in losing]


def _is_lost(name: str, delivered: str | None, dtype: pl.DataType) -> pl.Expr:
    """Whether a value was lost by casting, or is a number that is none."""
    lost = pl.col(name).is_null() & pl.col(delivered).is_not_null() if delivered else pl.lit(False)
    return lost | ~pl.col(name).is_finite().fill_null(True) if dtype.is_float() else lost


def _cast_series(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    if series.dtype.is_nested() and not dtype.is_nested():
        raise pl.exceptions.InvalidOperationError("nested values are no plain ones")
    if series.dtype == pl.String:
        text = series.str.strip_chars()
        # Fixed forms: guessed ones depend on the first value of a slice, and take 01/02 for a day and a month in some order.
        if dtype == pl.Date:
            return text.str.to_date(_DATE, strict=False)
        if isinstance(dtype, pl.Datetime):
            text = text.str.replace(" ", "T", literal=True)
            if dtype.time_zone is None:
                return text.str.to_datetime(_INSTANT, time_unit="us", strict=False)
            text = text.str.replace(r"[zZ]$", "+00:00")
            return text.str.to_datetime(f"{_INSTANT}%z", time_unit="us", time_zone="UTC", strict=False)
        if dtype == pl.Boolean:
            return text.str.to_lowercase().replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
        return text.cast(dtype, strict=False)
    if series.dtype.is_float() and dtype.is_integer():
        whole = pl.select(pl.when(series == series.round(0)).then(series)).to_series()
        return whole.cast(dtype, strict=False)
    if series.dtype.is_numeric() and dtype == pl.Boolean:
        return pl.select(pl.when(series.is_in([0, 1])).then(series)).to_series().cast(dtype, strict=False)
    if series.dtype.is_numeric() and dtype.is_temporal():
        return pl.repeat(None, series.len(), dtype=dtype, eager=True)
    return series.cast(dtype, strict=False)


def _row_mask(problems: list[pl.Series], height: int) -> pl.Series:
    """True where no problem was found."""
    mask = pl.repeat(True, height, eager=True)
    for series in problems:
        has = series.list.len().fill_null(0) > 0 if series.dtype == pl.List else series.is_not_null()
        mask = mask & ~has
    return mask


def _broken_rules(contract: ContractModel, frame: pl.DataFrame) -> pl.DataFrame:
    """Row position and rule id of every failure pandera finds."""
    try:
        with config_context(validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            contract.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases: pl.DataFrame = errors.failure_cases
        if cases["index"].null_count():
            first = cases.filter(pl.col("index").is_null()).row(0, named=True)
            raise PayloadError(
                facts_of(contract).name,
                f"the whole batch fails {first['check']} ({first['column']})",
                "compare the source with the contract, and mend the parser or the contract",
            ) from None
        is_row_rule = pl.col("schema_context") == "DataFrameSchema"
        name = pl.col("check").replace(_rule_names(contract))
        owner = pl.when(is_row_rule).then(pl.lit("row")).otherwise(pl.col("column"))
        return cases.select(pl.col("index").cast(pl.Int64), pl.concat_str(owner, pl.lit("."), name).alias("rule"))
    return pl.DataFrame(schema={"index": pl.Int64, "rule": pl.String})


def _rule_names(contract: ContractModel) -> dict[str, str]:
    """From what pandera calls a failed check to its rule's name in `rules_of`."""
    schema = contract.to_schema()
    checks = [*schema.checks, *(check for column in schema.columns.values() for check in column.checks)]
    return {"not_nullable": "required"} | {check.error: check.name for check in checks if check.error}


def _keys(contract: ContractModel, bad: pl.DataFrame) -> list[str]:
    names = speakable_key(contract)
    if not names:
        return [""] * bad.height
    return [", ".join(f"{n}={v}" for n, v in row.items()) for row in bad.select(names).iter_rows(named=True)]


def speakable_key(contract: ContractModel) -> list[str]:
    """The key columns that may be shown to people: none that identify a person."""
    columns = columns_of(contract)
    return [n for n in facts_of(contract).key if columns[n].personal_data in ("none", "statistic")]


def _originals(bad: pl.DataFrame) -> list[str]:
    texts = bad[ORIGINAL].to_list() if ORIGINAL in bad.columns else [None] * bad.height
    rows = bad.drop([c for c in (PROBLEMS, ORIGINAL) if c in bad.columns]).iter_rows(named=True)
    return [text if text is not None else row_as_json(row) for text, row in zip(texts, rows, strict=True)]


def row_as_json(row: dict[str, Any]) -> str:
    """A row as JSON text: dates in ISO form, bytes in hexadecimal."""
    return json.dumps(row, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)
