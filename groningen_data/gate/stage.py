"""Staging: the rows of one batch, judged slice by slice into scratch files, with bounded memory.

What only the whole batch can tell is judged in DuckDB afterwards: rows of another batch, exact duplicates, keys that clash.
"""

import queue
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from groningen_data.contracts.base import ContractModel, facts_of, polars_schema, sql_types
from groningen_data.errors import GroningenError
from groningen_data.gate.judge import judge, speakable_key
from groningen_data.lakehouse.scratch import set_aside

STAGE = "staged"
BATCH = "staged_batch"
QUARANTINE = "staged_quarantine"
_ROW = "_row"
_LEFT_OUT = "left_out"
_COMPARED = ("strangers", "suspect_hashes", "suspects", "surplus", "clashing")
_SLICES_AHEAD = 2


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


@dataclass(frozen=True)
class Judged:
    """The rows of a batch, judged one by one: Parquet files of accepted and of quarantined rows in `folder`, and their numbers."""

    folder: Path
    rows_in: int
    accepted: int
    quarantined: int


def judge_rows(contract: ContractModel, frames: Iterable[pl.DataFrame], slice_rows: int, folder: Path) -> Judged:
    """Judge the frames of one batch, slice by slice; needs no database, so that it can be done while another batch is audited.

    Args:
        contract: What the rows must meet.
        frames: The batch, in frames of any size; produced one step ahead in a thread of their own.
        slice_rows: Rows judged at a time.
        folder: An empty folder for the rows; must stay until the batch is published or rejected.

    Raises:
        PayloadError: A frame does not have the contract's columns, or cannot be produced.
    """
    rows_in = quarantined = 0
    for number, part in enumerate(_ahead(part for frame in frames for part in frame.iter_slices(slice_rows))):
        judged = judge(contract, part)
        numbers = pl.int_range(rows_in + 1, rows_in + part.height + 1, eager=True)
        if judged.quarantined.height:
            bad = judged.quarantined.with_columns(pl.col("row_number") + rows_in + 1)
            set_aside(bad, folder / f"quarantine-{number:06}.parquet")
            numbers = numbers.filter(~numbers.is_in(bad["row_number"].implode()))
            quarantined += bad.height
        set_aside(judged.accepted.with_columns(numbers.alias(_ROW)), folder / f"accepted-{number:06}.parquet")
        rows_in += part.height
    if not rows_in:
        set_aside(pl.DataFrame(schema={**polars_schema(contract), _ROW: pl.Int64}), folder / "accepted.parquet")
    return Judged(folder, rows_in, rows_in - quarantined, quarantined)


def stage(con: duckdb.DuckDBPyConnection, contract: ContractModel, key: str, judged: Judged) -> Staged:
    """Show the judged rows of one batch as `staged` (accepted) and `staged_quarantine` (the others, with reasons).

    `staged` also holds the number of the row within the batch; `staged_batch` shows it without. Both are views of Parquet files:
    writing them costs a fraction of what inserting into a table does, and the lake is fed from them. All of them are temporary
    objects of the connection: a transaction may write to these and to the lake, but to no other database beside the lake.

    Args:
        con: A writer's connection.
        contract: What the rows must meet.
        key: Batch key.
        judged: Its rows.

    Raises:
        GroningenError: Rows were lost on the way (a defect of ours).
    """
    _show(con, judged.folder)
    con.execute(f"CREATE OR REPLACE TEMP VIEW {BATCH} AS SELECT {quoted(sql_types(contract))} FROM {STAGE}")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {QUARANTINE} (row_number BIGINT, rules VARCHAR[], row_key VARCHAR, original VARCHAR)"
    )
    if judged.quarantined:
        files = _files(judged.folder, "quarantine")
        con.execute(f"INSERT INTO {QUARANTINE} SELECT row_number, rules, row_key, original FROM {files}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE {_LEFT_OUT} ({_ROW} BIGINT)")
    strangers = _quarantine_other_batches(con, contract, key, judged.folder)
    collapsed, clashing = _resolve_duplicates(con, contract, judged.folder)
    quarantined = judged.quarantined + strangers + clashing
    counts = con.execute(f"SELECT (SELECT count(*) FROM {STAGE}), (SELECT count(*) FROM {QUARANTINE})").fetchone()
    if counts != (judged.rows_in - quarantined - collapsed, quarantined):
        raise GroningenError(
            facts_of(contract).name,
            f"rows were lost while staging {key}: {judged}, of these {strangers} of other batches, {collapsed} collapsed, "
            f"{clashing} clashing; staged and quarantined: {counts}",
            "report this; nothing was published",
        )
    broken, examples = _reasons(con) if quarantined else ({}, ())
    return Staged(judged.rows_in, judged.rows_in - quarantined - collapsed, quarantined, collapsed, broken, examples)


def unstage(con: duckdb.DuckDBPyConnection) -> None:
    """Forget the batch that was staged last."""
    for name in (BATCH, STAGE):
        con.execute(f"DROP VIEW IF EXISTS {name}")
    for name in (QUARANTINE, _LEFT_OUT, *_COMPARED):
        con.execute(f"DROP TABLE IF EXISTS {name}")


def _reasons(con: duckdb.DuckDBPyConnection) -> tuple[dict[str, int], tuple[str, ...]]:
    """How often each rule was broken, and a few of the rows that broke one."""
    rules = con.execute(
        f"SELECT rule, count(*) FROM (SELECT unnest(rules) AS rule FROM {QUARANTINE}) GROUP BY rule ORDER BY 2 DESC, 1"
    ).fetchall()
    rows = con.execute(f"SELECT row_key FROM {QUARANTINE} GROUP BY 1 ORDER BY min(row_number) LIMIT 3").fetchall()
    return dict(rules), tuple(key for (key,) in rows)


def _ahead(slices: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same slices, produced in a thread of their own while the ones before are judged; errors come out in their place."""
    waiting: queue.Queue[pl.DataFrame | BaseException | None] = queue.Queue(_SLICES_AHEAD)
    is_abandoned = threading.Event()

    def hand_over(item: pl.DataFrame | BaseException | None) -> None:
        while not is_abandoned.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def produce() -> None:
        try:
            for part in slices:
                hand_over(part)
                if is_abandoned.is_set():
                    return
            hand_over(None)
        except BaseException as error:
            hand_over(error)

    producer = threading.Thread(target=produce, name="slices", daemon=True)
    producer.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        is_abandoned.set()
        producer.join()


def _files(folder: Path, kind: str) -> str:
    return f"read_parquet('{str(folder).replace(chr(39), chr(39) * 2)}/{kind}*.parquet')"


def _show(con: duckdb.DuckDBPyConnection, folder: Path, is_whole: bool = True) -> None:
    """(Re)make the view of the staged rows, without those left out since."""
    kept = "" if is_whole else f" WHERE {_ROW} NOT IN (SELECT {_ROW} FROM {_LEFT_OUT})"
    con.execute(f"CREATE OR REPLACE TEMP VIEW {STAGE} AS SELECT * FROM {_files(folder, 'accepted')}{kept}")


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row: Any = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0])


def _quarantine_other_batches(con: duckdb.DuckDBPyConnection, contract: ContractModel, key: str, folder: Path) -> int:
    """Quarantine rows that belong to another batch; returns how many."""
    condition = partition_filter(contract, key)
    if condition == "true":
        return 0
    con.execute(f"CREATE OR REPLACE TEMP TABLE strangers AS SELECT {_ROW} FROM {STAGE} WHERE ({condition}) IS NOT TRUE")
    return _move_to_quarantine(con, contract, "strangers", "batch.partition", folder)


def _resolve_duplicates(con: duckdb.DuckDBPyConnection, contract: ContractModel, folder: Path) -> tuple[int, int]:
    """Collapse exact duplicates, quarantine keys that still clash; returns how many rows collapsed, and how many clash."""
    key = quoted(facts_of(contract).key)
    # Hashes first: they find the few suspects in little memory; the suspects are then compared in full.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE suspect_hashes AS "
        f"SELECT h FROM (SELECT hash({key}) AS h FROM {STAGE}) GROUP BY h HAVING count(*) > 1"
    )
    if not _count(con, "suspect_hashes"):
        return 0, 0
    con.execute(f"CREATE OR REPLACE TEMP TABLE suspects AS SELECT * FROM {STAGE} WHERE hash({key}) IN (FROM suspect_hashes)")
    columns = quoted(sql_types(contract))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE surplus AS SELECT {_ROW} FROM suspects "
        f"QUALIFY row_number() OVER (PARTITION BY {columns} ORDER BY {_ROW}) > 1"
    )
    con.execute(f"DELETE FROM suspects WHERE {_ROW} IN (SELECT {_ROW} FROM surplus)")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE clashing AS SELECT {_ROW} FROM suspects QUALIFY count(*) OVER (PARTITION BY {key}) > 1"
    )
    if collapsed := _count(con, "surplus"):
        con.execute(f"INSERT INTO {_LEFT_OUT} FROM surplus")
        _show(con, folder, is_whole=False)
    return collapsed, _move_to_quarantine(con, contract, "clashing", "key.unique", folder)


def _move_to_quarantine(con: duckdb.DuckDBPyConnection, contract: ContractModel, chosen: str, rule: str, folder: Path) -> int:
    """Quarantine the staged rows whose numbers are in the table `chosen`, all for the same rule; returns how many."""
    moved = _count(con, chosen)
    if not moved:
        return 0
    columns = list(sql_types(contract))
    shown = ", ', ', ".join(f"'{n}=', \"{n}\"" for n in speakable_key(contract)) or "''"
    row = ", ".join(f'"{n}" := "{n}"' for n in columns)
    con.execute(
        f"INSERT INTO {QUARANTINE} SELECT {_ROW}, ['{rule}'], concat({shown}), CAST(to_json(struct_pack({row})) AS VARCHAR) "
        f"FROM {STAGE} WHERE {_ROW} IN (SELECT {_ROW} FROM {chosen})"
    )
    con.execute(f"INSERT INTO {_LEFT_OUT} FROM {chosen}")
    _show(con, folder, is_whole=False)
    return moved
