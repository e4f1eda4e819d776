"""Restore: a backup, the loss of the whole data folder, and a restore; the answers before and after are the same.

The key of the pseudonyms is no part of a backup; it is kept elsewhere, as it must be where the data folder can be lost.
"""

import shutil
from pathlib import Path

from drills.refreshing import small
from drills.state import contents, differences, reconcile


def run(work: Path, store: str | None = None) -> list[str]:
    """Back up, destroy, restore, refresh; what is wrong."""
    place, backup = small(work / "data", store, pseudonym_key_file=str(work / "welfare.key")), work / "backup"
    code, _ = place.refresh()
    if code:
        return [f"the first refresh ends with {code}: {place.said()}"]
    before = contents(place.load())
    steps = []
    for step in (("backup", str(backup)), ("restore", str(backup)), place.refreshing):
        if step[0] == "restore":
            shutil.rmtree(place.folder)
        code, seconds = place.run(*step)
        steps.append(f"{step[0]} {seconds:.0f} s")
        if code:
            return [f"groningen {step[0]} ends with {code}: {place.said()}"]
        if step[0] != "backup" and (changed := differences(contents(place.load()), before)):
            return [f"after {step[0]}: {line}" for line in changed]
    print(", ".join(steps))
    return reconcile(place.load())
