"""`make bench`: runs every benchmark in processes of their own and writes `benchmarks/results.md`."""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import gate

HERE = Path(__file__).parent


def measured(kind: str, folder: Path, rows: int) -> dict[str, float]:
    """One measurement in a fresh process, so that peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.gate", kind, str(folder), str(rows)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(json.loads(out.splitlines()[-1]))


def main() -> None:
    """Measure bare load and gate in turns, and write the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gate.generate(folder / "readings.csv", arguments.rows)
        rounds = [{kind: measured(kind, folder, arguments.rows) for kind in ("bare", "gate")} for _ in range(arguments.rounds)]
    ratios = sorted(r["gate"]["seconds"] / r["bare"]["seconds"] for r in rounds)
    middle = sorted(rounds, key=lambda r: r["gate"]["seconds"] / r["bare"]["seconds"])[len(rounds) // 2]
    lines = [
        "# Results",
        "",
        f"{arguments.rows:,} rows of a CSV file into DuckLake, {arguments.rounds} rounds, Python {platform.python_version()}; "
        "the round with the median ratio.",
        "",
        "| | seconds | peak memory |",
        "|---|---|---|",
        f"| bare DuckDB load (`CREATE TABLE … AS FROM read_csv`, typed) | {middle['bare']['seconds']:.1f} | {middle['bare']['peak_mb']:,.0f} MB |",
        f"| through the gate ({len(gate.RULES)} row rules, {len(gate.SUITE)} expectations) | {middle['gate']['seconds']:.1f} | {middle['gate']['peak_mb']:,.0f} MB |",
        "",
        f"**Ratio {ratios[len(ratios) // 2]:.2f}×** (all rounds: {', '.join(f'{r:.2f}' for r in ratios)}).",
        "",
        "Where the gate's time goes:",
        "",
        "| part | seconds |",
        "|---|---|",
        *[f"| {part} | {seconds:.1f} |" for part, seconds in middle["gate"].items() if part not in ("seconds", "peak_mb")],
        "",
    ]
    text = "\n".join(lines)
    (HERE / "results.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
