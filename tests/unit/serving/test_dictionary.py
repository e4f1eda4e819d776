"""The dictionary on contracts made for the test, without a lake."""

from datetime import UTC, datetime

import duckdb
import pytest

from groningen_data.contracts.base import Contract, ContractModel, column, table
from groningen_data.errors import ContractError
from groningen_data.serving.dictionary import TABLES, Dictionary


def contract(name: str, personal_data: str = "none") -> ContractModel:
    class Clients(Contract):
        """People."""

        client: str = column("Klant", "Client", personal_data=personal_data)

        class Config(Contract.Config):
            metadata = table(
                name=name,
                title_nl="Klanten",
                title_en="Clients",
                grain="one client",
                key=("client",),
                owner="Werk en Inkomen",
                purpose="An example.",
                legal_basis="none needed",
                classification="confidential",
                reason_not_public="people",
                retention="none",
                freshness_days=1,
                load_mode="snapshot",
            )

    return Clients


def written(*contracts: ContractModel, rows: int = 0) -> duckdb.DuckDBPyConnection:
    """A connection with database `served` whose dictionary tells of tables with that many rows, and an empty ledger."""
    con = duckdb.connect()
    con.execute("ATTACH ':memory:' AS served")

    def relation(name, types):
        return f"(SELECT {', '.join(f'CAST(NULL AS {kind}) AS {column}' for column, kind in types.items())} WHERE false)"

    named = {c.__config__.metadata["groningen"].name: c for c in contracts}
    dictionary = Dictionary(named, relation, dict.fromkeys(named, rows), datetime(2026, 3, 16, tzinfo=UTC))
    with dictionary.ledger_at_hand(con):
        dictionary.write(con, "served")
    return con


@pytest.mark.parametrize(("personal_data", "shown"), [("pseudonym", 120), ("none", 123)])
def test_the_number_of_rows_is_protected_where_rows_are_people(personal_data, shown):
    con = written(contract("core.welfare_clients", personal_data), rows=123)
    assert con.execute("SELECT rows, is_served, is_fresh FROM served.dictionary.tables").fetchall() == [(shown, False, False)]


def test_a_table_that_is_not_served_has_the_columns_of_its_contract():
    con = written(contract("core.welfare_clients", "pseudonym"))
    columns = con.execute("SELECT * EXCLUDE (title_nl, title_en) FROM served.dictionary.columns").fetchall()
    assert columns == [("welfare_clients", "client", 1, None, "VARCHAR", "pseudonym", False, None, None)]


def test_two_tables_of_one_short_name_are_refused():
    with pytest.raises(ContractError, match=r"same short name as core\.welfare_clients"):
        written(contract("core.welfare_clients"), contract("collective.welfare_clients"))


def test_every_dictionary_table_and_column_has_a_comment():
    con = written(contract("core.welfare_clients"))
    tables = con.execute("SELECT table_name FROM duckdb_tables() WHERE comment IS NOT NULL ORDER BY ALL").fetchall()
    assert tables == [(name,) for name in sorted(TABLES)]
    assert con.execute("SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND comment IS NULL").fetchone() == (0,)
