"""What a measured lake holds, asked in a process of its own: rows per table, batches, and how long each step of a run took.

`python -m benchmarks.lake steps DATA`, `… judged DATA` or `… rows DATA [BARE]` prints JSON.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assets import all_recipes
from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import load_settings


def steps(data: Path) -> dict[str, float]:
    """Seconds per step of the last run of a data folder: `landing.telemetry`, `core.waste_reports`, …"""
    import dagster as dg

    os.environ["GRONINGEN_DAGSTER_DIR"] = str(data / "dagster")
    os.environ.setdefault("DAGSTER_HOME", str(Path(__file__).parent.parent))
    with dg.DagsterInstance.get() as instance:
        run = instance.get_runs(limit=1)[0]
        stats = instance.get_run_step_stats(run.run_id)
    return {s.step_key.replace("__", ".", 1): s.end_time - s.start_time for s in stats if s.end_time and s.start_time}


def judged(data: Path) -> dict[str, int]:
    """Batches per table that the last run judged."""
    with Lakehouse(load_settings(data_dir=data)).reader() as con:
        return dict(
            con.execute(
                "SELECT table_name, count(*) FROM lake.ops.batches WHERE run_id = "
                "(SELECT run_id FROM lake.ops.batches ORDER BY finished_at DESC LIMIT 1) GROUP BY 1 ORDER BY 1"
            ).fetchall()
        )


def rows(data: Path, bare: Path | None = None) -> dict[str, dict[str, Any]]:
    """Per table: rows, batches judged, rows of batches that are rejected now, and the rows of the bare lake."""
    found = {}
    with Lakehouse(load_settings(data_dir=data)).reader() as con:
        if bare is not None:
            lake = load_settings(data_dir=bare).lake_dir
            con.execute(
                f"ATTACH 'ducklake:sqlite:{lake}/catalog.sqlite' AS bare "
                f"(READ_ONLY, DATA_PATH '{lake}/files/', OVERRIDE_DATA_PATH TRUE)"
            )
        for name in all_recipes():
            batches, seconds, rejected = con.execute(
                "SELECT count(*), coalesce(sum(epoch(finished_at - started_at)), 0), coalesce((SELECT sum(rows_accepted) FROM ("
                "  SELECT * FROM lake.ops.batches WHERE table_name = $1"
                "  QUALIFY row_number() OVER (PARTITION BY batch_key ORDER BY finished_at DESC) = 1) WHERE outcome = 'rejected'), 0) "
                "FROM lake.ops.batches WHERE table_name = $1",
                [name],
            ).fetchall()[0]
            found[name] = {
                "rows": con.execute(f"SELECT count(*) FROM lake.{name}").fetchall()[0][0],
                "bare": con.execute(f"SELECT count(*) FROM bare.{name}").fetchall()[0][0] if bare else 0,
                "batches": batches,
                "gate_s": seconds,
                "rejected": int(rejected),
            }
    return found


if __name__ == "__main__":
    what, *folders = sys.argv[1:]
    asked = [Path(folder) for folder in folders]
    answers: dict[str, Callable[..., Any]] = {"steps": steps, "judged": judged, "rows": rows}
    print(json.dumps(answers[what](*asked)))
