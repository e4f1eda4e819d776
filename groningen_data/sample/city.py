"""Builds the sample city: all source payloads of a few days, offline and the same for the same settings.

The folder appears as a whole or not at all. What a payload says is decided in the module of its store.
"""

import json
import shutil
from datetime import timedelta
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from filelock import FileLock

from groningen_data.errors import SettingsError
from groningen_data.sample import facts, geography, key_figures, reports, traffic
from groningen_data.sample.facts import City
from groningen_data.sample.wire import Payloads
from groningen_data.settings import Settings

VERSION = 1
"""Raise it when the same settings give other payloads: folders made by an earlier version are then made again."""
MARKER = ".city.json"


def build(settings: Settings) -> Path:
    """Write the payloads of the sample city below `settings.sample_dir`, unless they are there already.

    The last day is the local day before the logical clock; `sample_days` days are covered.

    Raises:
        SettingsError: The municipality is another one than Groningen.
    """
    if settings.municipality_code != facts.MUNICIPALITY_CODE:
        raise SettingsError(
            "sample city",
            f"the sample city is {facts.MUNICIPALITY_NAME} ({facts.MUNICIPALITY_CODE}), not {settings.municipality_code}",
            "use profile `real` with files of your own municipality, or leave GRONINGEN_MUNICIPALITY_CODE as it is",
        )
    target = settings.sample_dir
    wanted = _marker(settings)
    if _made_as(target) == wanted:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent / f".{target.name}.lock"):
        if _made_as(target) != wanted:
            _replace(target, _payloads(_city(settings)), wanted)
    return target


def _city(settings: Settings) -> City:
    last_day = settings.today() - timedelta(days=1)
    days = tuple(last_day - timedelta(days=n) for n in reversed(range(settings.sample_days)))
    return City(settings.sample_seed, days, ZoneInfo(settings.timezone), facts.neighbourhoods(), facts.sites())


def _payloads(city: City) -> Payloads:
    outlines = geography.outlines_of(city.neighbourhoods)
    return chain(
        geography.payloads(city, outlines), key_figures.payloads(city), reports.payloads(city, outlines), traffic.payloads(city)
    )


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


def _replace(target: Path, payloads: Payloads, marker: dict[str, object]) -> None:
    partial, outdated = (target.with_name(f".{target.name}.{what}") for what in ("partial", "outdated"))
    for leftover in (partial, outdated):
        shutil.rmtree(leftover, ignore_errors=True)
    for path, data in payloads:
        file = partial / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (partial / MARKER).write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8")
    if target.exists():
        target.rename(outdated)
    partial.rename(target)
    shutil.rmtree(outdated, ignore_errors=True)
