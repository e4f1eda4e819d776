"""How a derived table's rows come about: the SQL of its expression, or the frames of its analysis, over published tables."""

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import facts_of
from groningen_data.errors import GroningenError, PayloadError
from groningen_data.gate.recipe import AnalysisContext, MartContext, Recipe
from groningen_data.settings import Settings

# The machine's trouble is no verdict on a batch: it ends the pass, and the next one tries again.
PASSING = (OSError, MemoryError, duckdb.IOException, duckdb.OutOfMemoryException)


def mart_sql(con: duckdb.DuckDBPyConnection, recipe: Recipe, settings: Settings, covers: Callable[[str], bool]) -> str:
    """The SQL that a derived table's Ibis expression compiles to; monthly ones read the DuckDB variable `month`."""
    import ibis

    assert recipe.expression is not None
    context = MartContext(named_tables(con, recipe), settings, covers)
    return str(ibis.to_sql(recipe.expression(context), dialect="duckdb"))


def named_tables(con: duckdb.DuckDBPyConnection, recipe: Recipe) -> Callable[[str], Any]:
    """Gives published tables as Ibis, only those that the recipe names; to what is made month by month without running columns."""
    import ibis

    backend = ibis.duckdb.from_connection(con)

    def table(name: str) -> Any:
        require_named(recipe, name)
        schema, short = name.split(".", 1)
        found = backend.table(short, database=("lake", schema))
        contract = all_contracts().get(name)
        running = facts_of(contract).running_columns if contract else ()
        if not running or not recipe.is_monthly:
            return found
        # Not `drop`: it names what is left out in another order in every process, and the SQL is what tells whether months are due.
        return found.select([column for column in found.columns if column not in running])

    return table


def require_named(recipe: Recipe, table: str) -> None:
    """Refuse to read a table that the recipe does not name: its changes would go unnoticed.

    Raises:
        GroningenError: It is not named.
    """
    if table not in (*recipe.uses, *recipe.optional_inputs):
        raise GroningenError(recipe.facts.name, f"reads {table} without naming it in `uses`", "add it to the recipe's uses")


def definition_of(recipe: Recipe, settings: Settings, sql: str | None) -> str:
    """What a derived table's rows depend on besides its inputs: the SQL of its expression, or its analysis's own definition."""
    assert recipe.is_derived
    return recipe.analysis.definition(settings) if recipe.analysis else str(sql)


def analysed(
    con: duckdb.DuckDBPyConnection, recipe: Recipe, settings: Settings, covers: Callable[[str], bool], notes: dict[str, Any]
) -> Iterator[pl.DataFrame]:
    """The rows of a recipe's analysis; monthly ones read the DuckDB variable `month`.

    Args:
        con: A connection with the lake attached.
        recipe: The table.
        settings: The settings of this run.
        covers: Whether a source (by name) says anything about the municipality.
        notes: Gets what the analysis wants kept with the batch.

    Raises:
        PayloadError: It cannot be computed: the batch is rejected, and what is published stays.
    """
    import ibis

    def frame(expression: ibis.Table) -> pl.DataFrame:
        return con.execute(str(ibis.to_sql(expression, dialect="duckdb"))).pl()

    def earlier() -> pl.DataFrame:
        return con.execute(f"SELECT * FROM lake.{recipe.facts.name}").pl()

    assert recipe.analysis is not None
    try:
        context = AnalysisContext(named_tables(con, recipe), settings, covers, frame, notes, earlier)
        yield from recipe.analysis.compute(context)
    except (GroningenError, *PASSING):
        raise
    except Exception as error:
        raise PayloadError(
            recipe.facts.name, f"cannot be computed ({kind_of(error)})", "look at its inputs, and mend the analysis"
        ) from error


def kind_of(error: Exception) -> str:
    """What went wrong and where; not the error's text, which may quote rows."""
    places = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {Path(places[-1].filename).name}:{places[-1].lineno}" if places else type(error).__name__
