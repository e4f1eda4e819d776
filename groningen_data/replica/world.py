"""What the services of the replica have in common: the files of the sample city, its clock, and the faults that are switched on."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.routing import BaseRoute

from groningen_data.replica.faults import Fault, Faults
from groningen_data.sample import city
from groningen_data.settings import Settings
from groningen_data.sources.base import FileSource


@dataclass
class Clock:
    """The city's clock: that of the settings, until it is set.

    Args:
        settings: Whose clock it is.
    """

    settings: Settings
    _set_to: datetime | None = None
    _set_at: float = 0.0
    _speed: float = 0.0

    def set(self, now: datetime, speed: float = 0) -> None:
        """Set it; from then on it stands still, or runs so many times as fast as the real one."""
        self._set_to, self._set_at, self._speed = now.astimezone(UTC), time.monotonic(), speed

    @property
    def now(self) -> datetime:
        """What it shows (UTC)."""
        if self._set_to is None:
            return self.settings.now()
        return self._set_to + timedelta(seconds=self._speed * (time.monotonic() - self._set_at))


@dataclass(frozen=True)
class World:
    """The sample city as its services see it."""

    settings: Settings
    faults: Faults
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "clock", Clock(self.settings))

    @cached_property
    def folder(self) -> Path:
        """The city's files, made when they are not there yet."""
        city.build(self.settings)
        return self.settings.sample_dir

    @property
    def now(self) -> datetime:
        """The city's clock (UTC)."""
        return self.clock.now

    def files(self, source: FileSource) -> list[Path]:
        """The files of a source, in order of name."""
        return source.find(self.folder)

    def fault(self, request: Request, kind: str) -> Fault | None:
        """The fault of this kind that the request meets, if any; asking uses up one of its times."""
        return self.faults.met(request.url.path, kind)


@dataclass(frozen=True)
class Service:
    """One service.

    Args:
        hosts: The hosts it answers for.
        routes: Its paths, without the host.
    """

    hosts: tuple[str, ...]
    routes: Callable[[World], Sequence[BaseRoute]]
