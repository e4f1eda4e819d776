"""Builds the sample city: all source payloads of some days, offline and the same for the same settings.

The folder appears as a whole or not at all. What a payload says is decided in the module of its kind; the kinds are made beside
each other, each in a process that has nothing else to do.
"""

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import monotonic
from types import MappingProxyType
from zoneinfo import ZoneInfo

from filelock import FileLock

from groningen_data.errors import SettingsError
from groningen_data.sample import (
    audit_counts,
    bicycles,
    charge_points,
    containers,
    debt_risk,
    events,
    facts,
    fill_levels,
    fleet,
    geography,
    household_waste,
    inspections,
    key_figures,
    parking,
    policy_measures,
    recipients,
    reports,
    statutory_signals,
    traffic,
    weather,
    weighings,
    welfare,
)
from groningen_data.sample.facts import City
from groningen_data.sample.wire import Payloads
from groningen_data.settings import Settings

VERSION = 11
"""Raise it when the same settings give other payloads: folders made by an earlier version are then made again."""
MARKER = ".city.json"

MAKERS: Mapping[str, Callable[[City], Payloads]] = MappingProxyType(
    {
        "traffic": traffic.payloads,
        "reports": lambda city: reports.payloads(city, geography.outlines_of(city.neighbourhoods)),
        "fill levels": fill_levels.payloads,
        "weighings": weighings.payloads,
        "inspections": inspections.payloads,
        "welfare": welfare.payloads,
        "statutory signals": statutory_signals.payloads,
        "bicycles": bicycles.payloads,
        "key figures": key_figures.payloads,
        "recipients": recipients.payloads,
        "geography": lambda city: geography.payloads(city, geography.outlines_of(city.neighbourhoods)),
        "containers": containers.payloads,
        "weather": weather.payloads,
        "debt risk": debt_risk.payloads,
        "household waste": household_waste.payloads,
        "events": events.payloads,
        "parking": parking.payloads,
        "policy measures": policy_measures.payloads,
        "charge points": charge_points.payloads,
        "fleet": lambda city: fleet.payloads(),
        "audit counts": audit_counts.payloads,
    }
)
"""Kinds of payloads, those that take longest first."""
# Below so many days a process of its own costs more time than it saves.
_DAYS_WORTH_A_PROCESS = 15
_GIVING_UP_S = 2.0


def build(settings: Settings) -> Path:
    """Write the payloads of the sample city below `settings.sample_dir`, unless they are there already.

    The last day is the local day before the logical clock; `sample_days` days are covered.

    Raises:
        SettingsError: The municipality is another one than Groningen.
    """
    _require_groningen(settings)
    target = settings.sample_dir
    wanted = _marker(settings)
    if _made_as(target) == wanted:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent / f".{target.name}.lock"):
        if _made_as(target) != wanted:
            _replace(target, city_of(settings), wanted)
    return target


@contextmanager
def being_built(settings: Settings) -> Iterator[Callable[[], Path]]:
    """Build the sample city while the caller goes on; who leaves earlier gives it up.

    Yields:
        What waits for the folder, and raises what kept it from being built.

    Raises:
        SettingsError: The municipality is another one than Groningen.
    """
    _require_groningen(settings)
    done: Future[Path] = Future()

    def work() -> None:
        try:
            done.set_result(build(settings))
        except BaseException as error:
            done.set_exception(error)

    Thread(target=work, name="sample city", daemon=True).start()
    try:
        yield done.result
    finally:
        # Python waits for its processes before it ends, and the pool may be starting some just now.
        until = monotonic() + _GIVING_UP_S
        while not done.done() and monotonic() < until:
            for process in multiprocessing.active_children():
                process.kill()
            wait([done], 0.05)


def _require_groningen(settings: Settings) -> None:
    if settings.municipality_code != facts.MUNICIPALITY_CODE:
        raise SettingsError(
            "sample city",
            f"the sample city is {facts.MUNICIPALITY_NAME} ({facts.MUNICIPALITY_CODE}), not {settings.municipality_code}",
            "use profile `real` with files of your own municipality, or leave GRONINGEN_MUNICIPALITY_CODE as it is",
        )


def city_of(settings: Settings) -> City:
    """All that the payloads of the sample city are made from."""
    last_day = settings.today() - timedelta(days=1)
    days = tuple(last_day - timedelta(days=n) for n in reversed(range(settings.sample_days)))
    return City(settings.sample_seed, days, ZoneInfo(settings.timezone), facts.neighbourhoods(), facts.sites())


def _marker(settings: Settings) -> dict[str, object]:
    return {
        "version": VERSION,
        "seed": settings.sample_seed,
        "days": settings.sample_days,
        "last_day": str(settings.today() - timedelta(days=1)),
        "timezone": settings.timezone,
    }


def _made_as(folder: Path) -> object:
    try:
        return json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _replace(target: Path, city: City, marker: dict[str, object]) -> None:
    partial, outdated = (target.with_name(f".{target.name}.{what}") for what in ("partial", "outdated"))
    for leftover in (partial, outdated):
        shutil.rmtree(leftover, ignore_errors=True)
    processes = min(os.cpu_count() or 1, len(MAKERS))
    if processes == 1 or len(city.days) < _DAYS_WORTH_A_PROCESS:
        for kind in MAKERS:
            _write(kind, city, partial)
    else:
        # Started anew, not forked: the threads of polars do not survive a fork.
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            for written in [pool.submit(_write, kind, city, partial) for kind in MAKERS]:
                written.result()
    (partial / MARKER).write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8")
    if target.exists():
        target.rename(outdated)
    partial.rename(target)
    shutil.rmtree(outdated, ignore_errors=True)


def _write(kind: str, city: City, folder: Path) -> None:
    for path, data in MAKERS[kind](city):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
