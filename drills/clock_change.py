"""Clock change: the nights around 29 March and 25 October 2026, one refresh a night; days of 23 and 25 hours, and none wrong.

What a table calls the local day, hour and weekday of an instant is compared with the time zone database, row by row; and the
tables after these nights with those of one refresh that sees all days at once. Of the traffic feed the sample city only has the
last day, so that of traffic counts those of the loops are compared, and what is made of both is not.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from drills.nights import night, with_inputs
from drills.state import Contents, contents, differences, reconcile, said_by
from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import sql_types
from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import Settings, load_settings

CHANGES = {date(2026, 3, 29): 23, date(2026, 10, 25): 25}
TABLES = (
    "core.reference_weather_hours",
    "core.traffic_counts",
    "core.traffic_bicycle_counts",
    "core.waste_fill_levels",
    "core.waste_emptyings",
    "core.waste_open_reports",
    "collective.site_hour",
    "collective.container_day",
)
# Those that have a row of every hour, whatever the clock: the others name local hours, or events.
EVERY_HOUR = ("core.reference_weather_hours", "core.waste_fill_levels")
_OF_THE_FEED = ("core.traffic_counts", "collective.site_hour")
_INSTANTS = ("interval_start_at", "measured_at", "hour_start_at", "emptied_at", "created_at")
_NIGHTS = 3
_ZONE = ZoneInfo("Europe/Amsterdam")


def run(work: Path) -> list[str]:
    """The nights around both changes; what is wrong."""
    problems = []
    for day, hours in CHANGES.items():
        nightly = work / f"nightly-{day}"
        for n in range(_NIGHTS):
            settings = _settings(nightly, day + timedelta(days=n), 2 + n)
            problems += [f"{settings.now():%Y-%m-%d}: {problem}" for problem in night(settings, TABLES).values()]
        at_once = _settings(work / f"at-once-{day}", day + timedelta(days=_NIGHTS - 1), 1 + _NIGHTS)
        night(at_once, TABLES)
        problems += [f"{day}: {line}" for line in judged(settings, at_once, day, hours)]
    return problems


def judged(settings: Settings, at_once: Settings, day: date, hours: int) -> list[str]:
    """What is wrong with a folder that was refreshed night by night, against one that saw all days at once."""
    problems = [*differences(_contents(settings), _contents(at_once)), *reconcile(settings, with_inputs(TABLES))]
    with Lakehouse(settings).reader() as con:
        return [*problems, *_clock(con, day, hours)]


def _contents(settings: Settings) -> Contents:
    found = contents(settings, with_inputs(TABLES) - set(_OF_THE_FEED))
    with Lakehouse(settings).reader() as con:
        return found | {"core.traffic_counts of loops": said_by(con, "lake.core.traffic_counts", "feed_code = 'loops'")}


def _settings(folder: Path, today: date, days: int) -> Settings:
    now = datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=6)
    return load_settings(profile="sample", data_dir=folder, as_of=now, sample_days=days)


def _clock(con: duckdb.DuckDBPyConnection, day: date, hours: int) -> list[str]:
    problems = []
    for table in TABLES:
        columns = sql_types(all_contracts()[table])
        instant = next((c for c in _INSTANTS if c in columns), None)
        if instant is None or "local_date" not in columns:
            continue
        parts = [c for c in ("local_date", "local_hour", "weekday") if c in columns]
        rows = con.execute(
            f"SELECT DISTINCT {instant}, {', '.join(parts)} FROM lake.{table} WHERE {instant} IS NOT NULL"
        ).fetchall()
        wrong = [row for row in rows if list(row[1:]) != _local(row[0], parts)]
        seen = {at.astimezone(UTC).replace(minute=0, second=0, microsecond=0) for at, *rest in rows if rest[0] == day}
        print(f"{table}: {len(rows):,} instants, {len(seen)} hours on {day}, {len(wrong)} with another local time")
        problems += [f"{table}: {at:%Y-%m-%d %H:%M} UTC is called {rest}" for at, *rest in wrong[:3]]
        if len(seen) > hours or (table in EVERY_HOUR and len(seen) != hours):
            problems.append(f"{table}: {day} has {len(seen)} hours, and should have {hours}")
        skipped = [rest for _, *rest in rows if rest[0] == day and hours == 23 and "local_hour" in parts and rest[1] == 2]
        if skipped:
            problems.append(f"{table}: {len(skipped)} rows in the hour that {day} does not have")
    return problems


def _local(at: datetime, parts: list[str]) -> list[object]:
    local = at.astimezone(_ZONE)
    said = {"local_date": local.date(), "local_hour": local.hour, "weekday": local.isoweekday()}
    return [said[part] for part in parts]
