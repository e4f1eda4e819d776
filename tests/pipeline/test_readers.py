"""Four reader processes throughout a refresh: no error, and never half of a batch."""

import json
import subprocess
import sys
from pathlib import Path

from groningen_data.settings import load_settings
from tests.pipeline.drive import SOME_TABLES, refresh

PROJECT = Path(__file__).parents[2]

# Reads the lake and the served marts until told to stop, often on one connection and often on a new one; a batch must be whole:
# rows and ledger of one snapshot agree.
READER = """
import json, sys, time
from pathlib import Path
import duckdb
from groningen_data.errors import LakehouseError
from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import load_settings

stop, marts = Path(sys.argv[1]), Path(sys.argv[2])
lakehouse, reads, served, errors, torn = Lakehouse(load_settings()), 0, 0, [], []

def read_lake(con):
    con.execute("BEGIN")
    promised = dict(con.execute(
        "SELECT table_name, sum(rows_accepted) FROM lake.ops.batches WHERE outcome = 'published' AND table_name IN "
        "('core.waste_open_reports', 'core.traffic_counts') GROUP BY 1").fetchall())
    for table, rows in promised.items():
        held = con.execute(f"SELECT count(*) FROM lake.{table}").fetchone()[0]
        if held != rows:
            torn.append([table, held, int(rows)])
    con.execute("COMMIT")

while not stop.exists():
    try:
        with lakehouse.reader() as con:
            for _ in range(5):
                read_lake(con)
                reads += 1
                time.sleep(0.2)
        if marts.exists():
            with duckdb.connect(str(marts), read_only=True) as con:
                if con.execute("SELECT count(*) FROM neighbourhood_month").fetchone()[0] not in (0, 151):
                    torn.append("marts")
                served += 1
    except LakehouseError:
        pass  # nothing published yet
    except duckdb.Error as error:
        errors.append(str(error)[:300])
    time.sleep(0.2)
print(json.dumps({"reads": reads, "served": served, "errors": errors, "torn": torn}))
"""


def test_four_readers_see_no_error_and_no_torn_batch_during_a_refresh(tmp_path, monkeypatch):
    monkeypatch.setenv("GRONINGEN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GRONINGEN_SAMPLE_DAYS", "3")
    settings = load_settings()
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", READER, str(stop), str(settings.serving_dir / "marts.duckdb")]
    readers = [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    try:
        results = refresh(settings, tables=SOME_TABLES)
        again = refresh(settings, "again", SOME_TABLES)
    finally:
        stop.touch()
        told = [json.loads(r.communicate(timeout=120)[0].splitlines()[-1]) for r in readers]
    assert all(r.published for r in results.values())
    assert not any(r.batches for r in again.values())
    assert [t["errors"] for t in told] == [[]] * 4
    assert [t["torn"] for t in told] == [[]] * 4
    assert all(t["reads"] > 0 for t in told)
    assert all(t["served"] > 0 for t in told)
