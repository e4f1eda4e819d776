"""Publishing or rejecting staged batches, in transactions that also write the ledger."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from time import monotonic

import duckdb

from groningen_data.contracts.base import ContractModel, facts_of, sql_types
from groningen_data.gate.plan import is_day
from groningen_data.gate.stage import QUARANTINE, STAGE, partition_filter, quoted
from groningen_data.lakehouse import ledger
from groningen_data.lakehouse.connection import is_usable, reading
from groningen_data.lakehouse.tables import existing_columns

_MOST_TOGETHER = 100


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


def touched_months(con: duckdb.DuckDBPyConnection, contract: ContractModel, key: str, is_first: bool = False) -> list[str]:
    """Months (`2026-03`) that publishing the staged batch changes, so that marts know what to make again; `*` for all.

    With `is_first` nothing of the batch was published before.
    """
    facts = facts_of(contract)
    if is_day(key[:10]):
        return [key[:7]]
    if facts.period_column is None:
        return [ledger.EVERY_MONTH]
    columns = quoted(name for name in sql_types(contract) if name not in facts.running_columns)
    chosen = partition_filter(contract, key)
    old = f"SELECT {columns} FROM lake.{facts.name} WHERE {chosen}"
    new = f"SELECT {columns} FROM {STAGE}"
    month = f"strftime(\"{facts.period_column}\", '%Y-%m')"
    differing = f"(({new}) EXCEPT ALL ({old})) UNION ALL (({old}) EXCEPT ALL ({new}))"
    changed = new if is_first and facts.load_mode != "merge" else differing
    return [month for (month,) in con.execute(f"SELECT DISTINCT {month} FROM ({changed}) ORDER BY 1").fetchall()]


@dataclass
class Publisher:
    """Publishes or rejects staged batches of one table, and records each in the ledger in the same transaction.

    Where batches are small and many, several of them share a transaction: committing is the dearest part of a small batch. Either all
    of these are in the lake, with their ledger rows, or none is, and the next run gates them again.

    Args:
        con: A writer's connection.
        contract: Contract of the table.
        together_s: For how many seconds at most batches gather in one transaction; 0 for one each.
        tell: Hears a line per batch once it is in the lake.
    """

    con: duckdb.DuckDBPyConnection
    contract: ContractModel
    together_s: float
    tell: Callable[[str], None]
    _waiting: list[tuple[ledger.BatchRecord, str]] = field(default_factory=list)
    _since: float = 0.0
    _is_whole: bool = True

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Reads of the lake that also see the batches that wait for their commit."""
        with nullcontext() if self._waiting else reading(self.con):
            yield

    def publish(self, batch: ledger.BatchRecord, told: str, earlier: ledger.LatestBatch | None) -> None:
        """Make the staged rows of a batch the published ones, or only record it when its outcome is not `published`.

        Args:
            batch: The verdict.
            told: What to tell of it.
            earlier: The last verdict of this batch, whose rows make way; None when it is the first.
        """
        is_first = earlier is None
        con, facts, columns = self.con, facts_of(self.contract), quoted(sql_types(self.contract))
        if batch.outcome == "published":
            with self.reading():
                batch = replace(batch, touched_months=touched_months(con, self.contract, batch.key, is_first))
        with self._adding(batch, told):
            if batch.outcome == "published":
                if facts.load_mode == "merge":
                    key = quoted(facts.key)
                    con.execute(f"DELETE FROM lake.{facts.name} WHERE ({key}) IN (SELECT ({key}) FROM {STAGE})")
                elif not is_first:
                    con.execute(f"DELETE FROM lake.{facts.name} WHERE {partition_filter(self.contract, batch.key)}")
                con.execute(f"INSERT INTO lake.{facts.name} ({columns}) SELECT {columns} FROM {STAGE}")
            _keep_quarantine(con, batch, earlier)
            if not is_first and existing_columns(con, _staging_table(self.contract)):
                con.execute(f"DELETE FROM lake.{_staging_table(self.contract)} WHERE _batch_key = ?", [batch.key])

    def reject(self, batch: ledger.BatchRecord, told: str, earlier: ledger.LatestBatch | None, staged: bool) -> None:
        """Leave the published rows alone; keep the staged ones for inspection in the layer `staging`, and record the verdict."""
        con, table = self.con, _staging_table(self.contract)
        wanted = {"_batch_key": "VARCHAR", **sql_types(self.contract)}
        with self._adding(batch, told):
            existing = existing_columns(con, table)
            if existing and existing != wanted:
                con.execute(f"DROP TABLE lake.{table}")
            columns = ", ".join(f'"{name}" {kind}' for name, kind in wanted.items())
            con.execute(f"CREATE TABLE IF NOT EXISTS lake.{table} ({columns})")
            con.execute(f"DELETE FROM lake.{table} WHERE _batch_key = ?", [batch.key])
            if staged:
                columns = quoted(sql_types(self.contract))
                con.execute(f"INSERT INTO lake.{table} SELECT ?, {columns} FROM {STAGE}", [batch.key])
            _keep_quarantine(con, batch, earlier, staged)

    @contextmanager
    def _adding(self, batch: ledger.BatchRecord, told: str) -> Iterator[None]:
        if not self._waiting:
            self.con.execute("BEGIN")
            self._since = monotonic()
        self._is_whole = False
        yield
        self._waiting.append((batch, told))
        self._is_whole = True
        if self.left_s == 0 or len(self._waiting) >= _MOST_TOGETHER:
            self.commit()

    @property
    def left_s(self) -> float | None:
        """For how long what waits may wait; None when nothing does."""
        return max(self._since + self.together_s - monotonic(), 0) if self._waiting else None

    def commit(self) -> None:
        """Put what waits into the lake, and tell of it.

        Raises:
            duckdb.Error: It could not be committed, or nobody knows whether it was: the next run sees it in the ledger.
        """
        # Whatever becomes of it, it is never committed twice: without a transaction, only its ledger rows would be written.
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        batches = [batch for batch, _ in waiting]
        try:
            ledger.record(self.con, batches)
            self.con.execute(
                "CALL lake.set_commit_message('groningen-data', ?, extra_info => ?)", [_message(batches), _extra_info(batches)]
            )
            self.con.execute("COMMIT")
        except BaseException:
            _roll_back(self.con)
            raise
        for _, line in waiting:
            self.tell(line)

    def settle(self) -> str | None:
        """After an error: commit what waits, or undo it where the error came in the middle of a batch or ended the transaction.

        Returns:
            Of the batches that were undone, the key of the first; None when there are none.
        """
        if self._is_whole and is_usable(self.con):
            self.commit()
            return None
        lost = [batch.key for batch, _ in self._waiting]
        self._waiting, self._is_whole = [], True
        _roll_back(self.con)
        return min(lost, default=None)

    def restart(self) -> None:
        """Begin the reading transaction anew, after a query that failed ended it.

        Raises:
            LostError: Batches waited in it for their commit.
        """
        if self._waiting:
            raise LostError
        _roll_back(self.con)
        self.con.execute("BEGIN")


class LostError(Exception):
    """A query of a suite failed half-way, and ended the transaction in which earlier batches waited."""


def _roll_back(con: duckdb.DuckDBPyConnection) -> None:
    """End the transaction, unless it has ended already, as it has when committing failed."""
    with suppress(duckdb.Error):
        con.execute("ROLLBACK")


def _message(batches: Sequence[ledger.BatchRecord]) -> str:
    said = ", ".join(f"{batch.outcome} {batch.table} batch {batch.key}" for batch in batches)
    return f"{said} in run {batches[0].run_id}"


def _extra_info(batches: Sequence[ledger.BatchRecord]) -> str:
    return json.dumps(
        {
            "dataset": batches[0].table,
            "batches": [{"batch": batch.key, "batch_id": batch.batch_id} for batch in batches],
            "run": batches[0].run_id,
        }
    )


def _staging_table(contract: ContractModel) -> str:
    return f"staging.{facts_of(contract).short_name}"


def _keep_quarantine(
    con: duckdb.DuckDBPyConnection, batch: ledger.BatchRecord, earlier: ledger.LatestBatch | None, staged: bool = True
) -> None:
    """Replace the batch's quarantined rows: they always belong to its latest verdict."""
    # Looking for rows that are not there would read all that was ever set aside.
    if earlier is not None and earlier.quarantined:
        con.execute("DELETE FROM lake.quarantine.rows WHERE table_name = ? AND batch_key = ?", [batch.table, batch.key])
    if staged and batch.quarantined:
        con.execute(
            f"INSERT INTO lake.quarantine.rows SELECT ?, ?, ?, row_number, rules, row_key, original, ?, ? FROM {QUARANTINE}",
            [batch.batch_id, batch.table, batch.key, list(batch.payloads), batch.finished_at],
        )
