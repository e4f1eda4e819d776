"""Publishing or rejecting one staged batch: each is a single transaction that also writes the ledger."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import duckdb

from groningen_data.contracts.base import ContractModel, facts_of, sql_types
from groningen_data.gate.plan import is_day
from groningen_data.gate.stage import QUARANTINE, STAGE, partition_filter, quoted
from groningen_data.lakehouse import ledger
from groningen_data.lakehouse.tables import existing_columns


def is_unchanged(con: duckdb.DuckDBPyConnection, contract: ContractModel, key: str) -> bool:
    """Whether the staged rows are exactly the published ones of this batch."""
    facts = facts_of(contract)
    columns, chosen = quoted(sql_types(contract)), partition_filter(contract, key)
    if facts.load_mode == "merge":
        chosen = f"({quoted(facts.key)}) IN (SELECT ({quoted(facts.key)}) FROM {STAGE})"
    published = f"SELECT {columns} FROM lake.{facts.name} WHERE {chosen}"
    staged = f"SELECT {columns} FROM {STAGE}"
    counts = con.execute(f"SELECT (SELECT count(*) FROM ({published})), (SELECT count(*) FROM ({staged}))").fetchone()
    if counts is None or counts[0] != counts[1]:
        return False
    return con.execute(f"SELECT 1 FROM (({staged}) EXCEPT ALL ({published})) LIMIT 1").fetchone() is None


def touched_months(con: duckdb.DuckDBPyConnection, contract: ContractModel, key: str) -> list[str]:
    """Months (`2026-03`) that publishing the staged batch changes, so that marts know what to make again; `*` for all."""
    facts = facts_of(contract)
    if is_day(key[:10]):
        return [key[:7]]
    if facts.period_column is None:
        return [ledger.EVERY_MONTH]
    columns, chosen = quoted(sql_types(contract)), partition_filter(contract, key)
    old = f"SELECT {columns} FROM lake.{facts.name} WHERE {chosen}"
    new = f"SELECT {columns} FROM {STAGE}"
    month = f"strftime(\"{facts.period_column}\", '%Y-%m')"
    rows = con.execute(
        f"SELECT DISTINCT {month} FROM ((({new}) EXCEPT ALL ({old})) UNION ALL (({old}) EXCEPT ALL ({new}))) ORDER BY 1"
    ).fetchall()
    return [r[0] for r in rows]


def publish(con: duckdb.DuckDBPyConnection, contract: ContractModel, batch: ledger.BatchRecord, is_first: bool = False) -> None:
    """Make the staged rows of a batch the published ones, and record it, or only record it when nothing changed.

    Args:
        con: A writer's connection with a staged batch.
        contract: Contract of the table.
        batch: The verdict.
        is_first: Whether the ledger has no earlier verdict of this batch, so that nothing has to make way for it.
    """
    facts, columns = facts_of(contract), quoted(sql_types(contract))
    if batch.outcome == "published":
        batch = replace(batch, touched_months=touched_months(con, contract, batch.key))
    with _transaction(con, batch):
        if batch.outcome == "published":
            if facts.load_mode == "merge":
                key = quoted(facts.key)
                con.execute(f"DELETE FROM lake.{facts.name} WHERE ({key}) IN (SELECT ({key}) FROM {STAGE})")
            elif not is_first:
                con.execute(f"DELETE FROM lake.{facts.name} WHERE {partition_filter(contract, batch.key)}")
            con.execute(f"INSERT INTO lake.{facts.name} ({columns}) SELECT {columns} FROM {STAGE}")
        _keep_quarantine(con, batch, is_first=is_first)
        if not is_first and existing_columns(con, _staging_table(contract)):
            con.execute(f"DELETE FROM lake.{_staging_table(contract)} WHERE _batch_key = ?", [batch.key])
        ledger.record(con, batch)


def reject(con: duckdb.DuckDBPyConnection, contract: ContractModel, batch: ledger.BatchRecord, staged: bool) -> None:
    """Leave the published rows alone; keep the staged ones for inspection in the layer `staging`, and record it."""
    table = _staging_table(contract)
    wanted = {"_batch_key": "VARCHAR", **sql_types(contract)}
    with _transaction(con, batch):
        existing = existing_columns(con, table)
        if existing and existing != wanted:
            con.execute(f"DROP TABLE lake.{table}")
        columns = ", ".join(f'"{name}" {kind}' for name, kind in wanted.items())
        con.execute(f"CREATE TABLE IF NOT EXISTS lake.{table} ({columns})")
        con.execute(f"DELETE FROM lake.{table} WHERE _batch_key = ?", [batch.key])
        if staged:
            columns = quoted(sql_types(contract))
            con.execute(f"INSERT INTO lake.{table} SELECT ?, {columns} FROM {STAGE}", [batch.key])
        _keep_quarantine(con, batch, staged)
        ledger.record(con, batch)


def _staging_table(contract: ContractModel) -> str:
    return f"staging.{facts_of(contract).short_name}"


def _keep_quarantine(
    con: duckdb.DuckDBPyConnection, batch: ledger.BatchRecord, staged: bool = True, is_first: bool = False
) -> None:
    """Replace the batch's quarantined rows: they always belong to its latest verdict."""
    if not is_first:
        con.execute("DELETE FROM lake.quarantine.rows WHERE table_name = ? AND batch_key = ?", [batch.table, batch.key])
    if staged and batch.quarantined:
        con.execute(
            f"INSERT INTO lake.quarantine.rows SELECT ?, ?, ?, row_number, rules, row_key, original, ?, ? FROM {QUARANTINE}",
            [batch.batch_id, batch.table, batch.key, list(batch.payloads), batch.finished_at],
        )


@contextmanager
def _transaction(con: duckdb.DuckDBPyConnection, batch: ledger.BatchRecord) -> Iterator[None]:
    con.execute("BEGIN")
    try:
        yield
        con.execute(
            "CALL lake.set_commit_message('groningen-data', ?, extra_info => ?)",
            [
                f"{batch.outcome} {batch.table} batch {batch.key} in run {batch.run_id}",
                json.dumps({"dataset": batch.table, "batch": batch.key, "batch_id": batch.batch_id, "run": batch.run_id}),
            ],
        )
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
