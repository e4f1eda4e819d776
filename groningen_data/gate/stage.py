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

STAGE = "scratch.stage"
BATCH = "scratch.batch"
QUARANTINE = "scratch.quarantine"
_ROW = "_row"
_LEFT_OUT = "scratch.left_out"
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


def stage(
    con: duckdb.DuckDBPyConnection,
    contract: ContractModel,
    key: str,
    frames: Iterable[pl.DataFrame],
    slice_rows: int,
    folder: Path,
) -> Staged:
    """Judge the frames of one batch into `scratch.stage` (accepted) and `scratch.quarantine` (the others, with reasons).

    `scratch.stage` also holds the number of the row within the batch; `scratch.batch` shows it without. Both are views of
    Parquet files: writing them costs a fraction of what inserting into a table does, and the lake is fed from them.

    Args:
        con: A writer's connection.
        contract: What the rows must meet.
        key: Batch key.
        frames: The batch, in frames of any size; produced one step ahead in a thread of their own.
        slice_rows: Rows judged at a time.
        folder: An empty folder for the staged rows; must stay until the batch is published or rejected.

    Raises:
        PayloadError: A frame does not have the contract's columns, or cannot be produced.
        GroningenError: Rows were lost on the way (a defect of ours).
    """
    types = sql_types(contract)
    con.execute(f"CREATE OR REPLACE TABLE {QUARANTINE} (row_number BIGINT, rules VARCHAR[], row_key VARCHAR, original VARCHAR)")
    con.execute(f"CREATE OR REPLACE TABLE {_LEFT_OUT} ({_ROW} BIGINT)")
    rows_in = 0
    for part in _ahead(part for frame in frames for part in frame.iter_slices(slice_rows)):
        judged = judge(contract, part)
        numbers = pl.int_range(rows_in + 1, rows_in + part.height + 1, eager=True)
        if judged.quarantined.height:
            quarantined = judged.quarantined.with_columns(pl.col("row_number") + rows_in + 1)
            _insert(con, quarantined, f"INSERT INTO {QUARANTINE} SELECT row_number, rules, row_key, original FROM")
            numbers = numbers.filter(~numbers.is_in(quarantined["row_number"].implode()))
        _write(judged.accepted.with_columns(numbers.alias(_ROW)), folder)
        rows_in += part.height
    if not rows_in:
        _write(pl.DataFrame(schema={**polars_schema(contract), _ROW: pl.Int64}), folder)
    _show(con, folder)
    con.execute(f"CREATE OR REPLACE VIEW {BATCH} AS SELECT {quoted(types)} FROM {STAGE}")
    _quarantine_other_batches(con, contract, key, folder)
    collapsed = _resolve_duplicates(con, contract, folder)
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


def _write(rows: pl.DataFrame, folder: Path) -> None:
    set_aside(rows, folder / f"{len(list(folder.iterdir())):06}.parquet")


def _show(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """(Re)make the view of the staged rows, without those left out since."""
    files = f"read_parquet('{str(folder).replace(chr(39), chr(39) * 2)}/*.parquet')"
    kept = f" WHERE {_ROW} NOT IN (SELECT {_ROW} FROM {_LEFT_OUT})" if _count(con, _LEFT_OUT) else ""
    con.execute(f"CREATE OR REPLACE VIEW {STAGE} AS SELECT * FROM {files}{kept}")


def _insert(con: duckdb.DuckDBPyConnection, frame: pl.DataFrame, statement: str) -> None:
    """Run an INSERT whose last word is a frame; registered by name, because Ibis switches replacement scans off."""
    con.register("frame_to_insert", frame.to_arrow())
    con.execute(f"{statement} frame_to_insert")
    con.unregister("frame_to_insert")


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row: Any = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0])


def _quarantine_other_batches(con: duckdb.DuckDBPyConnection, contract: ContractModel, key: str, folder: Path) -> None:
    condition = partition_filter(contract, key)
    if condition != "true":
        con.execute(f"CREATE OR REPLACE TEMP TABLE strangers AS SELECT {_ROW} FROM {STAGE} WHERE ({condition}) IS NOT TRUE")
        _move_to_quarantine(con, contract, "strangers", "batch.partition", folder)


def _resolve_duplicates(con: duckdb.DuckDBPyConnection, contract: ContractModel, folder: Path) -> int:
    """Collapse exact duplicates, quarantine keys that still clash; returns how many rows collapsed."""
    key = quoted(facts_of(contract).key)
    # Hashes first: they find the few suspects in little memory; the suspects are then compared in full.
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE suspects AS SELECT * FROM {STAGE} WHERE hash({key}) IN "
        f"(SELECT h FROM (SELECT hash({key}) AS h FROM {STAGE}) GROUP BY h HAVING count(*) > 1)"
    )
    if not _count(con, "suspects"):
        return 0
    columns = quoted(sql_types(contract))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE surplus AS SELECT {_ROW} FROM suspects "
        f"QUALIFY row_number() OVER (PARTITION BY {columns} ORDER BY {_ROW}) > 1"
    )
    con.execute(f"DELETE FROM suspects WHERE {_ROW} IN (SELECT {_ROW} FROM surplus)")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE clashing AS SELECT {_ROW} FROM suspects QUALIFY count(*) OVER (PARTITION BY {key}) > 1"
    )
    con.execute(f"INSERT INTO {_LEFT_OUT} FROM surplus")
    _move_to_quarantine(con, contract, "clashing", "key.unique", folder)
    return _count(con, "surplus")


def _move_to_quarantine(con: duckdb.DuckDBPyConnection, contract: ContractModel, chosen: str, rule: str, folder: Path) -> None:
    """Quarantine the staged rows whose numbers are in the table `chosen`, all for the same rule."""
    columns = list(sql_types(contract))
    shown = ", ', ', ".join(f"'{n}=', \"{n}\"" for n in speakable_key(contract)) or "''"
    row = ", ".join(f'"{n}" := "{n}"' for n in columns)
    con.execute(
        f"INSERT INTO {QUARANTINE} SELECT {_ROW}, ['{rule}'], concat({shown}), CAST(to_json(struct_pack({row})) AS VARCHAR) "
        f"FROM {STAGE} WHERE {_ROW} IN (SELECT {_ROW} FROM {chosen})"
    )
    con.execute(f"INSERT INTO {_LEFT_OUT} FROM {chosen}")
    _show(con, folder)
