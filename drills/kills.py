"""Kills: `groningen refresh` killed by SIGKILL at random instants, then a refresh that ends; nothing is lost, twice or half there.

A folder lives through kills until a refresh outlives its instant; its state is then judged, and the next folder begins empty.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from random import Random
from time import sleep

from drills.refreshing import Place, small
from drills.state import Contents, contents, differences, reconcile

_WORKING = 0.9


def run(work: Path, kills: int = 50, seed: int = 1, store: str | None = None) -> list[str]:
    """Kill so often; what is wrong afterwards."""
    chance = Random(seed)
    settings = {"pseudonym_key_file": str(work / "welfare.key")}
    undisturbed = small(work / "undisturbed", store, **settings)
    code, seconds = undisturbed.refresh()
    if code:
        return [f"the undisturbed refresh ends with {code}: {undisturbed.said()}"]
    expected, problems = contents(undisturbed.load()), reconcile(undisturbed.load(), _tables(store))
    done, life = 0, 0
    while done < kills and not problems:
        life += 1
        place = small(work / f"life-{life}", store, **settings)
        in_this_life = _live(place, chance, seconds, kills - done)
        done += in_this_life
        code, _ = place.refresh()
        problems += judged(place, code, expected, store)
        print(f"life {life}: {in_this_life} kills, {done} in all; {'; '.join(problems[:3]) or 'as undisturbed'}", flush=True)
        if not problems:
            shutil.rmtree(place.folder)
    return problems


def _live(place: Place, chance: Random, seconds: float, most: int) -> int:
    """Kill refreshes of a folder until one outlives its instant; how many were killed."""
    for killed in range(most):
        process = place.start(*place.refreshing)
        # The start of the process tries little of ours: most instants are counted from when it first tells something.
        if chance.random() < _WORKING:
            _until_it_tells(place, process)
        try:
            process.wait(timeout=chance.uniform(0.01, 0.5) * seconds)
            return killed
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return most


def _until_it_tells(place: Place, process: "subprocess.Popen[bytes]") -> None:
    size = place.log.stat().st_size
    while place.log.stat().st_size == size and process.poll() is None:
        sleep(0.02)


def judged(place: Place, code: int, expected: Contents, store: str | None = None) -> list[str]:
    """What is wrong with a folder after its last refresh."""
    if code:
        return [f"the refresh afterwards ends with {code}: {place.said()}"]
    settings = place.load()
    return [*reconcile(settings, _tables(store)), *differences(contents(settings), expected)]


def _tables(store: str | None) -> set[str] | None:
    from assets import all_recipes

    return {name for name, recipe in all_recipes().items() if recipe.facts.store == store} if store else None
