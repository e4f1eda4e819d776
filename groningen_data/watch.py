"""The watch from outside: is what analysts read fresh and whole? For a scheduler on another machine, which needs no lakehouse.

Reads the serving folder only, by the real clock: a platform whose clock, scheduler or daemon stands still is what it must notice.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from groningen_data.settings import Settings

REFRESHED = "refreshed.json"
MARTS = "marts.duckdb"
_CLOCK_DIFFERENCE = timedelta(hours=1)


@dataclass(frozen=True)
class WatchReport:
    """What the watch found.

    Args:
        ok: Whether everything is as it should be.
        message: What it found, in one line; when not ok, with what to do.
        refreshed_at: When the last refresh ended (UTC), where that is known.
    """

    ok: bool
    message: str
    refreshed_at: datetime | None = None


def check(settings: Settings, now: datetime) -> WatchReport:
    """Whether the serving folder was refreshed lately and can be read.

    Args:
        settings: Where the serving folder is, and how old a refresh may be (`refresh_max_age_h`).
        now: The real time, with its time zone; not the logical clock.
    """
    path = settings.serving_dir / REFRESHED
    try:
        refreshed_at = _refreshed_at(path)
    except FileNotFoundError:
        return WatchReport(False, f"nothing was ever refreshed: {path} is missing → run `groningen refresh`")
    except (OSError, ValueError) as error:
        return WatchReport(False, f"{path} cannot be read ({error}) → mend it with `groningen refresh`")
    age = now.astimezone(UTC) - refreshed_at
    hours, allowed = age.total_seconds() / 3600, settings.refresh_max_age_h
    moment = refreshed_at.isoformat(timespec="seconds")
    if age < -_CLOCK_DIFFERENCE:
        return WatchReport(False, f"the last refresh lies in the future ({moment}) → set both machines' clocks", refreshed_at)
    if hours > allowed:
        old = f"the last refresh is {hours:.1f} h old ({moment}), at most {allowed:g} h is allowed"
        return WatchReport(False, f"{old} → see the last run at {settings.ui_url}", refreshed_at)
    problem = _unreadable(settings.serving_dir / MARTS)
    if problem:
        return WatchReport(False, f"{problem} → run `groningen refresh`, which makes it again", refreshed_at)
    return WatchReport(True, f"refreshed {max(hours, 0):.1f} h ago ({moment}), the serving database can be read", refreshed_at)


def _refreshed_at(path: Path) -> datetime:
    """The instant the file names; a ValueError when it names none."""
    facts: Any = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(facts, dict) or not isinstance(facts.get("refreshed_at"), str):
        raise ValueError("names no whole refresh")
    instant = datetime.fromisoformat(facts["refreshed_at"])
    if instant.tzinfo is None:
        raise ValueError("names an instant without time zone")
    return instant.astimezone(UTC)


def _unreadable(path: Path) -> str | None:
    if not path.is_file():
        return f"{path} is missing"
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            tables = con.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'main'").fetchone()
    except duckdb.Error as error:
        return f"{path} cannot be opened ({type(error).__name__})"
    return None if tables and tables[0] else f"{path} holds no tables"
