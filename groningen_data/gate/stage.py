"""Staging: the rows of one batch, judged slice by slice into a scratch table, with bounded memory.

What only the whole batch can tell is judged in DuckDB afterwards: rows of another batch, exact duplicates, keys that clash.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from groningen_data.contracts.base import ContractModel, facts_of, sql_types
from groningen_data.errors import GroningenError
from groningen_data.gate.judge import judge, speakable_key

STAGE = "scratch.stage"
BATCH = "scratch.batch"
QUARANTINE = "scratch.quarantine"
_ROW = "_row"


@dataclass(frozen=True)
class Staged:
    """Row counts of a staged batch, and how often each rule was broken."""

    rows_in: int
    accepted: int
    quarantined: int
    collapsed: int
    broken_rules: dict[str, int]
    examples: tuple[str, ...]

    @property
    def quarantined_share(self) -> float:
        return self.quarantined / self.rows_in if self.rows_in else 0.0


def quoted(names: Iterable[str]) -> str:
    """Column names as an SQL list."""
    return ", ".join(f'"{name}"' for name in names)


def partition_filter(contract: ContractModel, key: str) -> str:
    """The SQL condition that picks a batch's rows in a partitioned table; all rows in the other load modes."""
    facts, types = facts_of(contract), sql_types(contract)
    if facts.load_mode != "partition":
        return "true"
    parts = key.split("/", len(facts.partition_columns) - 1)
    return " AND ".join(
        f"\"{name}\" = CAST('{part.replace(chr(39), chr(39) * 2)}' AS {types[name]})"
        for name, part in zip(facts.partition_columns, parts, strict=True)
    )


def stage(
    con: duckdb.DuckDBPyConnection, contract: ContractModel, key: str, frames: Iterable[pl.DataFrame], slice_rows: int
) -> Staged:
    """Judge the frames of one batch into `scratch.stage` (accepted) and `scratch.quarantine` (the others, with reasons).

    `scratch.stage` also holds the number of the row within the batch; `scratch.batch` shows it without.

    Raises:
        PayloadError: A frame does not have the contract's columns, or cannot be produced.
        GroningenError: Rows were lost on the way (a defect of ours).
    """
    types = sql_types(contract)
    columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    con.execute(f"CREATE OR REPLACE TABLE {STAGE} ({_ROW} BIGINT, {columns})")
    con.execute(f"CREATE OR REPLACE VIEW {BATCH} AS SELECT {quoted(types)} FROM {STAGE}")
    con.execute(f"CREATE OR REPLACE TABLE {QUARANTINE} (row_number BIGINT, rules VARCHAR[], row_key VARCHAR, original VARCHAR)")
    rows_in = 0
    for frame in frames:
        for part in frame.iter_slices(slice_rows):
            judged = judge(contract, part)
            numbers = pl.int_range(rows_in + 1, rows_in + part.height + 1, eager=True)
            quarantined = judged.quarantined.with_columns(pl.col("row_number") + rows_in + 1)
            kept = numbers.filter(~numbers.is_in(quarantined["row_number"].implode())) if quarantined.height else numbers
            accepted = judged.accepted.with_columns(kept.alias(_ROW))
            _insert(con, accepted, f"INSERT INTO {STAGE} SELECT {_ROW}, {quoted(types)} FROM")
            if quarantined.height:
                _insert(con, quarantined, f"INSERT INTO {QUARANTINE} SELECT row_number, rules, row_key, original FROM")
            rows_in += part.height
    _quarantine_other_batches(con, contract, key)
    collapsed = _resolve_duplicates(con, contract)
    staged = Staged(
        rows_in=rows_in,
        accepted=_count(con, STAGE),
        quarantined=_count(con, QUARANTINE),
        collapsed=collapsed,
        broken_rules=dict(
            con.execute(
                f"SELECT rule, count(*) FROM (SELECT unnest(rules) AS rule FROM {QUARANTINE}) GROUP BY rule ORDER BY 2 DESC, 1"
            ).fetchall()
        ),
        examples=tuple(
            r[0] for r in con.execute(f"SELECT row_key FROM {QUARANTINE} GROUP BY 1 ORDER BY min(row_number) LIMIT 3").fetchall()
        ),
    )
    if staged.rows_in != staged.accepted + staged.quarantined + staged.collapsed:
        raise GroningenError(
            facts_of(contract).name, f"rows were lost while staging {key}: {staged}", "report this; nothing was published"
        )
    return staged


def _insert(con: duckdb.DuckDBPyConnection, frame: pl.DataFrame, statement: str) -> None:
    """Run an INSERT whose last word is a frame; registered by name, because Ibis switches replacement scans off."""
    con.register("frame_to_insert", frame.to_arrow())
    con.execute(f"{statement} frame_to_insert")
    con.unregister("frame_to_insert")


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row: Any = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0])


def _quarantine_other_batches(con: duckdb.DuckDBPyConnection, contract: ContractModel, key: str) -> None:
    condition = partition_filter(contract, key)
    if condition != "true":
        _move_to_quarantine(con, contract, f"({condition}) IS NOT TRUE", "batch.partition")


def _resolve_duplicates(con: duckdb.DuckDBPyConnection, contract: ContractModel) -> int:
    """Collapse exact duplicates, quarantine keys that still clash; returns how many rows collapsed."""
    key = quoted(facts_of(contract).key)
    # Hashes first: they find the few suspects in little memory; the suspects are then compared in full.
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE suspects AS SELECT rowid AS row, * FROM {STAGE} WHERE hash({key}) IN "
        f"(SELECT h FROM (SELECT hash({key}) AS h FROM {STAGE}) GROUP BY h HAVING count(*) > 1)"
    )
    if not _count(con, "suspects"):
        return 0
    columns = quoted(sql_types(contract))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE surplus AS SELECT row FROM suspects "
        f"QUALIFY row_number() OVER (PARTITION BY {columns} ORDER BY row) > 1"
    )
    con.execute(f"DELETE FROM {STAGE} WHERE rowid IN (SELECT row FROM surplus)")
    con.execute("DELETE FROM suspects WHERE row IN (SELECT row FROM surplus)")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE clashing AS SELECT row FROM suspects QUALIFY count(*) OVER (PARTITION BY {key}) > 1"
    )
    if _count(con, "clashing"):
        _move_to_quarantine(con, contract, "rowid IN (SELECT row FROM clashing)", "key.unique")
    return _count(con, "surplus")


def _move_to_quarantine(con: duckdb.DuckDBPyConnection, contract: ContractModel, condition: str, rule: str) -> None:
    columns = list(sql_types(contract))
    shown = ", ', ', ".join(f"'{n}=', \"{n}\"" for n in speakable_key(contract)) or "''"
    row = ", ".join(f'"{n}" := "{n}"' for n in columns)
    con.execute(
        f"INSERT INTO {QUARANTINE} SELECT {_ROW}, ['{rule}'], concat({shown}), CAST(to_json(struct_pack({row})) AS VARCHAR) "
        f"FROM {STAGE} WHERE {condition}"
    )
    con.execute(f"DELETE FROM {STAGE} WHERE {condition}")
