"""The asset graph and the jobs as plain values; `python -m tests.integration.graph` writes down what they are now.

A change of the graph that was meant is then a change of `asset_graph.json` that a reviewer sees.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import dagster as dg

from groningen_data.definitions import build_defs
from groningen_data.settings import load_settings

WRITTEN = Path(__file__).with_name("asset_graph.json")


def graph_of(defs: dg.Definitions) -> dict[str, Any]:
    """Per asset its group, owners, what it stands on, whether it has daily partitions, and its checks; per job its assets."""
    graph = defs.resolve_asset_graph()
    nodes = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    jobs = [job for job in defs.resolve_all_job_defs() if not job.name.startswith("__")]
    return {
        "assets": {
            name: {
                "group": node.group_name,
                "owners": list(node.owners),
                "stands_on": sorted(parent.to_user_string() for parent in node.parent_keys),
                "is_daily": node.is_partitioned,
                "checks": sorted(check.name for check in node.check_keys),
            }
            for name, node in sorted(nodes.items())
        },
        "jobs": {job.name: sorted(k.to_user_string() for k in job.asset_layer.executable_asset_keys) for job in jobs},
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found = graph_of(build_defs(load_settings(profile="sample", data_dir=Path(folder))))
    WRITTEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
