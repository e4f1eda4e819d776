"""Fuzz: every parser reads payloads that went wrong, for some minutes; what must not come out is told with its seed.

Each set of payloads is broken by the chance of one number, so that what is found can be made again: `--only SOURCE --seed N`.
A process per round reads, with little memory and a clock: what hangs, or breaks the process, is told as well.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from time import monotonic

from drills.mutations import mutated
from drills.parsers import Reader, WrongError, source_of
from drills.samples import Case, cases
from groningen_data.settings import load_settings

AS_OF = "2026-03-16T06:00:00Z"
_ROUND = 150
_ADDRESS_SPACE = 12_000_000_000
_MOST_SECONDS, _MOST_SECONDS_EACH = 300, 20.0
_PROJECT = Path(__file__).parents[1]


def broken(case: Case, seed: int) -> tuple[str, dict[str, bytes]]:
    """The files of a case with one of them broken by the chance of a number; and how."""
    chance = Random(f"{case.source} {sorted(case.files)} {seed}")
    name = chance.choice(sorted(case.files))
    how, data = mutated(case.files[name], chance)
    return f"{name}: {how}", {**case.files, name: data}


def run(work: Path, minutes: float = 5, seed: int = 1, only: str | None = None) -> list[str]:
    """Break and read until the time is over; the findings, each with its case and seed."""
    end, findings, counts = monotonic() + 60 * minutes, [], Counter[str]()
    first = seed
    while monotonic() < end:
        for found in _round(work, first, only):
            if "counts" in found:
                counts.update(found["counts"])
            elif not any(found["kind"] == known["kind"] for known in findings):
                findings.append(found)
                print(f"found: {found['what']}", flush=True)
        first += _ROUND
    print(f"seeds {seed} to {first - 1}: {dict(counts)}")
    return [found["what"] for found in findings]


def _round(work: Path, first: int, only: str | None) -> list[dict]:
    """Some seeds in a process of their own; if that breaks, what it was reading is the finding."""
    log = work / "fuzz.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "drills.fuzz", str(work), str(first), str(_ROUND), only or ""]
        try:
            code: int | str = subprocess.run(
                command, cwd=_PROJECT, stdout=out, stderr=out, timeout=_MOST_SECONDS * 4, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            code = "hangs"
    found, last = [], ""
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("reading "):
            last = line
        elif line.startswith("{"):
            found.append(json.loads(line))
    if code != 0:
        found.append({"kind": f"process {code} {last.split(':')[0]}", "what": f"the process ended with {code} while {last}"})
    return found


def _read_some(work: Path, first: int, count: int, only: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    settings = load_settings(profile="sample", data_dir=work / "data", sample_days=2, as_of=AS_OF)
    chosen = [case for case in cases(settings) if only in ("", case.source)]
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=work) as folder:
        reader = Reader(settings, Path(folder) / "payloads")
        for seed in range(first, first + count):
            case = chosen[seed % len(chosen)]
            how, files = broken(case, seed)
            print(f"reading {case.source}, seed {seed}, {how}", flush=True)
            try:
                seen = reader.read(source_of(case.source), files)
            except WrongError as error:
                kind = f"{str(error).split(':')[0]} {type(error.__cause__).__name__}"
                print(json.dumps({"kind": kind, "what": f"{error} (seed {seed}, {how})"[:1500]}), flush=True)
                continue
            if seen.seconds > _MOST_SECONDS_EACH:
                what = f"{case.source} takes {seen.seconds:.0f} s (seed {seed}, {how})"
                print(json.dumps({"kind": f"slow {case.source}", "what": what}), flush=True)
            counts.update(
                payloads=1, refused=bool(seen.refusals), with_rows=bool(seen.rows), with_rows_kept_back=bool(seen.kept_back)
            )
    print(json.dumps({"counts": counts}), flush=True)


if __name__ == "__main__":
    _read_some(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
