"""Refreshes of a few tables as plain function calls, at a moment that the settings say: many nights in little time."""

from collections.abc import Collection
from graphlib import TopologicalSorter

from assets import all_recipes, all_sources
from groningen_data.errors import GroningenError
from groningen_data.gate.gate import Gate
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing
from groningen_data.sample import city
from groningen_data.settings import Settings


def night(settings: Settings, tables: Collection[str]) -> dict[str, GroningenError]:
    """Fetch and gate the tables and all that they are made of; the problem of each source that could not be asked."""
    recipes, landing, problems = all_recipes(), Landing.of(settings), {}
    wanted = with_inputs(tables)
    city.build(settings)
    for name in sorted({feed.source.name for table in wanted for feed in recipes[table].feeds}):
        report = all_sources()[name].fetch(settings, landing)
        if report.problem:
            problems[name] = report.problem
    gate = Gate(
        Lakehouse(settings), f"night of {settings.now():%Y-%m-%d}", covers=lambda name: all_sources()[name].covers(settings)
    )
    for table in TopologicalSorter({name: recipe.comes_after for name, recipe in recipes.items()}).static_order():
        if table in wanted:
            gate.refresh(recipes[table], landing)
    return problems


def with_inputs(tables: Collection[str]) -> set[str]:
    """The tables and all that must be there before them."""
    recipes, found, open_still = all_recipes(), set[str](), list(tables)
    while open_still:
        table = open_still.pop()
        if table not in found:
            found.add(table)
            open_still += recipes[table].comes_after
    return found
