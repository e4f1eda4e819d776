"""Another process on the lake of the environment's settings: reads, publishes, holds the lock, or waits to be killed.

It says "at work" when it is, stops when it is told to (though never before it did something worth telling), and then says
what it did as JSON.
"""

import json
import sys
import threading
import time
from pathlib import Path

from groningen_data.lakehouse import Lakehouse, WriterLock, backup
from groningen_data.settings import load_settings

LAKEHOUSE = Lakehouse(load_settings())
TOLD_TO_STOP = threading.Event()


def at_work() -> None:
    print("at work", flush=True)
    threading.Thread(target=lambda: (sys.stdin.readline(), TOLD_TO_STOP.set()), daemon=True).start()


def read() -> dict:
    """Read both tables of `publish` again and again, in one query and in one transaction, on fresh and on kept connections."""
    reads, seen = 0, set()
    while not TOLD_TO_STOP.is_set() or reads < 10:
        with LAKEHOUSE.reader() as con:
            for _ in range(5):
                rows = con.execute(
                    "SELECT version, count(*) FROM (FROM lake.core.twin_a UNION ALL FROM lake.core.twin_b) GROUP BY version"
                ).fetchall()
                con.execute("BEGIN")
                first = con.execute("SELECT min(version), max(version), count(*) FROM lake.core.twin_a").fetchone()
                second = con.execute("SELECT min(version), max(version), count(*) FROM lake.core.twin_b").fetchone()
                con.execute("COMMIT")
                assert len(rows) == 1 and rows[0][1] == 10, f"torn within a query: {rows}"
                assert first == second and first[0] == first[1] and first[2] == 5, f"torn within a transaction: {first} {second}"
                reads += 1
                seen.add(first[0])
                if reads == 1:
                    at_work()
                time.sleep(0.01)
    return {"reads": reads, "versions": len(seen)}


def publish() -> dict:
    """Replace both twin tables again and again, always by the same version in both."""
    published = 0
    at_work()
    while not TOLD_TO_STOP.is_set() or published < 10:
        with LAKEHOUSE.writer("publish twins") as con:
            (version,) = con.execute("SELECT coalesce(max(version), 0) FROM lake.core.twin_a").fetchone()
            for _ in range(5):
                version += 1
                con.execute("BEGIN")
                for name in "ab":
                    con.execute(f"DELETE FROM lake.core.twin_{name}")
                    con.execute(f"INSERT INTO lake.core.twin_{name} SELECT {version} FROM range(5)")
                con.execute("COMMIT")
                published += 1
        time.sleep(0.02)
    return {"published": published}


def drop_numbers() -> dict:
    """Replace the table by another of the same name."""
    with LAKEHOUSE.writer("drop numbers") as con:
        con.execute("DROP TABLE lake.core.numbers")
        con.execute("CREATE TABLE lake.core.numbers (n INTEGER)")
    at_work()
    TOLD_TO_STOP.wait()
    return {}


def restore() -> dict:
    """Put the backup in the folder of the next argument in the place of the lake."""
    backup.restore(LAKEHOUSE.settings, Path(sys.argv[2]), force=True)
    at_work()
    TOLD_TO_STOP.wait()
    return {}


def hold() -> dict:
    with WriterLock(LAKEHOUSE.settings).held("a long import"):
        at_work()
        TOLD_TO_STOP.wait()
    return {}


def write_without_end() -> dict:
    """Write rows in a transaction that never commits."""
    with LAKEHOUSE.writer("a load that gets killed") as con:
        (LAKEHOUSE.settings.scratch_dir / "scratch-rows-killed").mkdir()
        con.execute("BEGIN")
        con.execute("DELETE FROM lake.core.numbers")
        con.execute("INSERT INTO lake.core.numbers SELECT 'killed', range FROM range(1000)")
        at_work()
        TOLD_TO_STOP.wait()
    return {}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()))
