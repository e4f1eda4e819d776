"""The whole refresh as its user runs it, against the bare script with the same loads, marts and serving files, in turns."""

import json
from pathlib import Path
from typing import Any

from assets import all_recipes
from benchmarks import runs
from groningen_data.contracts.base import facts_of

GROUPS = {"landing": "landing", "core": "tables", "collective": "marts", "serving": "serving"}


def measure(days: int, rounds: int, work: Path) -> list[str]:
    """The section of the results about a refresh of so many days."""
    city = runs.city(work, days)
    found = [_round(days, city, work, number) for number in range(1, rounds + 1)]
    middle = sorted(found, key=lambda r: r["gated"].cpu_s / r["bare"].cpu_s)[len(found) // 2]
    gated, bare = middle["gated"], middle["bare"]
    on_the_wall = gated.seconds / bare.seconds
    ratios = ", ".join(f"{r['gated'].seconds / r['bare'].seconds:.1f} ({r['gated'].cpu_s / r['bare'].cpu_s:.1f})" for r in found)
    return [
        f"## A whole refresh of {days} days",
        "",
        f"`groningen refresh` on the sample city of {days} days, made beforehand, against `benchmarks/bare.py` on the same files.",
        "",
        "| | seconds | CPU seconds | peak memory |",
        "|---|---|---|---|",
        f"| bare DuckDB script | {bare.seconds:.1f} | {bare.cpu_s:.1f} | {bare.peak_mb:,.0f} MB |",
        f"| `groningen refresh` | {gated.seconds:.1f} | {gated.cpu_s:.1f} | {gated.peak_mb:,.0f} MB |",
        "",
        f"**Ratio {on_the_wall:.1f}×**; in CPU seconds {gated.cpu_s / bare.cpu_s:.1f}×. Per round: {ratios}. {_without_analyses(middle)}",
        "",
        *_where_time_goes(middle),
        *_cost_per_table(middle),
        *_fairness(middle["rows"]),
    ]


def _round(days: int, city: Path, work: Path, number: int) -> dict[str, Any]:
    logs = work / "logs"
    bare_data = runs.emptied(work / f"bare-{days}")
    bare = runs.python("benchmarks.bare", str(city), str(bare_data), log=logs / f"bare-{days}-{number}.log")
    data = runs.emptied(work / f"gated-{days}")
    runs.linked(city, data / "sample-city")
    gated = runs.refresh(data, days, logs / f"gated-{days}-{number}.log")
    return {
        "bare": bare,
        "gated": gated,
        "bare_tables": json.loads(bare.last_line),
        "steps": runs.answer("benchmarks.lake", "steps", str(data), log=logs / "steps.log"),
        "rows": runs.answer("benchmarks.lake", "rows", str(data), str(bare_data), log=logs / "rows.log"),
    }


def _without_analyses(found: dict[str, Any]) -> str:
    """What both spend on statistics, forecasts and routes, and the ratio without."""
    analyses = [name for name, recipe in all_recipes().items() if recipe.analysis]
    gated, bare = (sum(of.get(name, 0.0) for name in analyses) for of in (found["steps"], found["bare_tables"]))
    ratio = (found["gated"].seconds - gated) / (found["bare"].seconds - bare)
    return (
        f"Statistics, forecasts and routes took {bare:.1f} seconds of the bare script and {gated:.1f} of the refresh; "
        f"without their steps the ratio is {ratio:.1f}×."
    )


def _where_time_goes(found: dict[str, Any]) -> list[str]:
    spent = grouped(found["steps"])
    rest = found["gated"].seconds - sum(spent.values())
    batches = sum(t["batches"] for t in found["rows"].values())
    return [
        f"Where the time goes ({batches:,} batches):",
        "",
        "| part | seconds |",
        "|---|---|",
        *[f"| {part} | {seconds:.1f} |" for part, seconds in spent.items()],
        f"| the rest: start, between steps, summary | {rest:.1f} |",
        "",
    ]


def grouped(steps: dict[str, float]) -> dict[str, float]:
    """Seconds of the steps per part of the refresh."""
    spent = dict.fromkeys(GROUPS.values(), 0.0)
    for step, seconds in steps.items():
        spent[GROUPS[step.split(".")[0]]] += seconds
    return spent


def _cost_per_table(found: dict[str, Any]) -> list[str]:
    tables, steps, bare = found["rows"], found["steps"], found["bare_tables"]
    order = sorted(tables, key=lambda name: -steps.get(name, 0))
    lines = ["| table | rows | batches | seconds of its step | per batch | bare |", "|---|---|---|---|---|---|"]
    for name in order[:15]:
        batches, seconds = tables[name]["batches"], steps.get(name, 0)
        per_batch = f"{seconds / batches:.2f}" if batches else ""
        lines.append(
            f"| `{name}` | {tables[name]['rows']:,} | {batches} | {seconds:.1f} | {per_batch} | {bare.get(name, 0):.1f} |"
        )
    others = order[15:]
    lines.append(
        f"| {len(others)} others | {sum(tables[n]['rows'] for n in others):,} | {sum(tables[n]['batches'] for n in others)} "
        f"| {sum(steps.get(n, 0) for n in others):.1f} | | {sum(bare.get(n, 0) for n in others):.1f} |"
    )
    return ["The cost per table:", "", *lines, ""]


def _fairness(tables: dict[str, dict[str, Any]]) -> list[str]:
    """Whether both made the same rows, and why not where they did not."""
    without = {name for name, t in tables.items() if t["rejected"]}
    lines, same = [], 0
    for name, recipe in all_recipes().items():
        table = tables[name]
        difference = table["bare"] - table["rows"]
        if not difference:
            same += 1
            continue
        if difference == table["rejected"]:
            why = "the sound rows of batches that the gate rejected"
        elif recipe.is_derived and _stands_on(name, without):
            why = "made from those"
        else:
            why = "**not explained**"
        lines.append(f"| `{facts_of(recipe.contract).name}` | {table['rows']:,} | {table['bare']:,} | {difference:,} | {why} |")
    return [
        f"Both made the same number of rows in {same} of {len(tables)} tables; the others:",
        "",
        "| table | gated | bare | more | why |",
        "|---|---|---|---|---|",
        *lines,
        "",
    ]


def _stands_on(name: str, tables: set[str]) -> bool:
    inputs = set(all_recipes()[name].inputs)
    return bool(inputs & tables) or any(_stands_on(table, tables) for table in inputs if all_recipes()[table].is_derived)
