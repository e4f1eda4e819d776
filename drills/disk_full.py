"""Disk full: refreshes on a disk that is really full (a tmpfs of a few MB, so as root), then with room; nothing is lost.

The disk is smaller than what a refresh leaves behind, by several shares: it fills up while payloads land, while batches are
staged and published, and late, while marts are served. Once Dagster's own storage is on that disk as well, as it is by default.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from drills.kills import judged
from drills.refreshing import small
from drills.state import contents

SHARES = (("with Dagster's storage", 0.3), ("data alone", 0.4), ("data alone", 0.75), ("data alone", 0.95))
_FULL = re.compile(r"No space left|disk is full|Errno 28|ENOSPC", re.IGNORECASE)


def run(work: Path, store: str | None = None) -> list[str]:
    """Fill a disk at several moments; what is wrong afterwards."""
    if os.geteuid() != 0:
        return ["only root may mount a small disk; run it as root, or in a container"]
    settings = {"pseudonym_key_file": str(work / "welfare.key")}
    undisturbed = small(work / "undisturbed", store, **settings)
    code, _ = undisturbed.refresh()
    if code:
        return [f"the undisturbed refresh ends with {code}: {undisturbed.said()}"]
    expected, problems = contents(undisturbed.load()), []
    sizes = {path: path.stat().st_size for path in undisturbed.folder.rglob("*") if path.is_file()}
    for what, share in SHARES:
        place = small(work / f"full-{share:.0%}", store, **settings)
        if what == "data alone":
            place.dagster = work / f"dagster-{share:.0%}"
        needed = sum(size for path, size in sizes.items() if not (place.dagster and "dagster" in path.parts))
        place.folder.mkdir()
        _mount("-t", "tmpfs", "-o", f"size={int(needed * share)}", "tmpfs", str(place.folder))
        try:
            code, _ = place.refresh()
            free = shutil.disk_usage(place.folder).free
            said = place.log.read_text(errors="replace")
            told = _FULL.search(said)
            print(
                f"{what}, {share:.0%} of {needed / 1e6:.0f} MB: ended with {code}, {free / 1e3:.0f} kB free, said: {_line(said, told)}"
            )
            if code == 0 or told is None:
                problems.append(f"a disk of {share:.0%} of what is needed was not told of: exit {code}, {place.said()}")
            if "Traceback" in said:
                problems.append(f"a disk of {share:.0%} ends in a traceback: {said[said.index('Traceback') :][-600:]}")
            _mount("-o", f"remount,size={needed * 4}", str(place.folder))
            code, _ = place.refresh()
            problems += judged(place, code, expected, store)
        finally:
            subprocess.run(["umount", str(place.folder)], check=True)
    return problems


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _line(said: str, told: "re.Match[str] | None") -> str:
    return said[said.rfind("\n", 0, told.start()) + 1 :].split("\n", 1)[0][:200] if told else "nothing of it"
