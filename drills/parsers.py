"""One payload through everything that reads payloads: recognising, its shape, minimising, batches, parsing, and staging.

The only errors that may come out are our own, and they say nothing that was in a field of a person.
"""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

import duckdb
import polars as pl

from assets import all_recipes, all_sources
from drills.squares import squares
from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import polars_schema
from groningen_data.errors import GroningenError
from groningen_data.fetching.shapes import compare, merged, shape_of
from groningen_data.gate.plan import SNAPSHOT
from groningen_data.gate.recipe import BuildContext
from groningen_data.gate.stage import judge_rows, stage
from groningen_data.landing import Payload
from groningen_data.privacy.service_numbers import is_service_number
from groningen_data.settings import Settings
from groningen_data.sources.base import FileSource, head_of

SIZE_LIMIT = 20_000_000
_MOST_KEYS = 2
_ARRIVED = datetime(2026, 3, 16, 5, tzinfo=UTC)
_NINE_DIGITS = re.compile(rb"(?<![0-9])[0-9]{9}(?![0-9])")


class WrongError(AssertionError):
    """Something came out of a reader that must not."""


@dataclass
class Seen:
    """What became of a set of files: rows accepted and kept back, and what refusals said."""

    rows: int = 0
    kept_back: int = 0
    refusals: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Reader:
    """Reads sets of files as the application does, without a lake.

    Args:
        settings: Their data folder is for scratch files.
        folder: Where payloads are written.
    """

    settings: Settings
    folder: Path
    con: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)

    def __post_init__(self) -> None:
        self._neighbourhoods = squares()

    def read(self, source: FileSource, files: Mapping[str, bytes]) -> Seen:
        """Everything that is done with files of a source, one after the other.

        Raises:
            WrongError: An error that is not ours, an answer that is no verdict, or a message with a citizen service number.
        """
        started, seen = process_time(), Seen()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        numbers = {n for data in files.values() for n in _NINE_DIGITS.findall(data) if is_service_number(n.decode())}
        payloads = [p for name, data in files.items() if (p := self._landed(source, name, data, seen, numbers)) is not None]
        if payloads:
            for recipe in all_recipes().values():
                for feed in recipe.feeds:
                    if feed.source is source:
                        self._gate(recipe, feed, payloads, seen)
        for told in seen.refusals:
            if source.rewriting and any(n.decode() in told for n in numbers):
                raise WrongError(f"{source.name}: a refusal tells a citizen service number")
        seen.seconds = process_time() - started
        return seen

    def _landed(self, source: FileSource, name: str, data: bytes, seen: Seen, numbers: set[bytes]) -> Payload | None:
        path = self.folder / f"delivered-{len(list(self.folder.iterdir()))}"
        path.write_bytes(data)
        with _only_ours(source, "recognises", seen):
            head = head_of(path)
            if head is not None:
                source.recognises(head)
        with _only_ours(source, "shape", seen):
            shape = shape_of(path)
            compare(name, merged({}, shape), shape)
        payload = _payload(source, name, path)
        if source.rewriting is not None:
            landed = path.with_suffix(".landed")
            with _only_ours(source, "minimises", seen):
                rewrite = source.rewriting(self.settings)
                landed.write_bytes(b"".join(rewrite(payload)))
            if not landed.exists():
                return None
            if any(number in landed.read_bytes() for number in numbers):
                raise WrongError(f"{source.name}: a citizen service number landed")
            payload = _payload(source, name, landed)
        if payload.size == 0:
            return None
        keys: tuple[str, ...] = ()
        with _only_ours(source, "batches", seen):
            keys = source.batches(payload)
        if not all(isinstance(key, str) for key in keys):
            raise WrongError(f"{source.name}: {name} has batches {keys!r}")
        return Payload(**{**vars(payload), "batches": keys}) if keys else None

    def _gate(self, recipe: Any, feed: Any, payloads: list[Payload], seen: Seen) -> None:
        whole = recipe.facts.load_mode != "partition"
        keys = dict.fromkeys(SNAPSHOT if whole else key for p in payloads for key in p.batches)
        for key in [k for k in keys if feed.takes(k)][:_MOST_KEYS]:
            members = [p for p in payloads if whole or key in p.batches]
            context = BuildContext(self.settings, self._published)
            # Always another name, as in the gate: DuckDB keeps what it has read of a file in memory.
            rows = Path(tempfile.mkdtemp(prefix="rows-", dir=self.folder))
            with _only_ours(feed.source, f"{feed.parse.__name__} of {key[:40]}", seen):
                judged = judge_rows(recipe.contract, feed.parse(members, key, context), 1_000, rows)
                staged = stage(self.con, recipe.contract, key, judged)
                seen.rows += staged.accepted + staged.collapsed
                seen.kept_back += staged.quarantined

    def _published(self, table: str) -> pl.DataFrame:
        if table == "core.reference_neighbourhoods":
            return self._neighbourhoods
        return pl.DataFrame(schema=polars_schema(all_contracts()[table]))


def _payload(source: FileSource, name: str, path: Path) -> Payload:
    data = path.read_bytes()
    return Payload(
        source.name, hashlib.sha256(data).hexdigest(), name, len(data), _ARRIVED, headers={}, path=path, size_limit=SIZE_LIMIT
    )


@contextmanager
def _only_ours(source: FileSource, what: str, seen: Seen) -> Iterator[None]:
    try:
        yield
    except GroningenError as error:
        seen.refusals.append(str(error))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise WrongError(f"{source.name} {what}: {type(error).__name__}: {error}") from error


def source_of(name: str) -> FileSource:
    """A source by its name."""
    return all_sources()[name]
