"""Tables from contracts, and what happens to their rows when the contract changes."""

from typing import Any

import duckdb
import polars as pl
import pytest

from groningen_data.contracts.base import Contract, ContractModel, column, table
from groningen_data.errors import LakehouseError
from groningen_data.lakehouse.tables import ensure_table, existing_columns
from tests.integration.lakehouse.lakes import ON_SQLITE

NAME = "core.waste_containers"


def contract(**columns: Any) -> ContractModel:
    """A contract of one table; each column as (polars type, its facts)."""
    config = type(
        "Config",
        (Contract.Config,),
        {
            "metadata": table(
                name=NAME,
                title_nl="Containers",
                title_en="The city's containers",
                grain="one container",
                key=("container_id",),
                owner="Stadsbeheer",
                purpose="To test migration.",
                legal_basis="None needed",
                classification="public",
                retention="as long as the test",
                freshness_days=1,
                load_mode="snapshot",
            )
        },
    )
    return type(
        "Containers",
        (Contract,),
        {"__annotations__": {n: t for n, (t, _) in columns.items()}, **{n: f for n, (_, f) in columns.items()}, "Config": config},
    )


def first() -> ContractModel:
    return contract(
        container_id=(str, column("Nummer", "Number")),
        weight=(pl.Int32, column("Gewicht", "Weight")),
        note=(str, column("Opmerking", "The city's note", nullable=True)),
    )


@pytest.fixture
def filled(lakehouse):
    with lakehouse.writer("create") as con:
        assert ensure_table(con, first()) == [] and existing_columns(con, NAME)
        assert ensure_table(con, first()) == []
        con.execute(f"INSERT INTO lake.{NAME} VALUES ('c1', 12, 'full'), ('c2', 7, NULL)")
    return lakehouse


def test_a_table_is_what_its_contract_says(filled):
    with filled.reader() as con:
        assert existing_columns(con, NAME) == {"container_id": "VARCHAR", "weight": "INTEGER", "note": "VARCHAR"}
        comments = con.execute("SELECT comment FROM duckdb_columns() WHERE table_name = 'waste_containers' ORDER BY column_index")
        assert [c for (c,) in comments.fetchall()] == ["Number", "Weight", "The city's note"]
    with filled.writer("insert") as con, pytest.raises(duckdb.ConstraintException):
        con.execute(f"INSERT INTO lake.{NAME} VALUES ('c3', NULL, NULL)")


def test_columns_are_added_renamed_widened_and_loosened_with_their_rows(filled):
    second = contract(
        container_id=(str, column("Nummer", "Number")),
        weight_kg=(pl.Int64, column("Gewicht", "Weight", unit="kg", renamed_from="weight", nullable=True)),
        note=(str, column("Opmerking", "Note", nullable=True)),
        is_full=(bool, column("Vol", "Full")),
    )
    with filled.writer("migrate") as con:
        assert len(ensure_table(con, second)) == 4
        assert ensure_table(con, second) == []
        added = "('c3', NULL, true), ('c4', 5000000000, false)"
        con.execute(f"INSERT INTO lake.{NAME} (container_id, weight_kg, is_full) VALUES {added}")
        rows = con.execute(f"SELECT container_id, weight_kg, note, is_full FROM lake.{NAME} ORDER BY 1").fetchall()
        before = con.execute(f"SELECT * FROM lake.{NAME} AT (VERSION => 3) ORDER BY 1").fetchall()
    assert rows == [("c1", 12, "full", None), ("c2", 7, None, None), ("c3", None, None, True), ("c4", 5_000_000_000, None, False)]
    assert before == [("c1", 12, "full"), ("c2", 7, None)]


@ON_SQLITE
def test_a_change_that_could_lose_data_is_refused_with_a_way_out(filled):
    columns = {
        "container_id": (str, column("Nummer", "Number")),
        "weight": (pl.Int32, column("Gewicht", "Weight")),
        "note": (str, column("Opmerking", "Note", nullable=True)),
        "colour": (str, column("Kleur", "Colour", nullable=True)),
    }
    changes = [
        ({"note": None}, "holds columns the contract no longer has: note"),
        ({"weight": (pl.Int16, column("Gewicht", "Weight"))}, "column weight is INTEGER and the contract wants SMALLINT"),
        ({"weight": (str, column("Gewicht", "Weight"))}, "column weight is INTEGER and the contract wants VARCHAR"),
        ({"note": (pl.Date, column("Datum", "Date", nullable=True))}, "column note is VARCHAR and the contract wants DATE"),
    ]
    with filled.writer("migrate") as con:
        for change, problem in changes:
            changed = contract(**{name: facts for name, facts in (columns | change).items() if facts})
            with pytest.raises(LakehouseError, match=rf"{problem}.*`groningen drop {NAME}` and refresh"):
                ensure_table(con, changed)
            assert list(existing_columns(con, NAME)) == ["container_id", "weight", "note"], "nothing was changed by half"
        assert con.execute(f"SELECT count(*) FROM lake.{NAME}").fetchone() == (2,)
