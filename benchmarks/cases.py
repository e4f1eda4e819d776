"""What a night costs each of the departments' cases as history grows: its tables gated anew for the last month, or as a whole.

A history is loaded in bulk (`benchmarks/history.py`); then every derived table behind a case passes the gate once more, as in a night
on which something of the last month changed. `python -m benchmarks.cases DATA DAYS` prints the CPU seconds of each table.
"""

import json
import re
import resource
import sys
from graphlib import TopologicalSorter
from pathlib import Path

from assets import all_recipes, all_sources
from benchmarks import runs
from groningen_data.cases import all_cases
from groningen_data.gate.gate import Gate
from groningen_data.lakehouse import Lakehouse, ledger
from groningen_data.landing import Landing
from groningen_data.settings import load_settings

DAYS = (60, 120, 240)
_WARM_UP = "collective.error_patterns"


def measure(days: list[int], work: Path) -> list[str]:
    """The section of the results about the cost of the cases."""
    found = {}
    for number in days:
        data = runs.emptied(work / f"cases-{number}")
        runs.linked(runs.city(work, number), data / "sample-city")
        log = work / "logs" / f"cases-{number}.log"
        runs.python("benchmarks.history", str(data), str(number), log=log)
        found[number] = runs.answer("benchmarks.cases", str(data), str(number), log=log)
    header = " | ".join(f"{number} days" for number in days)
    lines = [f"| | {header} |", "|---|" + "---|" * len(days)]
    behind = tables_behind_cases()
    for case, tables in behind.items():
        sums = " | ".join(f"{sum(found[number][table] for table in tables):.1f}" for number in days)
        lines.append(f"| case {case}: {len(tables)} derived tables | {sums} |")
    every = sorted(set().union(*behind.values()), key=lambda table: -found[days[-1]][table])
    lines += [f"| `{table}` | {' | '.join(f'{found[number][table]:.1f}' for number in days)} |" for table in every[:12]]
    return [
        "## What a night costs each case",
        "",
        "CPU seconds for gating all derived tables behind a case once more, of the last month where a table is made by months, on histories "
        "of several lengths that were loaded in bulk; libraries are imported before, except those of one table alone. Tables of two cases "
        "count in both. Below: the twelve that take longest.",
        "",
        *lines,
        "",
    ]


def tables_behind_cases() -> dict[str, list[str]]:
    """Of each case the derived tables that its questions and pictures read, with those that they are made of."""
    recipes = all_recipes()
    derived = {name for name, recipe in recipes.items() if recipe.is_derived}

    def behind(table: str) -> set[str]:
        return {table}.union(*(behind(name) for name in recipes[table].inputs if name in derived))

    found = {}
    for name, case in all_cases().items():
        text = " ".join(part.sql for part in (*case.questions, *case.drawings))
        named = {table for table in derived if re.search(rf"\b{table.split('.', 1)[1]}\b", text)}
        found[name] = sorted(set().union(*(behind(table) for table in named)))
    return found


def spent(data: Path, days: int) -> dict[str, float]:
    """CPU seconds of gating each derived table behind a case once more, in the order in which they depend on one another."""
    settings = load_settings(profile="sample", data_dir=data, sample_days=days)
    recipes, sources, landing = all_recipes(), all_sources(), Landing.of(settings)
    gate = Gate(Lakehouse(settings), "cases", covers=lambda name: sources[name].covers(settings))
    order = TopologicalSorter({name: recipe.comes_after for name, recipe in recipes.items()}).static_order()
    wanted = set().union(*tables_behind_cases().values())
    gate.refresh(recipes[_WARM_UP], landing, force=True)
    seconds = {}
    for name in order:
        if name in wanted:
            with gate.lakehouse.reader() as con:
                last = max(ledger.latest(con, name), default="")
            started = _cpu_s()
            gate.refresh(recipes[name], landing, last.__eq__, force=True)
            seconds[name] = _cpu_s() - started
    return seconds


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(json.dumps(spent(Path(sys.argv[1]), int(sys.argv[2]))))
