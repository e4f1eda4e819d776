"""The fingerprint of a recipe: it changes with what is declared, and with nothing else."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandera.polars as pa
import polars as pl
import pytest

from groningen_data.contracts.base import Contract, column, table
from groningen_data.gate.recipe import Recipe
from groningen_data.gate.suite import BatchFacts, Expectation, usual_volume
from tests.unit.gate.test_judge import FACTS

PROJECT = Path(__file__).parents[3]


def contract(above: int = 0, minimum: int = 1, title: str = "Number", **facts):
    class Numbers(Contract):
        """Numbers, made up."""

        number: int = column("Getal", title, ge=minimum)

        @pa.check("number")
        @classmethod
        def is_large(cls, data):
            return data.lazyframe.select(pl.col(data.key) > above)

        class Config(Contract.Config):
            metadata = table(**FACTS | {"key": ("number",)} | facts)

    return Numbers


def suite(kwargs, **changes):
    return (replace(Expectation("limits", "expect_table_row_count_to_be_between", "In words.", kwargs=kwargs), **changes),)


RECIPE = Recipe(contract(), suite({"min_value": 1, "max_value": 5}))
LIMIT = 3


@pytest.mark.parametrize(
    "changed",
    [
        Recipe(contract(minimum=2), RECIPE.suite),
        Recipe(contract(above=1), RECIPE.suite),
        Recipe(contract(tolerance=0.5), RECIPE.suite),
        Recipe(contract(), suite({"min_value": 2, "max_value": 5})),
        Recipe(contract(), suite({"min_value": 1, "max_value": 5}, severity="warning")),
        Recipe(contract(), suite({"min_value": 1, "max_value": 5}, type="expect_other")),
        Recipe(contract(), ()),
    ],
)
def test_another_rule_or_expectation_gives_another_fingerprint(changed):
    assert changed.fingerprint() != RECIPE.fingerprint()


def test_the_order_of_arguments_and_the_titles_of_columns_change_nothing():
    same = Recipe(contract(title="Figure"), suite({"max_value": 5, "min_value": 1}))
    assert same.fingerprint() == RECIPE.fingerprint()


def _from_rows(facts: BatchFacts):
    return {"min_value": facts.rows}


def _from_earlier(facts: BatchFacts):
    return {"min_value": facts.earlier_rows}


def _above_limit(facts: BatchFacts):
    return {"min_value": LIMIT}


def test_functions_count_by_what_they_do(monkeypatch):
    functions = [_from_rows, _from_earlier, _above_limit, usual_volume(), usual_volume(0.1), lambda facts: {"min_value": 1}]
    prints = [Recipe(contract(), suite(function)).fingerprint() for function in functions]
    assert len(set(prints)) == len(prints)
    assert Recipe(contract(), suite(usual_volume())).fingerprint() == prints[3]
    monkeypatch.setitem(globals(), "LIMIT", 4)
    assert Recipe(contract(), suite(_above_limit)).fingerprint() != prints[2]


DEFINITIONS = """
import sys
from pathlib import Path
from assets import all_recipes
from groningen_data.contracts import all_contracts
from groningen_data.gate.derive import mart_sql
from groningen_data.lakehouse import Lakehouse
from groningen_data.lakehouse.tables import ensure_table
from groningen_data.settings import load_settings

settings, recipes = load_settings(data_dir=Path(sys.argv[1])), all_recipes().values()
print([recipe.fingerprint() for recipe in recipes])
with Lakehouse(settings).writer("look") as con:
    first, *others = all_contracts().values()
    ensure_table(con, first, others)
    print([mart_sql(con, recipe, settings, lambda source: True) for recipe in recipes if recipe.expression])
"""


def test_every_process_finds_the_same_definitions(tmp_path, monkeypatch, capsys):
    """Otherwise tables would be made anew in one night and not in the next: Python orders sets by chance."""
    other = subprocess.run(
        [sys.executable, "-c", DEFINITIONS, str(tmp_path / "other")],
        cwd=PROJECT,
        env={"PYTHONHASHSEED": "1" if os.environ.get("PYTHONHASHSEED") == "3" else "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    monkeypatch.setattr(sys, "argv", ["this process", str(tmp_path / "this")])
    exec(DEFINITIONS, {})
    assert capsys.readouterr().out == other.stdout
