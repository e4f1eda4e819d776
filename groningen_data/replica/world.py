"""What the services of the replica have in common: the files of the sample city, its clock, and the faults that are switched on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.routing import BaseRoute

from groningen_data.replica.faults import Fault, Faults
from groningen_data.sample import city
from groningen_data.settings import Settings
from groningen_data.sources.base import FileSource


@dataclass(frozen=True)
class World:
    """The sample city as its services see it."""

    settings: Settings
    faults: Faults

    @cached_property
    def folder(self) -> Path:
        """The city's files, made when they are not there yet."""
        city.build(self.settings)
        return self.settings.sample_dir

    @property
    def now(self) -> datetime:
        """The city's clock (UTC)."""
        return self.settings.now()

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
