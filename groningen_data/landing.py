"""The landing: payloads exactly as their source delivered them, each with its hash, origin, time and the batches it feeds.

A payload is first written beside its place and renamed, then its facts (a small JSON file) the same way; what has no facts
is not there, so a kill at any instant leaves nothing half landed. An index repeats the facts of a source in one file, so that a
visit does not read thousands: it counts only while the folder is as the index left it. No lakehouse is needed to land. Payloads about persons are
rewritten by their source on the way here: what was delivered of those is nowhere kept.
"""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast

from filelock import FileLock

from groningen_data.errors import PayloadError
from groningen_data.settings import Settings

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Arrival:
    """One delivery of a payload: under which path or name, when (UTC), and the batches it feeds under that name."""

    place: str
    at: datetime
    batches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Payload:
    """One delivered file or response, verbatim.

    Args:
        source: Name of the source that delivered it.
        sha256: Hash of the bytes as delivered; its identity.
        name: File name at the source.
        size: Bytes as delivered.
        landed_at: When it first landed (UTC).
        batches: Keys of the batches it feeds; empty when `problem` is set.
        problem: Why it cannot be read as what the source promises, for a person; None when it can.
        way_out: With `problem`: what to do about it.
        headers: What the source said about it (content type, modification time, …), and what the settings say of it: `clock` is
            the time zone of its times that name none, where that is not the source's own.
        path: Where the bytes are.
        size_limit: Most bytes it may unpack to.
        deliveries: With more than one delivery: the last one at each place.
    """

    source: str
    sha256: str
    name: str
    size: int
    landed_at: datetime
    batches: tuple[str, ...] = ()
    problem: str | None = None
    way_out: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    path: Path = Path()
    size_limit: int = 2_000_000_000
    deliveries: tuple[Arrival, ...] = ()

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        """The last delivery at each place, oldest first."""
        only = Arrival(self.headers.get("path", self.name), self.landed_at, self.batches)
        return self.deliveries or (only,)

    def arrival_for(self, batch: str | None = None) -> Arrival:
        """The last delivery that feeds a batch, or the last of all."""
        return [a for a in self.arrivals if batch is None or batch in a.batches][-1]

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The unpacked bytes as a stream; gzip is recognised by its first bytes, never by its name.

        Raises:
            PayloadError: The gzip stream is broken, or unpacks to more than the limit.
        """
        with self.path.open("rb") as raw, unpacked(raw, self.size_limit, self.name) as stream:
            yield stream

    def read(self) -> bytes:
        """All unpacked bytes; for payloads known to be small (a few hundred MB at most)."""
        with self.open() as stream:
            return stream.read()

    def text(self) -> str:
        """All of it as text: UTF-8 (a byte-order mark is dropped).

        Raises:
            PayloadError: It is not UTF-8.
        """
        try:
            return self.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise PayloadError(
                self.name, f"is not UTF-8 text (byte {error.start})", "ask the source for UTF-8, or convert the file"
            ) from error

    def json(self) -> Any:
        """All of it as JSON.

        Raises:
            PayloadError: It is not JSON, or it was cut off.
        """
        text = self.text()
        if not text.strip():
            raise PayloadError(self.name, "is empty", "ask for the file again; an empty answer is never data")
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise PayloadError(
                self.name, f"is not complete JSON ({error})", "ask for the file again; it was cut off or is of another type"
            ) from error


@contextmanager
def unpacked(raw: BufferedReader, size_limit: int, name: str) -> Iterator[IO[bytes]]:
    """A stream, unpacked when it is gzip, of no more bytes than the limit.

    Raises:
        PayloadError: The gzip stream is broken, or unpacks to more than the limit.
    """
    packed = raw.peek(2)[:2] == b"\x1f\x8b"
    stream = gzip.GzipFile(fileobj=raw) if packed else raw
    try:
        yield cast(IO[bytes], _Limited(cast(IO[bytes], stream), size_limit, name))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PayloadError(
            name, f"the gzip stream is broken ({error})", "ask for the file again; it was cut off or damaged"
        ) from error


class _Limited:
    """A reader that refuses to give more than `limit` bytes: a decompression bomb stops here."""

    def __init__(self, stream: IO[bytes], limit: int, name: str) -> None:
        self._stream, self._left, self._limit, self._name = stream, limit, limit, name

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(self._left + 1 if size is None or size < 0 else size)
        self._left -= len(data)
        if self._left < 0:
            raise PayloadError(
                self._name,
                f"unpacks to more than {self._limit / 1e6:,.0f} MB",
                "if it is genuine, raise GRONINGEN_PAYLOAD_LIMIT_MB",
            )
        return data


class Register:
    """What has landed of a source: `payloads` by hash, and which was delivered last at each place."""

    def __init__(self) -> None:
        self.payloads: dict[str, Payload] = {}
        self._last: dict[str, tuple[datetime, str]] = {}

    def note(self, payload: Payload) -> None:
        """A payload as it is from now on."""
        self.payloads[payload.sha256] = payload
        for arrival in payload.arrivals:
            last = arrival.at, payload.sha256
            self._last[arrival.place] = max(last, self._last.get(arrival.place, last))

    def last_at(self, place: str) -> Payload | None:
        """The payload that was delivered last at a place."""
        return self.payloads.get(self._last[place][1]) if place in self._last else None


@dataclass
class _Index:
    """What was read of an index: up to which byte, and as it left which state of the folder; None while that changes."""

    register: Register
    file: int
    offset: int = 0
    folder: int | None = None


# Stands in an index while something changes that it does not tell yet.
_CHANGING = b"-\n"


class Landing:
    """The folder of landed payloads: `<root>/<source>/<sha256>` and `<sha256>.json`, with the index `<root>/.<source>.index`."""

    def __init__(self, root: Path, size_limit: int = 2_000_000_000) -> None:
        self.root = root
        self.size_limit = size_limit
        self._indexes: dict[str, _Index] = {}
        self._changing: set[str] = set()

    @classmethod
    def of(cls, settings: Settings) -> "Landing":
        """The landing of a data folder, with its limit on what a payload may unpack to."""
        return cls(settings.landing_dir, settings.payload_limit_mb * 1_000_000)

    def knows(self, source: str, sha256: str) -> bool:
        """Whether a payload is landed: its facts are there, and its bytes."""
        return self._facts(source, sha256).is_file() and (self.root / source / sha256).is_file()

    def land(self, source: str, name: str, stream: IO[bytes], headers: Mapping[str, str] | None = None) -> Payload:
        """Write the bytes of `stream` to their place and return the payload; its facts are not written yet (see `keep`)."""
        folder = self.root / source
        self._begin(source)
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".partial-{os.getpid()}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        digest, size = hashlib.sha256(), 0
        try:
            with partial.open("wb") as out:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        path = folder / digest.hexdigest()
        partial.replace(path)
        return Payload(
            source=source,
            sha256=digest.hexdigest(),
            name=name,
            size=size,
            landed_at=datetime.now(UTC),
            headers=dict(headers or {}),
            path=path,
            size_limit=self.size_limit,
        )

    def keep(self, payload: Payload) -> None:
        """Write the payload's facts: from here on it is landed."""
        facts = asdict(payload)
        del facts["path"], facts["size_limit"]
        self._begin(payload.source)
        target = self._facts(payload.source, payload.sha256)
        partial = target.with_suffix(f".partial-{os.getpid()}")
        partial.write_text(json.dumps(facts, ensure_ascii=False, indent=1, default=datetime.isoformat), encoding="utf-8")
        partial.replace(target)
        self._end(payload, facts)

    def settle(self, payload: Payload) -> None:
        """Make sure that a payload and its facts outlive a power cut: what was delivered may be removed after this."""
        for path in (payload.path, self._facts(payload.source, payload.sha256), payload.path.parent, self.root):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def remove(self, payload: Payload) -> None:
        """Take a payload out of the landing, its facts first; for whoever has the source exclusively."""
        self._begin(payload.source)
        self._facts(payload.source, payload.sha256).unlink(missing_ok=True)
        payload.path.unlink(missing_ok=True)
        self._write_index(payload.source)

    def payloads(self, source: str) -> list[Payload]:
        """Landed payloads of a source, the one delivered last at the end."""
        return sorted(self.register(source).payloads.values(), key=lambda p: (p.arrival_for().at, p.sha256))

    def register(self, source: str) -> Register:
        """What has landed of a source; who keeps payloads notes them in it as well."""
        index = self._in_step(source)
        if index is not None:
            return index.register
        found = Register()
        for path in (self.root / source).glob("*.json"):
            found.note(self._payload(json.loads(path.read_text(encoding="utf-8"))))
        return found

    def _payload(self, facts: dict[str, Any]) -> Payload:
        facts["landed_at"] = datetime.fromisoformat(facts["landed_at"])
        facts["batches"] = tuple(facts["batches"])
        facts["deliveries"] = tuple(
            Arrival(d["place"], datetime.fromisoformat(d["at"]), tuple(d["batches"])) for d in facts.get("deliveries", ())
        )
        return Payload(**facts, path=self.root / facts["source"] / facts["sha256"], size_limit=self.size_limit)

    def _in_step(self, source: str) -> _Index | None:
        """The index of a source, unless the folder changed in a way that it does not tell."""
        try:
            folder = (self.root / source).stat().st_mtime_ns
        except FileNotFoundError:
            folder = 0
        try:
            index = self._read_index(source)
        except FileNotFoundError:
            # Of a source of which nothing ever landed there is nothing to tell.
            return None if folder else self._indexes.setdefault(source, _Index(Register(), 0, folder=0))
        except (OSError, ValueError, KeyError, TypeError):
            self._indexes.pop(source, None)
            return None
        return index if index.folder == folder else None

    def _read_index(self, source: str) -> _Index:
        with self._index(source).open("rb") as stream:
            file = os.fstat(stream.fileno())
            index = self._indexes.get(source)
            if index is None or index.file != file.st_ino or index.offset > file.st_size:
                index = self._indexes[source] = _Index(Register(), file.st_ino)
            stream.seek(index.offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                index.offset += len(line)
                index.folder = None
                if line != _CHANGING:
                    folder, facts = json.loads(line)
                    index.register.note(self._payload(facts))
                    index.folder = folder
        return index

    def _begin(self, source: str) -> None:
        """Before anything changes in the folder of a source: from here on its index does not count, until `_end`."""
        if source not in self._changing and self._in_step(source) is not None:
            self.root.mkdir(parents=True, exist_ok=True)
            self._append(source, _CHANGING)
            self._changing.add(source)

    def _end(self, payload: Payload, facts: Mapping[str, Any]) -> None:
        source = payload.source
        if source in self._changing:
            folder = (self.root / source).stat().st_mtime_ns
            self._append(source, json.dumps([folder, facts], ensure_ascii=False, default=datetime.isoformat).encode() + b"\n")
            self._changing.remove(source)

    def _append(self, source: str, line: bytes) -> None:
        with self._index(source).open("ab") as stream:
            stream.write(line)

    def _write_index(self, source: str) -> None:
        """Write an index of what is in the folder now."""
        folder = (self.root / source).stat().st_mtime_ns
        self._indexes.pop(source, None)
        self._index(source).unlink(missing_ok=True)
        payloads = self.register(source).payloads.values()
        partial = self._index(source).with_suffix(f".partial-{os.getpid()}")
        with partial.open("wb") as stream:
            for payload in payloads:
                facts = asdict(payload)
                del facts["path"], facts["size_limit"]
                stream.write(json.dumps([folder, facts], ensure_ascii=False, default=datetime.isoformat).encode() + b"\n")
        partial.replace(self._index(source))
        self._changing.discard(source)

    def _index(self, source: str) -> Path:
        return self.root / f".{source}.index"

    def notes(self, source: str, kind: str) -> dict[str, Any]:
        """What a source noted for its next visit (`kind`: cursor, shapes, …); empty when there is nothing, or it is damaged."""
        try:
            found = json.loads((self.root / f".{source}.{kind}").read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else {}
        except (OSError, ValueError):
            return {}

    def keep_notes(self, source: str, kind: str, notes: Mapping[str, Any]) -> None:
        """Remember notes in place of those before; they never hold data or credentials."""
        self.root.mkdir(parents=True, exist_ok=True)
        target = self.root / f".{source}.{kind}"
        partial = target.with_name(f"{target.name}.partial-{os.getpid()}")
        partial.write_text(json.dumps(notes, ensure_ascii=False, default=str), encoding="utf-8")
        partial.replace(target)

    @contextmanager
    def exclusively(self, source: str) -> Iterator[None]:
        """Let one process at a time fetch a source, so that none clears away what another has half landed."""
        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / f".{source}.lock"):
            yield

    def forget_partials(self, source: str) -> None:
        """Remove what a killed run left half landed, and index the rest anew; nothing when nothing changed since the last payload."""
        folder = self.root / source
        # What was half noted, as on a full disk.
        for path in self.root.glob(f".{source}.*partial-*"):
            path.unlink(missing_ok=True)
        if self._in_step(source) is not None or not folder.is_dir():
            return
        names = {entry.name for entry in os.scandir(folder)}
        for name in names:
            if ".partial-" in name or ("." not in name and f"{name}.json" not in names):
                (folder / name).unlink(missing_ok=True)
        if all(name.removesuffix(".json") in names for name in names if ".partial-" not in name):
            self._write_index(source)

    def _facts(self, source: str, sha256: str) -> Path:
        return self.root / source / f"{sha256}.json"


def last_at_each_place(payloads: Iterable[Payload]) -> dict[str, Payload]:
    """Which payload was delivered last at each place of a source."""
    arrivals = [(arrival.at, payload.sha256, arrival.place, payload) for payload in payloads for arrival in payload.arrivals]
    return {place: payload for _, _, place, payload in sorted(arrivals, key=lambda a: a[:3])}
