"""`make bench`: runs the benchmarks, each measurement in a process of its own, and writes `benchmarks/results.md`.

`python -m benchmarks gate`, `… refresh --days 60`, `… day --history 30 --history 365`, `… parsers`, `… poll`, `… forecast` or
`… cases` run a part; the results of the others stay.
With `--work FOLDER` made-up cities and histories are kept there for the next time.
"""

import argparse
import json
import platform
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import cases, forecast, one_day, parsers, poll, refresh, runs

RESULTS = Path(__file__).parent / "results.md"
_PARTS = ("gate", "refresh 60", "refresh 365", "day", "parsers", "poll", "forecast", "cases")
_HEAD = (
    "# Results\n\nRatios against the bare engine in the same run. Seconds depend on the machine and on what else it does: where others "
    "use it, CPU seconds say more than the clock on the wall.\n"
)


def gate_section(rows: int, rounds: int, work: Path) -> list[str]:
    """The section about one large file through the gate, against the bare load of it."""
    folder = runs.emptied(work / "gate")
    log = work / "logs" / "gate.log"
    runs.python("benchmarks.gate", "generate", str(folder), str(rows), log=log)
    found = [
        {
            kind: json.loads(runs.python("benchmarks.gate", kind, str(folder), str(rows), log=log).last_line)
            for kind in ("bare", "gate")
        }
        for _ in range(rounds)
    ]
    found.sort(key=lambda r: r["gate"]["seconds"] / r["bare"]["seconds"])
    middle = found[len(found) // 2]
    bare, gate = middle["bare"], middle["gate"]
    ratios = ", ".join(f"{r['gate']['seconds'] / r['bare']['seconds']:.2f}" for r in found)
    return [
        "## One large file through the gate",
        "",
        f"{rows:,} rows of a CSV file into DuckLake, {rounds} rounds, Python {platform.python_version()}; the round with the median ratio.",
        "",
        "| | seconds | peak memory |",
        "|---|---|---|",
        f"| bare DuckDB load (`CREATE TABLE … AS FROM read_csv`, typed) | {bare['seconds']:.1f} | {bare['peak_mb']:,.0f} MB |",
        f"| through the gate ({gate['rules']:.0f} row rules, {gate['expectations']:.0f} expectations) | {gate['seconds']:.1f} "
        f"| {gate['peak_mb']:,.0f} MB |",
        "",
        f"**Ratio {gate['seconds'] / bare['seconds']:.2f}×** (all rounds: {ratios}).",
        "",
        "Where the gate's time goes:",
        "",
        "| part | seconds |",
        "|---|---|",
        *[f"| {part} | {seconds:.1f} |" for part, seconds in gate["parts"].items()],
        "",
    ]


def write(part: str, lines: list[str]) -> None:
    """Put the lines of a part into the results, in the place of what it said before."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else ""
    parts = dict(re.findall(r"<!-- part: (.+?) -->\n(.*?)(?=<!-- part: |\Z)", text, re.DOTALL))
    parts[part] = "\n".join(lines).strip() + "\n\n"
    order = sorted(parts, key=lambda name: _PARTS.index(name) if name in _PARTS else len(_PARTS))
    sections = "".join(f"<!-- part: {name} -->\n{parts[name]}" for name in order)
    RESULTS.write_text(f"{_HEAD}\n{sections}".strip() + "\n", encoding="utf-8")
    print("\n".join(lines), flush=True)


@contextmanager
def _folder(work: Path | None) -> Iterator[Path]:
    if work is not None:
        work.mkdir(parents=True, exist_ok=True)
        yield work.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="groningen-bench-") as name:
        yield Path(name)


def main() -> None:
    """Run the parts that were asked for; without any, all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--work", type=Path, help="Folder to keep made-up cities and histories in.")
    parts = parser.add_subparsers(dest="part")
    for name in ("gate", "refresh", "day", "parsers", "poll", "forecast", "cases"):
        sub = parts.add_parser(name)
        sub.add_argument("--work", type=Path, default=argparse.SUPPRESS)
        if name == "gate":
            sub.add_argument("--rows", type=int, default=10_000_000)
        if name == "refresh":
            sub.add_argument("--days", type=int, action="append")
        if name == "cases":
            sub.add_argument("--days", type=int, action="append")
        if name == "day":
            sub.add_argument("--history", type=int, action="append")
        elif name == "poll":
            sub.add_argument("--minutes", type=int, default=poll.MINUTES)
            sub.add_argument("--sites", type=int, default=poll.SITES)
        elif name == "forecast":
            sub.add_argument("--seeds", type=int, default=forecast.SEEDS)
            sub.add_argument("--files", type=Path, help="Folder of real files; without it only made-up cities are forecast.")
        else:
            sub.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    chosen = vars(arguments)
    with _folder(arguments.work) as work:
        if arguments.part in (None, "gate"):
            write("gate", gate_section(chosen.get("rows", 10_000_000), chosen.get("rounds", 3), work))
        if arguments.part in (None, "refresh"):
            for days in chosen.get("days") or [60, 365]:
                # A year takes long enough to be measured once.
                write(f"refresh {days}", refresh.measure(days, chosen.get("rounds", 3) if days < 200 else 1, work))
        if arguments.part in (None, "day"):
            write("day", one_day.measure(chosen.get("history") or [30, 365], work))
        if arguments.part in (None, "parsers"):
            write("parsers", parsers.measure(3, chosen.get("rounds", 3), work))
        if arguments.part in (None, "poll"):
            write("poll", poll.measure(chosen.get("minutes", poll.MINUTES), chosen.get("sites", poll.SITES), work))
        if arguments.part in (None, "forecast"):
            write("forecast", forecast.measure(chosen.get("seeds", forecast.SEEDS), chosen.get("files"), work))
        if arguments.part in (None, "cases"):
            write("cases", cases.measure(chosen.get("days") or list(cases.DAYS), work))


if __name__ == "__main__":
    main()
