"""Contracts: complete, safe to serve, and with a sentence for every rule by which a row can be refused."""

import ast
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets import all_recipes
from groningen_data import contracts, sources
from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import (
    Contract,
    ContractModel,
    Protection,
    Rate,
    column,
    columns_of,
    facts_of,
    problems_of,
    rules_of,
    sql_type,
    sql_types,
    table,
)
from groningen_data.errors import ContractError

COMPLETE: dict[str, Any] = {
    "name": "core.waste_things",
    "title_nl": "Dingen",
    "title_en": "Things",
    "grain": "one thing",
    "key": ("thing_id",),
    "owner": "Stadsbeheer",
    "purpose": "Test",
    "legal_basis": "made up",
    "classification": "internal",
    "reason_not_public": "made up",
    "retention": "none",
    "freshness_days": 1,
    "load_mode": "snapshot",
}


def made_up(doc: str | None = "Things, made up.", count: Any = None, **facts: Any) -> ContractModel:
    """A contract with the column `count` as given, and with facts that differ from complete ones."""

    class Things(Contract):
        thing_id: str = column("Ding", "Thing")
        noted_on: pl.Date = column("Dag", "Day")
        people: int = count if count is not None else column("Aantal", "Number")

        class Config(Contract.Config):
            metadata = table(**COMPLETE | facts)

    Things.__doc__ = doc
    return Things


@pytest.mark.parametrize("name", all_contracts())
def test_each_contract_is_complete(name):
    contract = all_contracts()[name]
    assert problems_of(contract) == []
    assert facts_of(contract).name == name
    assert len(sql_types(contract)) == len(columns_of(contract))


@pytest.mark.parametrize("name", all_contracts())
def test_each_rule_has_an_id_of_its_own_and_a_sentence(name):
    rules = rules_of(all_contracts()[name])
    assert len({rule.id for rule in rules}) == len(rules)
    assert [rule.id for rule in rules if not rule.sentence.strip() or "{" in rule.sentence.replace(r"\d{", "")] == []


def test_the_made_up_contract_is_complete():
    assert problems_of(made_up()) == []


@pytest.mark.parametrize(
    ("told", "facts"),
    [
        ("no title_nl", {"title_nl": ""}),
        ("no title_en", {"title_en": ""}),
        ("no grain", {"grain": ""}),
        ("no owner", {"owner": ""}),
        ("no purpose", {"purpose": ""}),
        ("no legal_basis", {"legal_basis": ""}),
        ("no classification", {"classification": ""}),
        ("no retention", {"retention": ""}),
        ("no description", {"doc": None}),
        ("no description", {"doc": "  "}),
        ("no description", {"doc": Contract.__doc__}),
        ("freshness_days must be positive", {"freshness_days": 0}),
        ("no reason_not_public", {"reason_not_public": ""}),
        ("unknown layer", {"name": "gold.waste_things"}),
        ("key () is empty", {"key": ()}),
        ("not among the columns", {"key": ("thing_id", "other")}),
        ("partition_columns belong to load mode partition", {"load_mode": "partition"}),
        ("partition_columns belong to load mode partition", {"partition_columns": ("noted_on",)}),
        ("partition_columns ('other',) are not among", {"load_mode": "partition", "partition_columns": ("other",)}),
        ("period_column other is not among", {"period_column": "other"}),
        ("running_columns ('other',) are not among", {"period_column": "noted_on", "running_columns": ("other",)}),
        ("there is no period_column", {"running_columns": ("noted_on",)}),
        ("rate share is made of unknown columns", {"rates": (Rate("share", "Deel", "Share", "people", "other", 100),)}),
        ("people: no title", {"count": column("", "Number")}),
        ("people: no title", {"count": column("Aantal", "")}),
    ],
)
def test_a_contract_that_lacks_one_fact_is_refused_for_that_fact_alone(told, facts):
    (problem,) = problems_of(made_up(**facts))
    assert told in problem


def test_a_public_table_needs_no_reason():
    assert problems_of(made_up(classification="public", reason_not_public="")) == []


@pytest.mark.parametrize("kind", ["pseudonym", "personal", "special"])
def test_a_served_table_may_hold_no_personal_data(kind):
    count = column("Aantal", "Number", personal_data=kind)
    assert problems_of(made_up(served=True, count=count)) == [f"core.waste_things.people: {kind} data may not be served"]
    assert problems_of(made_up(count=count)) == []


def test_a_count_of_people_is_served_with_protection_only():
    bare, safe = (column("Aantal", "Number", personal_data="statistic", protection=p) for p in (None, Protection()))
    assert problems_of(made_up(served=True, count=bare)) == [
        "core.waste_things.people: a count of people is served without protection"
    ]
    assert problems_of(made_up(served=True, count=safe)) == []


def test_a_contract_without_table_facts_is_refused():
    class Bare(Contract):
        thing_id: str = column("Ding", "Thing")

    with pytest.raises(ContractError, match="declares no table facts"):
        facts_of(Bare)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (pl.String(), "VARCHAR"),
        (pl.Boolean(), "BOOLEAN"),
        (pl.Int16(), "SMALLINT"),
        (pl.Int32(), "INTEGER"),
        (pl.Int64(), "BIGINT"),
        (pl.Float32(), "FLOAT"),
        (pl.Float64(), "DOUBLE"),
        (pl.Date(), "DATE"),
        (pl.Binary(), "BLOB"),
        (pl.Datetime("us"), "TIMESTAMP"),
        (pl.Datetime("us", "UTC"), "TIMESTAMP WITH TIME ZONE"),
        (pl.List(pl.String()), "VARCHAR[]"),
        (pl.List(pl.Int64), "BIGINT[]"),
    ],
)
def test_each_type_has_its_sql_type(dtype, expected):
    assert sql_type(dtype) == expected


@pytest.mark.parametrize("dtype", [pl.Duration(), pl.UInt8(), pl.Struct({"a": pl.Int64})])
def test_a_type_that_the_lakehouse_does_not_hold_is_refused(dtype):
    with pytest.raises(ContractError, match="no column of this type"):
        sql_type(dtype)


MODULE = '''
"""A contract, made up."""
from groningen_data.contracts.base import Contract, column, table

class Copies(Contract):
    """Copies, made up."""
    thing_id: str = column("Ding", "Thing")
    class Config(Contract.Config):
        metadata = table(**{facts})
'''


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("core.waste_reports", "core.waste_reports: is declared by two contracts"),
        ("core.zoo_copies", None),
        ("core.waste_copies", "core.waste_copies: lies in the package of store zoo"),
    ],
)
def test_contracts_are_found_by_walking_and_each_table_and_store_has_its_place(tmp_path, monkeypatch, name, told):
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "__init__.py").touch()
    (tmp_path / "zoo" / "copies.py").write_text(MODULE.format(facts=COMPLETE | {"name": name}))
    monkeypatch.setattr(contracts, "__path__", [*contracts.__path__, str(tmp_path)])
    walk = all_contracts.__wrapped__
    try:
        if told is None:
            assert set(walk()) == {*all_contracts(), name}
        else:
            with pytest.raises(ContractError, match=told):
                walk()
    finally:
        for module in [m for m in sys.modules if m.startswith("groningen_data.contracts.zoo")]:
            del sys.modules[module]
        vars(contracts).pop("zoo", None)


def rules_marked_by(module: str) -> set[str]:
    """Ids of the rules that a parser finds broken by itself: keys of the mapping it calls `rules`, and the like."""
    tree = ast.parse((Path(sources.__path__[0]) / f"{module}.py").read_text(encoding="utf-8"))
    keys = [key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "lit"]
    texts = [
        n.value for n in [*keys, *(a for c in calls for a in c.args)] if isinstance(n, ast.Constant) and isinstance(n.value, str)
    ]
    return {text for text in texts if text.count(".") == 1 and text.replace(".", "").replace("_", "").isalnum()}


def test_each_rule_that_a_parser_can_find_broken_is_among_the_rules_of_its_table():
    tables: dict[str, set[str]] = {}
    for recipe in all_recipes().values():
        for feed in recipe.feeds:
            module = feed.parse.__module__.rsplit(".", 1)[1]
            tables.setdefault(module, set()).update(rule.id for rule in rules_of(recipe.contract))
    marked = {module: rules_marked_by(module) for module in tables}
    assert {module: found - tables[module] for module, found in marked.items() if found - tables[module]} == {}
    assert sum(map(len, marked.values())) > 20
