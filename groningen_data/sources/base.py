"""What every source shares: finding its payloads, landing them once, and naming the batches they feed."""

import contextlib
import fnmatch
import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache, partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple, Protocol, cast

import polars as pl

from groningen_data.errors import GroningenError, PayloadError, SettingsError, SourceError
from groningen_data.fetching.client import Client, Tell
from groningen_data.fetching.connector import Connector, EnoughError, Pull
from groningen_data.fetching.shapes import Shape, compare, family, merged, shape_of
from groningen_data.landing import Arrival, Landing, Payload, Register
from groningen_data.privacy.service_numbers import masked, names_service_numbers
from groningen_data.settings import Settings

HEAD_BYTES = 65_536
_KEEP_DOWNLOADS_S = 7 * 86_400.0
_REFUSED, _WAY_OUT = "refused", "way out"
_LOOKS = "looks"
"""What a source noted of its files: by place, the stamp of the file and the payload that landed of it."""

Rewrite = Callable[[Payload], Iterator[bytes]]
"""From a file as delivered to what may land of it, in pieces; raises `PayloadError` when it cannot be read. The same bytes in give
the same bytes out."""


@dataclass(frozen=True)
class Head:
    """The beginning of a candidate file: enough to tell what it is. `data` is unpacked."""

    name: str
    data: bytes

    @cached_property
    def text(self) -> str:
        return self.data.decode("utf-8", errors="replace").lstrip("\ufeff")


class DeliveredFile(NamedTuple):
    """A file that may be a payload: where it is, its place below the folder of files, and a stamp of its size and times."""

    name: str
    place: str
    stamp: str

    @property
    def path(self) -> Path:
        # Not kept: of tens of thousands of files few are wanted, and making a path takes longer than finding the file.
        return Path(self.name)


class Reception(Protocol):
    """What a source of persons wants done with its files beside reading them."""

    @property
    def version(self) -> str:
        """Changes when `claims` may answer otherwise."""

    @property
    def told(self) -> Mapping[str, str]:
        """What is kept with each payload beside what is known of every one."""

    @property
    def removes(self) -> bool:
        """Whether files are removed once they have landed: then it is no news that there are none."""

    def claims(self, path: Path, head: bytes, recognises: Callable[[bytes], bool]) -> bool | None:
        """Whether a file of an unreadable beginning is the source's; None where the beginning itself tells."""

    def accompanies(self, path: Path) -> bool:
        """Whether a file belongs to a delivery without being a payload."""

    def landed(self, path: Path, before: os.stat_result, payload: Payload) -> None:
        """Called when a file has landed that can be read; `before` is what it was before it was read."""

    def missing(self, root: Path) -> Iterator[tuple[Path, str, str]]:
        """Files that should be there and are not: where, the problem, and the way out."""

    def close(self, root: Path) -> None:
        """Called at the end of a visit."""


class Deliveries(Protocol):
    """Knows which delivered files are whose."""

    def of(self, source: "FileSource", root: Path) -> list[DeliveredFile]:
        """The files of a source below a folder."""


@dataclass(frozen=True)
class FetchReport:
    """What one fetch found: newly landed payloads, how many were known already, and which of the new are unreadable; in what their
    shape differs from earlier ones; why a service was not asked to the end (what landed before that has landed); whether files are
    removed once they have landed, so that finding none is no news; and what else changed at the source for good."""

    source: str
    landed: tuple[Payload, ...]
    known: int
    drifts: tuple[str, ...] = ()
    problem: GroningenError | None = None
    removes: bool = False
    news: tuple[str, ...] = ()

    def with_files(self, files: "FetchReport") -> "FetchReport":
        """This report of a service, with that of the files taken in the same visit."""
        landed, drifts = (*self.landed, *files.landed), (*self.drifts, *files.drifts)
        return replace(self, landed=landed, known=self.known + files.known, drifts=drifts)

    @property
    def unreadable(self) -> tuple[Payload, ...]:
        return tuple(p for p in self.landed if p.problem)


@dataclass(frozen=True)
class FileSource:
    """A source whose payloads arrive as files somewhere below the profile's folder.

    A file belongs to the source when its name fits `patterns` (then it must be readable, or it is reported), or when its
    content is `recognised` whatever its name.

    Args:
        name: Name of the source; also its folder in the landing.
        title: For people.
        patterns: File-name patterns that this source claims (case is ignored).
        recognises: Whether the beginning of a file is what this source delivers.
        batches: Keys of the batches that a landed payload feeds; raises `PayloadError` when it is unreadable.
            A key that starts with an ISO date belongs to that local day.
        extent: The area the source covers: `NL`, or a municipality code, unless the setting `extents` says otherwise.
        root: For a source that comes with the product: its own folder, the same in every profile. Its files are looked for
            there and nowhere else.
        rewriting: For a source of persons: how each of its files is rewritten before it lands. What cannot be rewritten does
            not land; a note with the problem lands in its place.
        reception: For a source of persons: what else is done with its files.
        connector: How the source is pulled where its services have an address; files are then not looked for, unless it
        takes_files_too: Then those in the folder named by `GRONINGEN_FILES` are taken after its services were asked. What was
            delivered last counts, whichever way it came.
    """

    name: str
    title: str
    patterns: tuple[str, ...]
    recognises: Callable[[Head], bool]
    batches: Callable[[Payload], tuple[str, ...]]
    extent: str = "NL"
    root: Callable[[Settings], Path] | None = None
    rewriting: Callable[[Settings], Rewrite] | None = None
    reception: Callable[[Settings, Landing], Reception] | None = None
    connector: Connector | None = None
    takes_files_too: bool = False

    def covers(self, settings: Settings) -> bool:
        """Whether the source says anything about the municipality of the lakehouse."""
        extent = settings.extents.get(self.name, self.extent)
        return extent == "NL" or settings.municipality_code in extent.split(",")

    def find(self, root: Path) -> list[Path]:
        """Files of this source below the profile's folder `root`, in order of name; none when it has a folder of its own."""
        return [] if self.root else [file.path for file in self._found(root)]

    def _found(self, root: Path, reception: Reception | None = None) -> list[DeliveredFile]:
        return [file for file in delivered_files(root) if self.claims(file.path, partial(head_of, file.path), reception)]

    def version(self, reception: Reception | None) -> str:
        """Changes when this source may see other files as its own."""
        code = Path(self.recognises.__code__.co_filename).stat()
        return f"{'|'.join(self.patterns)} {code.st_size}-{code.st_mtime_ns} {reception.version if reception else ''}".rstrip()

    def claims(self, path: Path, head: Callable[[], Head | None], reception: Reception | None = None) -> bool:
        """Whether a delivered file is this source's; `head` reads its beginning, where its name does not tell."""
        name = path.name.lower()
        if any(fnmatch.fnmatch(name, pattern.lower()) for pattern in self.patterns):
            return True
        read = head()
        if read is None or (reception and reception.accompanies(path)):
            return False
        claimed = reception.claims(path, read.data, lambda data: self.recognises(Head(path.name, data))) if reception else None
        return self.recognises(read) if claimed is None else claimed

    def fetch(
        self, settings: Settings, landing: Landing, tell: Tell | None = None, deliveries: Deliveries | None = None
    ) -> FetchReport:
        """Land every payload not seen before, from the source's services or from files, and note what is delivered anew.

        Args:
            settings: Where the source is.
            landing: Where to land.
            tell: Hears now and then how far a long visit to a service is.
            deliveries: Knows which files are whose; without it, every file is looked at.

        Raises:
            SettingsError: The folder of files is missing.
            OSError: A file cannot be read now; trying again may help.
        """
        told = {"asked_at": settings.now().isoformat()}
        if self.name in settings.clocks:
            told["clock"] = settings.clocks[self.name]
        addresses = self.connector.addresses(settings) if self.connector else None
        with landing.exclusively(self.name):
            if addresses is not None:
                pulled = self._pull(settings, landing, addresses, told, tell)
                if not self.takes_files_too or settings.files is None:
                    return pulled
                root = _folder(self.name, settings.files)
                return pulled.with_files(self._fetch(root, landing, settings, told, deliveries, pulled.problem))
            if self.root is None and not settings.has_files:
                return FetchReport(self.name, (), 0)
            root = self.root(settings) if self.root else settings.source_root
            return self._fetch(_folder(self.name, root), landing, settings, told, deliveries)

    def _fetch(
        self,
        root: Path,
        landing: Landing,
        settings: Settings,
        told: Mapping[str, str],
        deliveries: Deliveries | None,
        problem: GroningenError | None = None,
    ) -> FetchReport:
        rewrite = self._rewrite(settings)
        reception = self.reception(settings, landing) if self.reception else None
        visit = _Visit(self, landing, rewrite, {**told, **reception.told} if reception else told)
        noted, looks = landing.notes(self.name, _LOOKS), {}
        earlier = {place: entry for place, entry in noted.items() if isinstance(entry, list) and len(entry) == 2}
        for file in deliveries.of(self, root) if deliveries else self._found(root, reception):
            stamp, sha256 = earlier.get(file.place, (None, None))
            if stamp != file.stamp or not visit.has(file.place, sha256):
                path = file.path
                try:
                    before = path.stat()
                except FileNotFoundError:  # It was taken away since it was looked at.
                    continue
                if stamp_of(before) != file.stamp and not self.claims(path, partial(head_of, path), reception):
                    # Another file came to its place since, which is not this source's.
                    continue
                payload = visit.take(path, file.place)
                if reception and payload.problem is None:
                    reception.landed(path, before, payload)
                sha256 = payload.sha256
            # What is rewritten depends on a key as well: it is read every time.
            if not rewrite:
                looks[file.place] = [file.stamp, sha256]
        if looks != noted:
            landing.keep_notes(self.name, _LOOKS, looks)
        if reception:
            for path, what, way_out in reception.missing(root):
                visit.miss(_place(path, root), what, way_out)
            reception.close(root)
        return replace(visit.report(problem), removes=reception is not None and reception.removes)

    def try_out(self, settings: Settings, landing: Landing) -> FetchReport:
        """Ask for one payload, or read the file that came last, and load nothing: whether it can be had, read, and is as before.

        Raises:
            SettingsError: The folder of files is missing.
            OSError: A file cannot be read now.
        """
        settings.scratch_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="trying-", dir=settings.scratch_dir) as folder:
            elsewhere = Landing(Path(folder), landing.size_limit)
            elsewhere.keep_notes(self.name, "shapes", landing.notes(self.name, "shapes"))
            addresses = self.connector.addresses(settings) if self.connector else None
            if addresses is not None:
                return self._pull(settings, elsewhere, addresses, {}, None, once=True)
            visit = _Visit(self, elsewhere, self._rewrite(settings), {})
            root = self.root(settings) if self.root else settings.source_root if settings.has_files else None
            files = [file.path for file in self._found(root)] if root else []
            if root and files:
                newest = max(files, key=lambda path: (path.stat().st_mtime_ns, path.name))
                visit.take(newest, _place(newest, root))
            return visit.report()

    def _pull(
        self,
        settings: Settings,
        landing: Landing,
        addresses: dict[str, str],
        told: Mapping[str, str],
        tell: Tell | None,
        *,
        once: bool = False,
    ) -> FetchReport:
        connector = cast(Connector, self.connector)
        visit = _Visit(self, landing, self._rewrite(settings), told)
        scratch = settings.scratch_dir / "pulled" / self.name
        scratch.mkdir(parents=True, exist_ok=True)
        for left in scratch.iterdir():  # of a visit that was killed
            left.unlink()

        def land(place: str, body: bytes | Path, headers: Mapping[str, str]) -> None:
            place = masked(place)
            if isinstance(body, Path):
                visit.take(body, place, headers)
            else:
                path = scratch / Path(place).name
                path.write_bytes(body)
                try:
                    visit.take(path, place, headers)
                finally:
                    path.unlink(missing_ok=True)
            if once:
                raise EnoughError

        with Client(self.name, addresses, settings, rate_per_s=connector.rate_per_s, tell=tell) as client:
            client.forget_downloads(_KEEP_DOWNLOADS_S)
            cursor = landing.notes(self.name, "cursor")
            pull = Pull(settings, client, cursor, land, lambda notes: landing.keep_notes(self.name, "cursor", notes), visit.saw)
            problem = None
            try:
                connector.pull(pull)
                landing.keep_notes(self.name, "cursor", cursor)
            except EnoughError:
                pass
            except SourceError as error:
                problem = error
        return replace(visit.report(problem), news=tuple(pull.news))

    def _rewrite(self, settings: Settings) -> Rewrite | None:
        return self.rewriting(settings) if self.rewriting else None

    def _arrived(
        self, path: Path, headers: dict[str, str], landing: Landing, known: dict[str, Payload], rewrite: Rewrite | None
    ) -> Payload:
        """The payload of a file: as it landed before when its bytes are known, otherwise newly landed."""
        place = headers["path"]
        name = Path(place).name
        if rewrite is not None:
            delivered = Payload(
                self.name, "", name, path.stat().st_size, datetime.now(UTC), path=path, size_limit=landing.size_limit
            )
            try:
                pieces = cast(IO[bytes], _Pieces(rewrite(delivered)))
                payload = landing.land(self.name, name, pieces, headers)
            except PayloadError as error:
                payload = self._refused(landing, place, error.problem, error.way_out)
            except (OSError, MemoryError, GroningenError):
                raise
            except Exception as error:
                payload = self._refused(
                    landing, place, f"cannot be read ({type(error).__name__})", "look at the file at its source; report it"
                )
        elif _names_service_numbers(path):
            payload = self._refused(
                landing,
                place,
                "has a field of citizen service numbers, and this source must have none",
                "remove the file, and have it delivered without them, or to the source that makes pseudonyms of them",
            )
        else:
            with path.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
                if sha256 in known:
                    if landing.knows(self.name, sha256):
                        return known[sha256]
                    del known[sha256]
                stream.seek(0)
                payload = landing.land(self.name, name, stream, headers)
        return known.get(payload.sha256) or self._with_batches(payload)

    def _refused(self, landing: Landing, place: str, problem: str, way_out: str) -> Payload:
        """A note in the landing in place of a file that may not land: which, and why."""
        note = BytesIO(f"{place} did not land: it {problem} → {way_out}\n".encode())
        return landing.land(self.name, Path(place).name, note, {"path": place, _REFUSED: problem, _WAY_OUT: way_out})

    def _read_again(self, landing: Landing, register: Register) -> None:
        """Try once more what could not be read: the parser may have been mended since."""
        for payload in [p for p in register.payloads.values() if p.problem]:
            if any(register.last_at(arrival.place) is payload for arrival in payload.arrivals):
                read = self._of_arrivals(payload, payload.arrivals)
                if read != payload:
                    landing.keep(read)
                    register.note(read)

    def _delivered_again(self, payload: Payload, place: str) -> Payload:
        """A known payload with its delivery at `place` noted: what was delivered last counts, and the name may say the day."""
        others = tuple(a for a in payload.arrivals if a.place != place)
        return self._of_arrivals(payload, (*others, Arrival(place, datetime.now(UTC))))

    def _of_arrivals(self, payload: Payload, arrivals: tuple[Arrival, ...]) -> Payload:
        """The payload as read under the name of each of its deliveries; it has a problem only when no name makes it readable."""
        plain = replace(payload, batches=(), problem=None, way_out=None)
        read = [self._with_batches(replace(plain, name=Path(a.place).name)) for a in arrivals]
        best = next((r for r in read if not r.problem), read[-1])
        return replace(
            best,
            batches=tuple(dict.fromkeys(key for r in read for key in r.batches)),
            deliveries=tuple(replace(a, batches=r.batches) for a, r in zip(arrivals, read, strict=True)),
        )

    def _with_batches(self, payload: Payload) -> Payload:
        if _REFUSED in payload.headers:
            return replace(payload, problem=payload.headers[_REFUSED], way_out=payload.headers[_WAY_OUT])
        if payload.size == 0:
            return replace(payload, problem="is empty", way_out="ask for the file again; an empty file is never data")
        try:
            batches = self.batches(payload)
        except GroningenError as error:
            return replace(payload, problem=error.problem, way_out=error.way_out)
        except (OSError, MemoryError):
            # The machine's trouble, not the file's: trying again may help.
            raise
        except Exception as error:
            # One odd file must not keep the others from landing. Only the kind of error is told: its text may quote the file.
            return replace(payload, problem=f"cannot be read ({type(error).__name__})", way_out="look at the file; report it")
        if not batches:
            return replace(payload, problem="holds no rows", way_out="ask for the file again; no rows is never data")
        return replace(payload, batches=batches)


class _Visit:
    """What one fetch has taken so far."""

    def __init__(self, source: FileSource, landing: Landing, rewrite: Rewrite | None, told: Mapping[str, str]) -> None:
        self._source, self._landing, self._rewrite, self._told = source, landing, rewrite, told
        landing.forget_partials(source.name)
        self._register = landing.register(source.name)
        self._known = self._register.payloads
        source._read_again(landing, self._register)
        self._shapes = landing.notes(source.name, "shapes")
        self._landed: list[Payload] = []
        self._drifts: list[str] = []
        self._found_again = 0

    def has(self, place: str, sha256: str | None) -> bool:
        """Whether these very bytes were delivered last at a place; they then count as found again."""
        last = self._register.last_at(place)
        if last is None or last.sha256 != sha256 or not self._landing.knows(self._source.name, last.sha256):
            return False
        self._found_again += 1
        return True

    def take(self, path: Path, place: str, headers: Mapping[str, str] | None = None) -> Payload:
        """Land a file, or note that its bytes were delivered once more."""
        told = {**(headers or {}), "path": place, **self._told}
        return self._taken(self._source._arrived(path, told, self._landing, self._known, self._rewrite), place)

    def miss(self, place: str, problem: str, way_out: str) -> None:
        """Land a note of a file that should be there."""
        note = self._source._refused(self._landing, place, problem, way_out)
        self._taken(self._known.get(note.sha256) or self._source._with_batches(note), place)

    def _taken(self, payload: Payload, place: str) -> Payload:
        if payload.sha256 not in self._known:
            self._landed.append(payload)
            if _REFUSED not in payload.headers:
                self.saw(place, shape_of(payload.path))
        else:
            self._found_again += 1
            last = self._register.last_at(place)
            if last is not None and last.sha256 == payload.sha256:
                return payload
            payload = self._source._delivered_again(payload, place)
        self._landing.keep(payload)
        self._register.note(payload)
        return payload

    def report(self, problem: GroningenError | None = None) -> FetchReport:
        """What was taken."""
        self._landing.keep_notes(self._source.name, "shapes", self._shapes)
        visited = {"at": datetime.now(UTC).isoformat(), "problem": f"{problem.problem} → {problem.way_out}" if problem else None}
        self._landing.keep_notes(self._source.name, "visit", visited)
        return FetchReport(self._source.name, tuple(self._landed), self._found_again, tuple(self._drifts), problem)

    def saw(self, place: str, shape: Shape) -> None:
        """Compare the fields of what came to a place with those of what came before; a difference is told."""
        families = self._shapes.setdefault("families", {})
        known = families.get(family(place), {})
        drift = compare(place, known, shape)
        families[family(place)] = merged(known, shape)
        if drift:
            self._drifts.append(str(drift))
            self._shapes["last_drift"] = {"at": datetime.now(UTC).isoformat(), "what": str(drift)}


class _Pieces:
    """Pieces of bytes as a stream that is read to its end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int = -1) -> bytes:
        return next((piece for piece in self._pieces if piece), b"")


def _names_service_numbers(path: Path) -> bool:
    head = head_of(path)
    if head is None:
        return False
    return names_service_numbers(_parquet_columns(path) if head.data.startswith(b"PAR1") else head.data)


def _parquet_columns(path: Path) -> bytes:
    """The names of the columns, which Parquet has at its end; nothing of a file that was cut off."""
    try:
        return ",".join(pl.read_parquet_schema(path)).encode()
    except (pl.exceptions.PolarsError, OSError):
        return b""


def _folder(source: str, root: Path) -> Path:
    if not root.is_dir():
        raise SettingsError(source, f"there is no folder {root}", "create it, or choose another profile")
    return root


def _place(path: Path | str, root: Path) -> str:
    return _masked(str(path).removeprefix(f"{root}{os.sep}"))


_masked = lru_cache(1 << 16)(masked)
"""Every source asks for every place, every night."""


def delivered_files(root: Path) -> list[DeliveredFile]:
    """Every file below `root` that may be a payload, in order of folder and name; hidden ones are not."""
    found = sorted(_files_below(str(root)), key=lambda entry: entry.path.replace(os.sep, "\0"))
    files = []
    for entry in found:
        with contextlib.suppress(FileNotFoundError):  # It is just being taken away.
            files.append(DeliveredFile(entry.path, _place(entry.path, root), stamp_of(entry.stat())))
    return files


def stamp_of(facts: os.stat_result) -> str:
    """Changes with what is in a file, or with the file."""
    return f"{facts.st_size}-{facts.st_mtime_ns}-{facts.st_ctime_ns}"


def _files_below(folder: str) -> "Iterator[os.DirEntry[str]]":
    try:
        entries = list(os.scandir(folder))
    except (PermissionError, FileNotFoundError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(entry.path)
        elif entry.is_file() and not entry.name.startswith("."):
            yield entry


def head_of(path: Path) -> Head | None:
    """The first 64 kB of a file, unpacked, and of Parquet the names of its columns; None when it cannot be unpacked."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            data = gzip.GzipFile(fileobj=raw).read(HEAD_BYTES) if packed else raw.read(HEAD_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return None
    return Head(path.name, data + _parquet_columns(path) if data.startswith(b"PAR1") else data)
