"""Runs of other processes, with the time and memory that each took for itself; the working folder with its made-up cities."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).parent / "groningen"
_BUILD = (
    "import sys; from pathlib import Path\n"
    "from groningen_data.sample import city; from groningen_data.settings import load_settings\n"
    "if __name__ == '__main__': city.build(load_settings(profile='sample', data_dir=Path(sys.argv[1]), sample_days=int(sys.argv[2])))"
)


@dataclass(frozen=True)
class Run:
    """One process from its start to its end.

    Args:
        seconds: On the clock on the wall.
        cpu_s: Of all its threads together; on a machine that others use, the steadier of the two.
        peak_mb: The most memory it had at once.
        last_line: What it printed last.
    """

    seconds: float
    cpu_s: float
    peak_mb: float
    last_line: str


def run(command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Run:
    """Run a command in the project's folder and wait for its end; what it prints goes to `log`.

    Raises:
        RuntimeError: It failed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w+", encoding="utf-8") as out:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **(env or {})}, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    if process.returncode:
        raise RuntimeError(
            f"{' '.join(command[:4])} … failed with {process.returncode}; see {log}: {' / '.join(lines[-3:])[:600]}"
        )
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, lines[-1] if lines else "")


def refresh(data: Path, days: int, log: Path) -> Run:
    """`groningen refresh` as its user runs it; the sample city of so many days must be in the data folder already."""
    env = {
        "GRONINGEN_DATA_DIR": str(data),
        "GRONINGEN_SAMPLE_DAYS": str(days),
        "GRONINGEN_PROFILE": "sample",
        "GRONINGEN_DAGSTER_DIR": str(data / "dagster"),
        "DAGSTER_HOME": str(PROJECT),
    }
    return run([str(COMMAND), "refresh"], log, env)


def python(module: str, *arguments: str, log: Path) -> Run:
    """A module of the project in a process of its own."""
    return run([sys.executable, "-m", module, *arguments], log)


def answer(module: str, *arguments: str, log: Path) -> Any:
    """What such a module printed last, read as JSON."""
    return json.loads(python(module, *arguments, log=log).last_line)


def city(work: Path, days: int) -> Path:
    """The folder with the sample city of so many days; made once per working folder, in no measured time."""
    data = work / f"city-{days}"
    if not (data / "sample-city").is_dir():
        run([sys.executable, "-c", _BUILD, str(data), str(days)], work / "logs" / f"city-{days}.log")
    return data / "sample-city"


def emptied(folder: Path) -> Path:
    """The folder, without what an earlier measurement left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def linked(source: Path, target: Path) -> None:
    """The files of a folder in another one, without copying their bytes."""
    shutil.copytree(source, target, copy_function=os.link, dirs_exist_ok=True)
