"""`groningen` in processes of its own, with a data folder of its own and as little of the machine as may be."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from groningen_data.settings import Settings, load_settings

PROJECT = Path(__file__).parents[1]
DAYS = 2
_COMMAND = "import os, sys; os.nice(5); from groningen_data.cli import main; sys.argv[0] = 'groningen'; main()"


@dataclass
class Place:
    """A data folder with the settings of its refreshes.

    Args:
        folder: Of data; made when it is not there.
        settings: Besides those of the profile `sample`, by name.
        store: Only this store is refreshed.
        dagster: Where Dagster keeps its runs; in the data folder by default.
    """

    folder: Path
    settings: dict[str, str]
    store: str | None = None
    dagster: Path | None = None

    def load(self) -> Settings:
        """The settings as the refreshes have them."""
        return load_settings(data_dir=self.folder, **self.settings)

    def start(self, *arguments: str, before: Callable[[], None] | None = None) -> "subprocess.Popen[bytes]":
        """Start `groningen` in a session of its own; its output goes to `refresh.log` beside the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        own = {f"GRONINGEN_{name.upper()}": value for name, value in self.settings.items()}
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GRONINGEN_", "DAGSTER_"))}
        folders = {"GRONINGEN_DATA_DIR": str(self.folder), "DAGSTER_HOME": str(PROJECT)}
        folders["GRONINGEN_DAGSTER_DIR"] = str(self.dagster or self.folder / "dagster")
        with self.log.open("ab") as log:
            log.write(f"\n== groningen {' '.join(arguments)}\n".encode())
            log.flush()
            return subprocess.Popen(
                [sys.executable, "-c", _COMMAND, *arguments],
                cwd=PROJECT,
                env={**kept, **own, **folders},
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=before,
            )

    @property
    def log(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.log")

    def run(self, *arguments: str, before: Callable[[], None] | None = None) -> tuple[int, float]:
        """Run `groningen` to its end: exit code and seconds."""
        started = monotonic()
        return self.start(*arguments, before=before).wait(), monotonic() - started

    def refresh(self) -> tuple[int, float]:
        """A whole refresh, or that of the store."""
        return self.run(*self.refreshing)

    @property
    def refreshing(self) -> tuple[str, ...]:
        return ("refresh", "--store", self.store) if self.store else ("refresh",)

    def said(self) -> str:
        """The end of what the processes wrote."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""


def small(folder: Path, store: str | None = None, **settings: str) -> Place:
    """The smallest city."""
    return Place(folder, {"profile": "sample", "sample_days": str(DAYS), **settings}, store)
