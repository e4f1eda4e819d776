"""One more day on histories of several lengths: what a night costs must not depend on the nights before it."""

import gzip
import json
import os
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import runs
from benchmarks.refresh import grouped

_OF_THE_DAY = ("traffic/loops_{}*", "waste/fill_levels_{}*", "waste/weighings_{}*", "waste/open_reports/{}*")
"""Files that hold one day. What the sample has on its last day only (the national traffic feed, the welfare extracts) is delivered
with the history: on an ordinary day none of it is new."""
_GROWING = ("waste/inspections_{:%Y-%m}.csv", "traffic/bicycles_{:%Y-%m}.json.gz", "weather/*_{:%Y}.txt")
"""Files that each day makes longer."""
_DONE = "history.done"
_AS_IT_IS, _TIDY, _LOADED = "as it is", "kept tidy", "loaded"
_GATED_DAYS = 100
"""Up to so many days a history is made by a refresh; a longer one is loaded in bulk, see `history.py`."""


def measure(histories: list[int], work: Path) -> list[str]:
    """The section of the results about one more day."""
    found = {days: one_more_day(days, work) for days in histories}
    return [
        "## One more day",
        "",
        "A history of so many days is there; one more day is delivered, and `groningen refresh` takes it up. "
        "*Kept tidy*: `groningen maintain` ran on the history before. *Loaded*: years of nights would take hours, so their rows and "
        "their ledger were loaded in bulk (`benchmarks/history.py`), into files as large as those of a lake that is kept tidy; the "
        "payloads landed for real, and three slow analyses with few rows were made of the last 13 months only. Suites and analyses look "
        "back up to twelve weeks, so less than a hundred days of history give them less to do. The ratio is that of CPU seconds to the "
        "shortest history, kept tidy where it can be.",
        "",
        *table(found),
    ]


def table(found: dict[int, dict[str, Any]]) -> list[str]:
    """The measured nights side by side, as ratios to the shortest history."""
    first = found[min(found)]
    lines = [
        "| history | | seconds | CPU seconds | ratio | peak memory | batches | " + " | ".join(grouped({})) + " | the rest |",
        "|---|---|---|---|---|---|---|" + "---|" * (len(grouped({})) + 1),
    ]
    for days, nights in sorted(found.items()):
        for kind, night in nights.items():
            run, spent = night["run"], grouped(night["steps"])
            parts = " | ".join(f"{seconds:.1f}" for seconds in (*spent.values(), run.seconds - sum(spent.values())))
            ratio = run.cpu_s / (first.get(kind) or first.get(_TIDY) or first[_LOADED])["run"].cpu_s
            lines.append(
                f"| {days:,} days | {kind} | {run.seconds:.1f} | {run.cpu_s:.1f} | {ratio:.2f} | {run.peak_mb:,.0f} MB "
                f"| {sum(night['judged'].values())} | {parts} |"
            )
    return [*lines, "", *_slowest(found), ""]


def _slowest(found: dict[int, dict[str, Any]]) -> list[str]:
    """Seconds of the steps that took longest on the longest history, on every history."""
    columns = [(days, kind, night["steps"]) for days, nights in sorted(found.items()) for kind, night in nights.items()]
    names = sorted(columns[-1][2], key=lambda step: -columns[-1][2][step])[:12]
    return [
        "The slowest steps of the longest history, in seconds:",
        "",
        "| step | " + " | ".join(f"{days:,} {kind}" for days, kind, _ in columns) + " |",
        "|---|" + "---|" * len(columns),
        *[f"| `{name}` | " + " | ".join(f"{steps.get(name, 0):.1f}" for _, _, steps in columns) + " |" for name in names],
    ]


def one_more_day(days: int, work: Path) -> dict[str, dict[str, Any]]:
    """Take up one more day on a history: as that was left, and after it was kept tidy."""
    data, kept = history(days, work), work / f"kept-{days}"
    runs.emptied(kept)
    _copy_made(data, kept)
    found = {_LOADED if days > _GATED_DAYS else _AS_IT_IS: take_up(data, days, work)}
    undo(data, kept, days, work)
    if days <= _GATED_DAYS:
        maintain(data, work)
        found[_TIDY] = take_up(data, days, work)
        undo(data, kept, days, work)
    return found


def history(days: int, work: Path) -> Path:
    """A data folder that was refreshed with all but the last day of the sample city; made once per working folder."""
    data = work / f"history-{days}"
    if not (data / _DONE).is_file():
        runs.emptied(data)
        withhold(runs.city(work, days + 1), data / "sample-city")
        log = work / "logs" / f"history-{days}.log"
        if days > _GATED_DAYS:
            runs.python("benchmarks.history", str(data), str(days + 1), log=log)
        else:
            runs.refresh(data, days + 1, log)
        (data / _DONE).touch()
    return data


def maintain(data: Path, work: Path) -> runs.Run:
    """`groningen maintain` on a data folder."""
    log = work / "logs" / f"maintain-{data.name}.log"
    return runs.run([str(runs.COMMAND), "maintain"], log, {"GRONINGEN_DATA_DIR": str(data)})


def take_up(data: Path, days: int, work: Path) -> dict[str, Any]:
    """Deliver the last day to a data folder, and refresh it."""
    city, target = runs.city(work, days + 1), data / "sample-city"
    for path in _brought_by(_last_day(city), city):
        delivered = target / path.relative_to(city)
        delivered.unlink(missing_ok=True)
        os.link(path, delivered)
    night = runs.refresh(data, days + 1, work / "logs" / f"night-{days}.log")
    asked = {
        what: runs.answer("benchmarks.lake", what, str(data), log=work / "logs" / f"{what}.log") for what in ("steps", "judged")
    }
    return {"run": night, **asked}


def undo(data: Path, kept: Path, days: int, work: Path) -> None:
    """Put a data folder back to what it was before the last day. Its other delivered files must not be touched: the product knows
    them by their times."""
    for path in data.iterdir():
        if path.is_dir() and path.name != "sample-city":
            shutil.rmtree(path)
    _copy_made(kept, data)
    _withhold_day(data / "sample-city", _last_day(runs.city(work, days + 1)))


def _copy_made(source: Path, target: Path) -> None:
    for path in source.iterdir():
        if path.is_dir() and path.name != "sample-city":
            shutil.copytree(path, target / path.name)


def withhold(city: Path, target: Path) -> None:
    """Link the files of a sample city to another folder, without what its last day brought."""
    runs.linked(city, target)
    _withhold_day(target, _last_day(city))


def _withhold_day(folder: Path, day: date) -> None:
    for path in _brought_by(day, folder):
        shorter = None if day.isoformat() in path.name else _without(path, day)
        path.unlink()
        if shorter is not None:
            path.write_bytes(shorter)


def _brought_by(day: date, folder: Path) -> list[Path]:
    """Files that a day brought, or made longer."""
    return [path for pattern in (*_OF_THE_DAY, *_GROWING) for path in sorted(folder.glob(pattern.format(day)))]


def _last_day(city: Path) -> date:
    return date.fromisoformat(json.loads((city / ".city.json").read_text(encoding="utf-8"))["last_day"])


def _without(path: Path, day: date) -> bytes:
    """A file that grows, as it was a day before."""
    if path.name.endswith(".json.gz"):
        rows = [row for row in json.loads(gzip.decompress(path.read_bytes())) if row["datum"] != day.isoformat()]
        return gzip.compress(json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode(), mtime=0)
    # KNMI counts its hours in UTC, so the last of them fall on the day itself.
    wanted = re.compile(rf"{day:%Y%m%d}|;{day}T".encode())
    return b"".join(line for line in path.read_bytes().splitlines(keepends=True) if not wanted.search(line))
