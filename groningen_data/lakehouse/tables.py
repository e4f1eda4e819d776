"""Tables from contracts: creating them, and migrating them when a contract changes (add, widen, rename, allow NULL)."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from groningen_data.contracts.base import ContractModel, columns_of, facts_of, sql_types
from groningen_data.errors import LakehouseError

_WIDENS = {
    ("SMALLINT", "INTEGER"),
    ("SMALLINT", "BIGINT"),
    ("INTEGER", "BIGINT"),
    ("FLOAT", "DOUBLE"),
}


@dataclass(frozen=True)
class _Column:
    kind: str
    is_nullable: bool


def _columns(con: duckdb.DuckDBPyConnection, table: str | None = None) -> dict[str, dict[str, _Column]]:
    """The columns of every lake table, by its name, or of one."""
    # duckdb_tables() estimates the size of each table from the list of all its files, a quarter of a second or more.
    rows = con.execute(
        "SELECT concat(schema_name, '.', table_name) AS name, column_name, data_type, is_nullable FROM duckdb_columns() "
        f"WHERE database_name = 'lake' {'AND name = ?' if table else ''} ORDER BY schema_name, table_name, column_index",
        [table] if table else [],
    ).fetchall()
    found: dict[str, dict[str, _Column]] = {}
    for name, column, kind, is_nullable in rows:
        found.setdefault(name, {})[column] = _Column(kind, is_nullable)
    return found


def columns_by_table(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """SQL types per column of every lake table, by its name: `core.waste_reports`."""
    return {table: _kinds(columns) for table, columns in _columns(con).items()}


def existing_columns(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """SQL types per column of a lake table; empty when it does not exist."""
    return _kinds(_columns(con, table).get(table, {}))


def _kinds(columns: Mapping[str, _Column]) -> dict[str, str]:
    return {name: column.kind for name, column in columns.items()}


def existing_tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Names of the lake's tables: `core.waste_reports`."""
    return set(_columns(con))


def ensure_table(con: duckdb.DuckDBPyConnection, contract: ContractModel, others: Iterable[ContractModel] = ()) -> list[str]:
    """Create the contract's table, or bring it up to date; create those of other contracts that are missing as well.

    All of it is one transaction: one for each table takes a hundred times as long.

    Returns:
        The statements that changed a table that was there; empty when it already was what the contract says, or was created.

    Raises:
        LakehouseError: The contract asks for a change that would lose or reinterpret data.
    """
    existing, name = _columns(con), facts_of(contract).name
    own = _migration(contract, existing[name]) if name in existing else _creation(contract)
    missing = [other for other in others if facts_of(other).name not in {name, *existing}]
    if own or missing:
        with transaction(con, f"fit {name} to its contract" if own else "create tables"):
            for statement in [*own, *(statement for other in missing for statement in _creation(other))]:
                con.execute(statement)
    return own if name in existing else []


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection, message: str) -> Iterator[None]:
    """What is done within is committed to the lake with this message, or not at all."""
    con.execute("BEGIN")
    try:
        yield
        con.execute("CALL lake.set_commit_message('groningen-data', ?)", [message])
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise


def _creation(contract: ContractModel) -> list[str]:
    facts, schema = facts_of(contract), contract.to_schema()
    columns = ", ".join(
        f'"{name}" {kind}{"" if schema.columns[name].nullable else " NOT NULL"}' for name, kind in sql_types(contract).items()
    )
    statements = [f"CREATE TABLE lake.{facts.name} ({columns})", _comment(f"TABLE lake.{facts.name}", facts.title_en)]
    statements += [_comment(f'COLUMN lake.{facts.name}."{n}"', c.title_en) for n, c in columns_of(contract).items()]
    return statements


def _comment(target: str, text: str) -> str:
    return f"COMMENT ON {target} IS '{text.replace(chr(39), chr(39) * 2)}'"


def _migration(contract: ContractModel, existing: Mapping[str, _Column]) -> list[str]:
    table, wanted, facts = facts_of(contract).name, sql_types(contract), columns_of(contract)
    schema = contract.to_schema()
    statements: list[str] = []
    left = dict(existing)
    for name, kind in wanted.items():
        former = facts[name].renamed_from
        if name not in left and former in left:
            statements.append(f'ALTER TABLE lake.{table} RENAME COLUMN "{former}" TO "{name}"')
            left[name] = left.pop(former)
        if name not in left:
            # An added column is nullable whatever the contract says: rows of batches not gated again yet have no value.
            statements.append(f'ALTER TABLE lake.{table} ADD COLUMN "{name}" {kind}')
            continue
        held = left.pop(name)
        if not held.is_nullable and schema.columns[name].nullable:
            statements.append(f'ALTER TABLE lake.{table} ALTER COLUMN "{name}" DROP NOT NULL')
        if held.kind == kind:
            continue
        if (held.kind, kind) not in _WIDENS:
            raise LakehouseError(
                table,
                f"column {name} is {held.kind} and the contract wants {kind}, which could lose or reinterpret data",
                "give the column a new name in the contract, or, after `groningen backup`, run "
                f"`groningen drop {table}` and refresh: it is made again from the landing",
            )
        statements.append(f'ALTER TABLE lake.{table} ALTER COLUMN "{name}" SET DATA TYPE {kind}')
    if left:
        raise LakehouseError(
            table,
            f"holds columns the contract no longer has: {', '.join(left)}",
            "say `renamed_from=` on the new column, keep the old one, or, after `groningen backup`, run "
            f"`groningen drop {table}` and refresh: it is made again from the landing",
        )
    return statements
