"""Source down: a service answers errors for a week of nights, then is back; in between it is told, and in the end nothing is lost.

The weather service of the replica, and the two tables that are made of it. The clock is the setting `as_of`.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from drills.nights import night
from drills.state import Contents, contents, differences, reconcile
from groningen_data.replica.app import running
from groningen_data.replica.faults import Fault, Faults
from groningen_data.settings import Settings, load_settings

TABLES = ("core.reference_weather_hours", "core.reference_weather_days")
HOST = "www.daggegevens.knmi.nl"
FIRST = datetime(2026, 3, 10, 2, tzinfo=UTC)


def run(work: Path, nights: int = 7) -> list[str]:
    """A night that works, so many that do not, and one that does; what is wrong."""
    expected, problems = _nights(work / "undisturbed", nights, down=False)
    found, wrong = _nights(work / "disturbed", nights, down=True)
    problems += [*wrong, *differences(found, expected)]
    print(f"{nights} nights without the service: told each night, {sum(rows for rows, _ in found.values()):,} rows in the end")
    return problems


def _nights(folder: Path, nights: int, down: bool) -> tuple[Contents, list[str]]:
    problems: list[str] = []
    before: Contents = {}
    settings = _settings(folder, FIRST, 3)
    for n in range(nights + 2):
        settings = _settings(folder, FIRST + timedelta(days=n), 3 + n)
        is_down = down and 0 < n <= nights
        faults = Faults(*([Fault("error", HOST)] if is_down else []))
        with running(_settings(folder.with_name(f"{folder.name}-city"), settings.now(), 3 + n), faults) as url:
            told = night(settings.model_copy(update={"replica_url": url}), TABLES)
        found = contents(settings, TABLES)
        if is_down and set(told) != {"knmi_hours", "knmi_days"}:
            problems.append(f"night {n}: the service was down, and of {sorted(told)} it was told")
        if is_down and found != before:
            problems += [f"night {n} without the service: {line}" for line in differences(found, before)]
        if not is_down and told:
            problems.append(f"night {n}: {next(iter(told.values()))}")
        if not is_down and found == before:
            problems.append(f"night {n}: nothing new, although the service answered")
        before = found
    return before, [*problems, *reconcile(settings, TABLES)]


def _settings(folder: Path, now: datetime, days: int) -> Settings:
    return load_settings(
        profile="replica", data_dir=folder, as_of=now, sample_days=days, http_attempts=2, http_wait_s=0.1, http_rate_per_s=1000
    )
