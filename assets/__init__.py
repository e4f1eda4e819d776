"""The Dagster assets: a package per store with a module per table, found by walking; `factory` turns them into assets."""

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType

from groningen_data.errors import ContractError
from groningen_data.gate.recipe import Recipe
from groningen_data.sources.base import FileSource


@cache
def all_recipes() -> MappingProxyType[str, Recipe]:
    """Every table's recipe by table name: each module of a store's package holds one as `RECIPE`.

    Raises:
        ContractError: A module holds none, or two make the same table.
    """
    found: dict[str, Recipe] = {}
    for info in pkgutil.walk_packages(__path__, f"{__name__}."):
        if info.ispkg or info.name.count(".") < 2:
            continue
        recipe = getattr(importlib.import_module(info.name), "RECIPE", None)
        if not isinstance(recipe, Recipe):
            raise ContractError(info.name, "holds no RECIPE", "assign the table's Recipe to RECIPE")
        if recipe.facts.name in found:
            raise ContractError(recipe.facts.name, "is made by two modules", f"remove one; the second is {info.name}")
        found[recipe.facts.name] = recipe
    return MappingProxyType(dict(sorted(found.items())))


@cache
def all_sources() -> MappingProxyType[str, FileSource]:
    """Every source that some table is made from, by name."""
    feeds = [feed for recipe in all_recipes().values() for feed in recipe.feeds]
    return MappingProxyType({feed.source.name: feed.source for feed in sorted(feeds, key=lambda f: f.source.name)})
