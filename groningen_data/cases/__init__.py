"""The departments' cases: a module per case, found by walking; each holds the questions and pictures that answer it as `CASE`."""

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType

from groningen_data.cases.base import Case
from groningen_data.errors import ContractError


@cache
def all_cases() -> MappingProxyType[str, Case]:
    """Every case by name.

    Raises:
        ContractError: A module holds none.
    """
    found: dict[str, Case] = {}
    for info in pkgutil.iter_modules(__path__):
        if info.name == "base":
            continue
        case = getattr(importlib.import_module(f"{__name__}.{info.name}"), "CASE", None)
        if not isinstance(case, Case):
            raise ContractError(f"{__name__}.{info.name}", "holds no CASE", "assign the Case to CASE")
        found[case.name] = case
    return MappingProxyType(found)
