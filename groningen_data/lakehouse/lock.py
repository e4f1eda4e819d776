"""One writer at a time: a lock file in the data folder that says who holds it. Readers never take it."""

import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from groningen_data.errors import LakehouseError
from groningen_data.settings import Settings


@dataclass(frozen=True)
class Turn:
    """One holding of the lock.

    Args:
        name: A name that no other turn has.
        before: The name of the turn before it, by whatever process; None when that is not known.
    """

    name: str
    before: str | None


@dataclass(frozen=True)
class WriterLock:
    """The writer's lock of one data folder. The operating system frees it when its holder dies."""

    settings: Settings
    on_wait: Callable[[str], None] = lambda told: None

    @property
    def _path(self) -> Path:
        return self.settings.lake_dir / "writer.lock"

    @property
    def _holder_path(self) -> Path:
        return self.settings.lake_dir / "writer.json"

    def holder(self) -> str:
        """Who took the lock last, in words."""
        facts = self._facts()
        if facts is None:
            return "another process"
        return f"process {facts['pid']} on {facts['host']} ({facts['purpose']}, since {facts['since']})"

    def _facts(self) -> dict[str, Any] | None:
        try:
            facts = json.loads(self._holder_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return facts if isinstance(facts, dict) else None

    @contextmanager
    def held(self, purpose: str) -> Iterator[Turn]:
        """Hold the lock, waiting up to `writer_wait_s` for it.

        Raises:
            LakehouseError: Somebody else held it all that time; the message says who.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.on_wait(f"waiting for {self.holder()}")
            try:
                lock.acquire(timeout=self.settings.writer_wait_s, poll_interval=0.2)
            except Timeout:
                raise LakehouseError(
                    "lakehouse",
                    f"{self.holder()} is writing, and still was after {self.settings.writer_wait_s:g} s",
                    "wait for it to end, or stop that process; the lock frees itself",
                ) from None
        try:
            turn = Turn(uuid.uuid4().hex, (self._facts() or {}).get("turn"))
            facts = {"pid": os.getpid(), "host": socket.gethostname(), "purpose": purpose, "turn": turn.name}
            facts["since"] = datetime.now(UTC).isoformat(timespec="seconds")
            self._holder_path.write_text(json.dumps(facts), encoding="utf-8")
            yield turn
        finally:
            lock.release()
