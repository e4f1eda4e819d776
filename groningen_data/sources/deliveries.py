"""Which delivered files are whose: a folder is looked through once for all sources, and a file that is as it was is not opened again.

What was seen is noted in the landing. It only saves work: without it every file is looked at again.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from groningen_data.landing import Landing
from groningen_data.settings import Settings
from groningen_data.sources.base import DeliveredFile, FileSource, Reception, delivered_files, head_of

_NOTES = "delivered"
"""In whose name the landing keeps what was seen; no source's."""


@dataclass
class _Seen:
    """What a folder holds: its files with the names of the sources that claim them, which sources heard of them, and which could
    not say."""

    files: dict[DeliveredFile, list[str]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    failed: dict[str, Exception] = field(default_factory=dict)


class SortedDeliveries:
    """Delivered files, sorted by source; for one run, or one round of visits.

    Args:
        sources: All sources that may claim a file.
        settings: Where sources are.
        landing: Keeps what was seen.
    """

    def __init__(self, sources: Iterable[FileSource], settings: Settings, landing: Landing) -> None:
        self._sources, self._settings, self._landing = tuple(sources), settings, landing
        self._seen: dict[Path, _Seen] = {}

    def of(self, source: FileSource, root: Path) -> list[DeliveredFile]:
        """The files of a source below a folder, in order; whoever asks again has the folder looked through again.

        Raises:
            OSError: A file cannot be read now; trying again may help.
        """
        seen = self._seen.get(root)
        if seen is None or source.name in seen.told:
            seen = self._seen[root] = self._look_through(root)
        seen.told.add(source.name)
        if source.name in seen.failed:
            raise seen.failed[source.name]
        return [file for file, claimants in seen.files.items() if source.name in claimants]

    def unclaimed(self, root: Path) -> list[DeliveredFile]:
        """The files below a folder that no source knows, and that belong to no delivery."""
        receptions = self._receptions(self._sources).values()
        left = [file for file, claimants in self._look_through(root).files.items() if not claimants]
        return [file for file in left if not any(reception.accompanies(file.path) for reception in receptions)]

    def _look_through(self, root: Path) -> _Seen:
        sources = self._looking_in(root)
        receptions = self._receptions(sources)
        versions = {source.name: source.version(receptions.get(source.name)) for source in sources}
        kind, seen = hashlib.sha256(str(root).encode()).hexdigest()[:12], _Seen()
        with self._landing.exclusively(_NOTES):
            self._landing.forget_partials(_NOTES)
            earlier = _Noted.read(self._landing.notes(_NOTES, kind))
            as_before = {name for name, version in versions.items() if earlier.versions.get(name) == version}
            changed = [source for source in sources if source.name not in as_before]
            noted: dict[str, tuple[str, list[str]]] = {}
            for file in delivered_files(root):
                stamp, claimants = earlier.files.get(file.place, ("", []))
                is_known = stamp == file.stamp
                found = [name for name in claimants if name in as_before] if is_known else []
                try:
                    more, failed = _claimants(file, changed if is_known else sources, receptions)
                except FileNotFoundError:  # It is just being taken away.
                    continue
                seen.files[file] = found + more
                seen.failed = failed | seen.failed
                if not failed:
                    noted[file.place] = file.stamp, found + more
            if _Noted(versions, noted) != earlier:
                self._landing.keep_notes(_NOTES, kind, {"versions": versions, "files": noted})
        return seen

    def _looking_in(self, root: Path) -> list[FileSource]:
        """The sources whose own folder this is; for any other, all sources that have none."""
        owners = [source for source in self._sources if source.root and source.root(self._settings) == root]
        return owners or [source for source in self._sources if not source.root]

    def _receptions(self, sources: Iterable[FileSource]) -> dict[str, Reception]:
        return {s.name: s.reception(self._settings, self._landing) for s in sources if s.reception}


@dataclass(frozen=True)
class _Noted:
    """What was noted of a folder: per source when it sees other files as its own, per place the file's stamp and its claimants."""

    versions: Mapping[str, str]
    files: Mapping[str, tuple[str, list[str]]]

    @classmethod
    def read(cls, notes: Mapping[str, Any]) -> "_Noted":
        try:
            files = {place: (str(stamp), list(claimants)) for place, (stamp, claimants) in notes["files"].items()}
            return cls(dict(notes["versions"]), files)
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls({}, {})


def _claimants(
    file: DeliveredFile, sources: Iterable[FileSource], receptions: Mapping[str, Reception]
) -> tuple[list[str], dict[str, Exception]]:
    """The sources that claim a file, and the errors of those that could not say; its beginning is read once, and only if need be."""
    claimants, failed = [], {}
    path = file.path
    head = cache(partial(head_of, path))
    for source in sources:
        try:
            if source.claims(path, head, receptions.get(source.name)):
                claimants.append(source.name)
        except Exception as error:
            if not path.exists():
                raise FileNotFoundError(file.name) from error
            # One that stumbles over a file keeps no other from its own.
            failed[source.name] = error
    return claimants, failed
