"""The ledger (`ops`): what was gated, with which verdict, from which payloads; written in the same transaction as the data.

Append-only: the latest row of a table's batch is its present state.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import duckdb

from groningen_data.lakehouse.tables import existing_tables

Outcome = Literal["published", "unchanged", "rejected"]
EVERY_MONTH = "*"
BATCHES = "lake.ops.batches"

TABLES: dict[str, dict[str, str]] = {
    "ops.batches": {
        "batch_id": "VARCHAR",
        "table_name": "VARCHAR",
        "batch_key": "VARCHAR",
        "identity": "VARCHAR",
        "outcome": "VARCHAR",
        "rows_in": "BIGINT",
        "rows_accepted": "BIGINT",
        "rows_quarantined": "BIGINT",
        "rows_collapsed": "BIGINT",
        "reason": "VARCHAR",
        "notes": "VARCHAR",
        "touched_months": "VARCHAR[]",
        "payloads": "VARCHAR[]",
        "run_id": "VARCHAR",
        "started_at": "TIMESTAMP WITH TIME ZONE",
        "finished_at": "TIMESTAMP WITH TIME ZONE",
    },
    "ops.checks": {
        "batch_id": "VARCHAR",
        "table_name": "VARCHAR",
        "batch_key": "VARCHAR",
        "check_name": "VARCHAR",
        "severity": "VARCHAR",
        "is_passed": "BOOLEAN",
        "observed": "VARCHAR",
        "observed_value": "DOUBLE",
        "sentence": "VARCHAR",
        "evaluated_at": "TIMESTAMP WITH TIME ZONE",
    },
    "ops.lineage": {
        "batch_id": "VARCHAR",
        "table_name": "VARCHAR",
        "batch_key": "VARCHAR",
        "input_kind": "VARCHAR",
        "input_name": "VARCHAR",
        "input_version": "VARCHAR",
    },
    "quarantine.rows": {
        "batch_id": "VARCHAR",
        "table_name": "VARCHAR",
        "batch_key": "VARCHAR",
        "row_number": "BIGINT",
        "rules": "VARCHAR[]",
        "row_key": "VARCHAR",
        "original": "VARCHAR",
        "payloads": "VARCHAR[]",
        "quarantined_at": "TIMESTAMP WITH TIME ZONE",
    },
}


@dataclass(frozen=True)
class CheckResult:
    """The verdict of one check over one batch: the contract, or one expectation."""

    name: str
    severity: Literal["error", "warning"]
    passed: bool
    sentence: str
    observed: str = ""
    value: float | None = None


@dataclass(frozen=True)
class BatchRecord:
    """One row of `ops.batches`, with its checks and lineage."""

    batch_id: str
    table: str
    key: str
    identity: str
    outcome: Outcome
    rows_in: int
    accepted: int
    quarantined: int
    collapsed: int
    started_at: datetime
    run_id: str
    reason: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)
    touched_months: Sequence[str] = ()
    payloads: Sequence[str] = ()
    checks: Sequence[CheckResult] = ()
    lineage: Sequence[tuple[str, str, str]] = ()
    finished_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def ensure_ledger(con: duckdb.DuckDBPyConnection) -> None:
    """Create the ledger's tables where they are missing."""
    have = existing_tables(con)
    for table, columns in TABLES.items():
        if table not in have:
            con.execute(f"CREATE TABLE lake.{table} ({', '.join(f'{n} {t}' for n, t in columns.items())})")


def record(con: duckdb.DuckDBPyConnection, batches: Sequence[BatchRecord]) -> None:
    """Append batches with their checks and lineage; to be called inside the publishing transaction."""
    _insert(
        con,
        "ops.batches",
        [
            [
                batch.batch_id,
                batch.table,
                batch.key,
                batch.identity,
                batch.outcome,
                batch.rows_in,
                batch.accepted,
                batch.quarantined,
                batch.collapsed,
                batch.reason,
                json.dumps(dict(batch.notes), ensure_ascii=False, default=str),
                list(batch.touched_months),
                list(batch.payloads),
                batch.run_id,
                batch.started_at,
                batch.finished_at,
            ]
            for batch in batches
        ],
    )
    heads = [(batch, [batch.batch_id, batch.table, batch.key]) for batch in batches]
    checks = [
        [*head, c.name, c.severity, c.passed, c.observed, c.value, c.sentence, batch.finished_at]
        for batch, head in heads
        for c in batch.checks
    ]
    _insert(con, "ops.checks", checks)
    _insert(con, "ops.lineage", [[*head, *line] for batch, head in heads for line in batch.lineage])


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[list[Any]]) -> None:
    if rows:
        row = f"({', '.join('?' * len(TABLES[table]))})"
        con.execute(f"INSERT INTO lake.{table} VALUES {', '.join([row] * len(rows))}", [v for r in rows for v in r])


@dataclass(frozen=True)
class LatestBatch:
    """The present state of one batch of a table."""

    key: str
    batch_id: str
    identity: str
    outcome: Outcome
    rows: int
    quarantined: int
    reason: str


@contextmanager
def at_hand(con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> Iterator[str]:
    """The batches of some tables in a temporary table, whose name it gives: the lake looks up its files for every question."""
    listed = ", ".join(f"'{table}'" for table in tables)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE batches_at_hand AS SELECT table_name, batch_key, batch_id, identity, outcome, rows_accepted, "
        f"rows_quarantined, reason, touched_months, run_id, finished_at FROM {BATCHES} WHERE table_name IN ({listed})"
    )
    yield "batches_at_hand"
    con.execute("DROP TABLE batches_at_hand")


def latest(con: duckdb.DuckDBPyConnection, table: str, batches: str = BATCHES) -> dict[str, LatestBatch]:
    """The latest verdict per batch key of a table."""
    rows = con.execute(
        f"SELECT batch_key, batch_id, identity, outcome, rows_accepted, rows_quarantined, reason FROM {batches} WHERE table_name = ? "
        "QUALIFY row_number() OVER (PARTITION BY batch_key ORDER BY finished_at DESC, batch_id DESC) = 1",
        [table],
    ).fetchall()
    return {row[0]: LatestBatch(*row) for row in rows}


@dataclass(frozen=True)
class Judged:
    """One verdict of one check, as the ledger has it."""

    key: str
    outcome: str
    check: CheckResult


def last_run_since(con: duckdb.DuckDBPyConnection, table: str, batches: str = BATCHES) -> datetime | None:
    """When the last run that judged a table was done with its first batch; None when none ever did."""
    row = con.execute(
        f"SELECT min(finished_at) FROM {batches} WHERE table_name = $1 AND run_id = "
        f"(SELECT max_by(run_id, (finished_at, batch_id)) FROM {batches} WHERE table_name = $1)",
        [table],
    ).fetchone()
    return row[0] if row else None


def last_judged(con: duckdb.DuckDBPyConnection, table: str, since: datetime | None = None) -> tuple[Judged, ...]:
    """For every check of a table the verdicts of the last run that judged it, oldest first; with `since`, only newer ones are read."""
    newer = f"AND c.evaluated_at >= TIMESTAMPTZ '{since.isoformat()}' " if since else ""
    rows = con.execute(
        "SELECT c.batch_key, b.outcome, c.check_name, c.severity, c.is_passed, c.sentence, c.observed, c.observed_value "
        "FROM lake.ops.checks AS c JOIN lake.ops.batches AS b USING (batch_id) WHERE c.table_name = ? "
        f"{newer}QUALIFY b.run_id = first_value(b.run_id) OVER (PARTITION BY c.check_name ORDER BY b.finished_at DESC, b.batch_id DESC) "
        "ORDER BY b.finished_at, b.batch_id",
        [table],
    ).fetchall()
    return tuple(Judged(key, outcome, CheckResult(*check)) for key, outcome, *check in rows)


def published_rows(con: duckdb.DuckDBPyConnection, table: str, batches: str = BATCHES) -> dict[str, int]:
    """Accepted rows per batch key, as last published."""
    return dict(
        con.execute(
            "SELECT batch_key, max_by(rows_accepted, (finished_at, batch_id)) "
            f"FROM {batches} WHERE table_name = ? AND outcome = 'published' GROUP BY batch_key",
            [table],
        ).fetchall()
    )


_Version = tuple[datetime, str]


@dataclass(frozen=True)
class Versions:
    """The newest published batch of a table: of all of it, and of what concerns each month (`2026-03`; `*` is every month)."""

    whole: _Version | None
    by_month: Mapping[str, _Version]

    @property
    def months(self) -> set[str]:
        """The months that its batches are about; none for tables without dates."""
        return set(self.by_month) - {EVERY_MONTH}

    def of(self, months: Sequence[str] | None = None) -> str:
        """The newest batch of the table, or of what concerns any of some months; `-` when there is none."""
        if months is None:
            return self.whole[1] if self.whole else "-"
        found = [self.by_month[month] for month in (*months, EVERY_MONTH) if month in self.by_month]
        return max(found)[1] if found else "-"


def published_by_month(batches: str = BATCHES) -> str:
    """SQL of all published batches: `table_name`, `finished_at`, `batch_id`, and each `month` that a batch is about.

    Every batch is there once more without a month: all of the table.
    """
    return (
        "(SELECT table_name, finished_at, batch_id, unnest(list_append(touched_months, NULL)) AS month "
        f"FROM {batches} WHERE outcome = 'published')"
    )


def versions_of(con: duckdb.DuckDBPyConnection, table: str, batches: str = BATCHES) -> Versions:
    """The versions of a table, read at once."""
    rows = con.execute(
        f"SELECT month, max((finished_at, batch_id)) FROM {published_by_month(batches)} WHERE table_name = ? GROUP BY month",
        [table],
    ).fetchall()
    found = {month: tuple(version.values()) if isinstance(version, dict) else version for month, version in rows}
    return Versions(found.pop(None, None), found)
