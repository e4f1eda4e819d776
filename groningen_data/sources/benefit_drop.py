"""The drop of the benefit administration: encrypted extracts, a signed manifest beside them, and removal once they have landed."""

import fnmatch
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from groningen_data.errors import GroningenError, PayloadError
from groningen_data.landing import Landing, Payload, unpacked
from groningen_data.privacy import sealed
from groningen_data.privacy.manifests import SIGNATURE, Manifest, is_manifest, listed, manifests, public_key
from groningen_data.privacy.pseudonyms import Pseudonymiser
from groningen_data.privacy.service_numbers import masked
from groningen_data.settings import Settings
from groningen_data.sources.base import HEAD_BYTES

AGE_KEY = "benefit_age_key"
SOURCES = {
    "benefit_cases": "uitkeringen_*",
    "closed_cases": "afgesloten_zaken_*",
    "early_signals": "vroegsignalen_*",
    "statutory_signals": "samenloopsignalen_*",
    "signal_outcomes": "controleuitkomsten_*",
}
"""The sources of the benefit administration, and how the names of their files begin."""
SPOKESMAN = "benefit_cases"
"""Who tells of files of which nobody can say what they are."""

KEY = "key"
"""With each payload: the identity of the key that its pseudonyms were made with."""

_MANIFESTS = "manifests"


def pseudonymiser_of(settings: Settings) -> Pseudonymiser:
    """Makes the pseudonyms, with the key that what has landed was made with.

    Raises:
        SettingsError: That key is not there, or another is in its place.
    """
    return Pseudonymiser.of(settings, landed_identity(Landing.of(settings)))


def landed_identity(landing: Landing) -> str | None:
    """The identity of the key that what landed last was made with; None when nothing has."""
    landed = sorted((p for source in SOURCES for p in landing.payloads(source) if KEY in p.headers), key=lambda p: p.landed_at)
    return landed[-1].headers[KEY] if landed else None


class Opener:
    """Opens delivered extracts, after comparing them with their manifest where one is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def manifest_key(self) -> Ed25519PublicKey | None:
        """The public key of who signs; None when no manifest is asked for."""
        path = self._settings.welfare_manifest_key_file
        return public_key(path) if path else None

    @cached_property
    def identities(self) -> list[sealed.Identity]:
        """The private keys that open encrypted extracts."""
        return sealed.identities(self._settings.secret(AGE_KEY), AGE_KEY)

    @contextmanager
    def opened(self, delivered: Payload) -> Iterator[tuple[IO[bytes], int | None]]:
        """What is in an extract as a stream, and how many rows its manifest says it has.

        Raises:
            PayloadError: It is not what its manifest lists, or cannot be opened.
        """
        with delivered.path.open("rb") as raw:
            rows = listed(delivered.path, raw, self.manifest_key).rows if self.manifest_key else None
            with self._plain(raw, delivered) as plain, unpacked(plain, delivered.size_limit, delivered.name) as stream:
                yield stream, rows

    @contextmanager
    def _plain(self, raw: BufferedReader, delivered: Payload) -> Iterator[BufferedReader]:
        if not sealed.is_sealed(raw.peek(64)):
            yield raw
            return
        try:
            keys = self.identities
        except GroningenError as error:
            problem = f"is encrypted, and the {error.dataset} {error.problem}"
            raise PayloadError(delivered.name, problem, error.way_out) from None
        with sealed.opened(raw, delivered.name, keys) as plain:
            yield plain

    def beginning(self, path: Path) -> bytes | None:
        """The beginning of an encrypted file; None when it cannot be opened."""
        delivered = Payload("", "", path.name, 0, self._settings.now(), path=path)
        try:
            with path.open("rb") as raw, self._plain(raw, delivered) as plain, unpacked(plain, 1 << 40, path.name) as stream:
                return stream.read(HEAD_BYTES)
        except PayloadError:
            return None


class Drop:
    """What one source sees of the drop; see `sources/base.py` for when each is asked."""

    def __init__(self, settings: Settings, landing: Landing, source: str) -> None:
        self._settings, self._landing, self._source = settings, landing, source
        self._opener = Opener(settings)
        self.removes = settings.remove_personal_deliveries and not settings.is_sample

    @property
    def told(self) -> dict[str, str]:
        """Which key the pseudonyms of a payload are made with."""
        return {KEY: pseudonymiser_of(self._settings).identity}

    @property
    def version(self) -> str:
        """Changes when encrypted files may be seen as something else."""
        try:
            return " ".join(str(key.to_public()) for key in self._opener.identities)
        except GroningenError:
            return "no key"

    def claims(self, path: Path, head: bytes, recognises: Callable[[bytes], bool]) -> bool | None:
        """Whether an encrypted file is this source's; None for what is not encrypted."""
        if not sealed.is_sealed(head):
            return None
        plain = self._opener.beginning(path)
        return self._source == SPOKESMAN if plain is None else bool(recognises(plain))

    def accompanies(self, path: Path) -> bool:
        """Whether a file belongs to a delivery without being an extract."""
        return is_manifest(path)

    def landed(self, path: Path, before: os.stat_result, payload: Payload) -> None:
        """Note that a file has landed, and remove it where that is wanted: never another one that took its place meanwhile."""
        done = self._done(self._source)
        for manifest in self._beside(path):
            if any(entry.name == path.name for entry in manifest.files):
                done[manifest.identity] = sorted({*done.get(manifest.identity, ()), masked(path.name)})
        if done:
            self._landing.keep_notes(self._source, _MANIFESTS, done)
        if self.removes:
            self._landing.settle(payload)
            with suppress(FileNotFoundError):  # Another visit was faster.
                now = path.stat()
                if all(getattr(now, f) == getattr(before, f) for f in ("st_ino", "st_size", "st_mtime_ns", "st_ctime_ns")):
                    path.unlink()

    def missing(self, root: Path) -> Iterator[tuple[Path, str, str]]:
        """Files of this source that a manifest lists, and that were never there: where, the problem, and the way out."""
        for manifest in self._all(root):
            taken = {name for source in SOURCES for name in self._done(source).get(manifest.identity, ())}
            for entry in manifest.files:
                path = manifest.path.with_name(entry.name)
                if masked(entry.name) not in taken and not path.exists() and self._is_ours(entry.name):
                    problem = f"is listed in {manifest.path.name}, and is not there"
                    yield path, problem, "have it delivered again, with its manifest"

    def close(self, root: Path) -> None:
        """Remove manifests of which everything has landed and was removed, and forget those that are gone."""
        there = self._all(root)
        for manifest in there if self.removes else ():
            taken = {name for source in SOURCES for name in self._done(source).get(manifest.identity, ())}
            is_done = all(masked(e.name) in taken and not manifest.path.with_name(e.name).exists() for e in manifest.files)
            if is_done:
                manifest.path.unlink(missing_ok=True)
                manifest.path.with_name(manifest.path.name + SIGNATURE).unlink(missing_ok=True)
        known = {manifest.identity for manifest in there if manifest.path.exists()}
        done = self._done(self._source)
        if done.keys() - known:
            self._landing.keep_notes(self._source, _MANIFESTS, {k: v for k, v in done.items() if k in known})

    def _done(self, source: str) -> dict[str, list[str]]:
        return dict(self._landing.notes(source, _MANIFESTS))

    def _is_ours(self, name: str) -> bool:
        fitting = [source for source, pattern in SOURCES.items() if fnmatch.fnmatch(name.lower(), pattern)]
        return self._source in (fitting or [SPOKESMAN])

    def _beside(self, path: Path) -> list[Manifest]:
        key = self._opener.manifest_key
        return [m for m in manifests(path.parent, key) if not m.problem] if key else []

    def _all(self, root: Path) -> list[Manifest]:
        key = self._opener.manifest_key
        if key is None:
            return []
        folders = sorted({path.parent for path in root.rglob("*manifest.json") if is_manifest(path)})
        return [m for folder in folders for m in manifests(folder, key) if not m.problem]
