"""What there is to know of each source: where it comes from, when it last came, when it is due again, and what changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from groningen_data.errors import SettingsError
from groningen_data.landing import Landing
from groningen_data.settings import Settings
from groningen_data.sources.base import FileSource


@dataclass(frozen=True)
class SourceState:
    """One source.

    Args:
        name: Its name.
        where: The hosts it is pulled from, or the folder of its files.
        payloads: How many have landed.
        last_at: When the last one was delivered (UTC); None when none ever was.
        last_name: Its name.
        due_at: When the next one is expected, by the freshness that its tables promise; None when none ever came.
        is_overdue: Whether that has passed.
        drift: The last change of a payload's fields, with its date; empty when there was none.
        visited_at: When it was last visited (UTC); None when it never was.
        problem: Why the last visit failed; empty when it did not.
    """

    name: str
    where: str
    payloads: int
    last_at: datetime | None
    last_name: str
    due_at: datetime | None
    is_overdue: bool
    drift: str
    visited_at: datetime | None
    problem: str


def states(
    sources: Iterable[FileSource], promised_days: Mapping[str, int], settings: Settings, landing: Landing, now: datetime
) -> list[SourceState]:
    """The state of each source.

    Args:
        sources: Of which.
        promised_days: By source: the days within which its tables promise to be renewed.
        settings: Where sources are.
        landing: What has landed.
        now: The real time (UTC): payloads are stamped with it.
    """
    return [_state(source, promised_days.get(source.name, 0), settings, landing, now) for source in sources]


def _state(source: FileSource, days: int, settings: Settings, landing: Landing, now: datetime) -> SourceState:
    payloads = landing.payloads(source.name)
    last = payloads[-1] if payloads else None
    last_at = last.arrival_for().at if last else None
    due_at = last_at + timedelta(days=1 + days) if last_at else None
    drift, visit = landing.notes(source.name, "shapes").get("last_drift"), landing.notes(source.name, "visit")
    return SourceState(
        name=source.name,
        where=where(source, settings),
        payloads=len(payloads),
        last_at=last_at,
        last_name=last.name if last else "",
        due_at=due_at,
        is_overdue=due_at is not None and due_at < now,
        drift=f"{drift['at'][:10]} {drift['what']}" if drift else "",
        visited_at=datetime.fromisoformat(visit["at"]) if "at" in visit else None,
        problem=visit.get("problem") or "",
    )


def where(source: FileSource, settings: Settings) -> str:
    """Where a source comes from, in a few words; never with credentials."""
    addresses = source.connector.addresses(settings) if source.connector else None
    if addresses:
        return ", ".join(
            dict.fromkeys(f"{urlsplit(a).scheme}://{urlsplit(a).netloc}{urlsplit(a).path}" for a in addresses.values())
        )
    if source.root:
        return "comes with the product"
    if not settings.has_files:
        return "nowhere: no address and no folder of files"
    try:
        return str(settings.source_root)
    except SettingsError as error:
        return error.problem
