"""The contracts: a package per store, a module per table, found by walking (see `all_contracts`)."""

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType

from groningen_data.contracts.base import Contract, ContractModel, facts_of
from groningen_data.errors import ContractError


@cache
def all_contracts() -> MappingProxyType[str, ContractModel]:
    """Every contract by table name, found by walking this package.

    Raises:
        ContractError: Two contracts claim one table, or a module lies in another store's package.
    """
    found: dict[str, ContractModel] = {}
    for module_info in pkgutil.walk_packages(__path__, f"{__name__}."):
        if module_info.ispkg or module_info.name == f"{__name__}.base":
            continue
        module = importlib.import_module(module_info.name)
        for value in vars(module).values():
            is_own = isinstance(value, type) and issubclass(value, Contract) and value.__module__ == module.__name__
            if not is_own:
                continue
            facts = facts_of(value)
            store = module_info.name.split(".")[-2]
            if facts.name in found:
                raise ContractError(facts.name, "is declared by two contracts", f"remove one; the second is in {module.__name__}")
            if facts.store != store:
                raise ContractError(facts.name, f"lies in the package of store {store}", f"move it to contracts/{facts.store}/")
            found[facts.name] = value
    return MappingProxyType(dict(sorted(found.items())))
