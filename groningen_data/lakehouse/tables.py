"""Tables from contracts: creating them, and migrating them when a contract changes (add, widen, rename, allow NULL)."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import duckdb

from groningen_data.contracts.base import ContractModel, columns_of, facts_of, sql_types
from groningen_data.errors import LakehouseError

_WIDENS = {
    ("SMALLINT", "INTEGER"),
    ("SMALLINT", "BIGINT"),
    ("INTEGER", "BIGINT"),
    ("FLOAT", "DOUBLE"),
}


def existing_columns(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """SQL types per column of a lake table; empty when it does not exist."""
    schema, name = table.split(".", 1)
    rows = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = 'lake' AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [schema, name],
    ).fetchall()
    return dict(rows)


def columns_by_table(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """SQL types per column of every lake table, by its name: `core.waste_reports`."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in con.execute(
        "SELECT concat(schema_name, '.', table_name), column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = 'lake' ORDER BY schema_name, table_name, column_index"
    ).fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def existing_tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Names of the lake's tables: `core.waste_reports`."""
    # By their columns: duckdb_tables() estimates the size of each table from the list of all its files, a quarter of a second or more.
    sql = "SELECT DISTINCT concat(schema_name, '.', table_name) FROM duckdb_columns() WHERE database_name = 'lake'"
    return {name for (name,) in con.execute(sql).fetchall()}


def create_missing(con: duckdb.DuckDBPyConnection, contracts: Iterable[ContractModel]) -> None:
    """Create those of the contracts' tables that are missing, in one transaction: one each takes a hundred times as long."""
    existing = existing_tables(con)
    missing = [contract for contract in contracts if facts_of(contract).name not in existing]
    if missing:
        _run(con, [statement for contract in missing for statement in _creation(contract)], "create tables")


def ensure_table(con: duckdb.DuckDBPyConnection, contract: ContractModel) -> list[str]:
    """Create the contract's table, or bring it up to date.

    Returns:
        The statements that were run; empty when the table already is what the contract says.

    Raises:
        LakehouseError: The contract asks for a change that would lose or reinterpret data.
    """
    statements = _creation(contract) if not (existing := existing_columns(con, facts_of(contract).name)) else []
    statements = statements or _migration(contract, existing, _required_columns(con, facts_of(contract).name))
    if statements:
        _run(con, statements, f"fit {facts_of(contract).name} to its contract")
    return statements


def _run(con: duckdb.DuckDBPyConnection, statements: Sequence[str], message: str) -> None:
    with transaction(con, message):
        for statement in statements:
            con.execute(statement)


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


def _required_columns(con: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    schema, name = table.split(".", 1)
    rows = con.execute(
        "SELECT column_name FROM duckdb_columns() "
        "WHERE database_name = 'lake' AND schema_name = ? AND table_name = ? AND NOT is_nullable",
        [schema, name],
    ).fetchall()
    return {r[0] for r in rows}


def _migration(contract: ContractModel, existing: dict[str, str], required: set[str]) -> list[str]:
    table, wanted, facts = facts_of(contract).name, sql_types(contract), columns_of(contract)
    schema = contract.to_schema()
    statements: list[str] = []
    left = dict(existing)
    for name, kind in wanted.items():
        former = facts[name].renamed_from
        is_required = name in required
        if name not in left and former in left:
            statements.append(f'ALTER TABLE lake.{table} RENAME COLUMN "{former}" TO "{name}"')
            left[name] = left.pop(former)
            is_required = former in required
        if name not in left:
            # An added column is nullable whatever the contract says: rows of batches not gated again yet have no value.
            statements.append(f'ALTER TABLE lake.{table} ADD COLUMN "{name}" {kind}')
            continue
        held = left.pop(name)
        if is_required and schema.columns[name].nullable:
            statements.append(f'ALTER TABLE lake.{table} ALTER COLUMN "{name}" DROP NOT NULL')
        if held == kind:
            continue
        if (held, kind) not in _WIDENS:
            raise LakehouseError(
                table,
                f"column {name} is {held} and the contract wants {kind}, which could lose or reinterpret data",
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
