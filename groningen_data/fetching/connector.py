"""Pulling: how the answers of a service become payloads of a source, and what is remembered for the next visit.

A connector is a function that asks the services and delivers what they answered; it knows no files, no landing and no retries.
What it notes in `cursor` is kept together with each delivery, after its payload: a kill at any instant costs at most asking again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from groningen_data.errors import SourceError
from groningen_data.fetching.client import Answer, Client
from groningen_data.fetching.shapes import Shape
from groningen_data.settings import Settings


@dataclass(frozen=True)
class Connector:
    """How a source is pulled.

    Args:
        services: Names of the services it asks (settings `addresses`); it pulls when all have an address.
        pull: Asks them and delivers.
        rate_per_s: Requests per second that the source allows, where that is fewer than the settings do.
    """

    services: tuple[str, ...]
    pull: Callable[["Pull"], None]
    rate_per_s: float | None = None

    def addresses(self, settings: Settings) -> dict[str, str] | None:
        """The address of each service, or None when one has none: then the source is not pulled."""
        found = {service: settings.address(service) for service in self.services}
        return {s: a for s, a in found.items() if a is not None} if all(found.values()) else None


class EnoughError(Exception):
    """Ends a pull that only tries whether a source answers."""


@dataclass
class Pull:
    """One visit to a source.

    Args:
        settings: All of them; `settings.now()` is the clock.
        client: Asks the source's services.
        cursor: What earlier visits noted: JSON values by name. Change it before the delivery that it belongs to.
        land: Lands one payload: its place, its bytes or the file that holds them, and what the service said of it.
        keep: Keeps the cursor.
        saw: For answers that are reduced before they land: tells which fields those at a place had, to be compared with earlier ones.
    """

    settings: Settings
    client: Client
    cursor: dict[str, Any]
    land: Callable[[str, bytes | Path, Mapping[str, str]], None]
    keep: Callable[[Mapping[str, Any]], None]
    saw: Callable[[str, Shape], None] = lambda place, shape: None
    delivered: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)

    def validators(self, url: str) -> dict[str, str]:
        """What to send along so that an address only answers when it has something new."""
        return dict(self.cursor.get("validators", {}).get(url, {}))

    def deliver(self, place: str, answer: Answer | bytes, *, asked: str | None = None) -> None:
        """Land what was answered, and keep the cursor.

        Args:
            place: Its name at the source, as a path below the source; the same place again means: in place of what was there.
                It must not hold what changes with each visit, unless each visit's answer is to stay.
            answer: The answer, or bytes made of answers.
            asked: The address whose validators count from now on.
        """
        if isinstance(answer, bytes):
            self.land(place, answer, {})
        else:
            self.land(place, answer.path or answer.body, {"url": answer.url, **answer.headers})
            if answer.path:
                answer.path.unlink(missing_ok=True)
            if asked is not None and answer.validators:
                self.cursor.setdefault("validators", {})[asked] = dict(answer.validators)
        self.delivered.append(place)
        self.client.progress(f"{len(self.delivered)} payloads")
        self.keep(self.cursor)

    def tell_once(self, key: str, text: str) -> None:
        """Tell something of the source that is no failure and stays so: once, until `untell`."""
        told = self.cursor.setdefault("told", {})
        if key not in told:
            told[key] = f"{self.settings.now():%Y-%m-%d}"
            self.news.append(text)
            self.keep(self.cursor)

    def untell(self, key: str) -> None:
        """What was told is no longer so."""
        self.cursor.get("told", {}).pop(key, None)

    def problem(self, problem: str, way_out: str) -> SourceError:
        """The error to raise when an answer is not what the service promises."""
        return SourceError(self.client.source, problem, way_out)
