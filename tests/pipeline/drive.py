"""A whole refresh as plain function calls, in the order of the tables' inputs; also `python -m tests.pipeline.drive FOLDER`.

With a second argument the process kills itself (SIGKILL, no clean-up) at that instant of the refresh.
"""

import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from assets import all_recipes, all_sources
from groningen_data.gate.gate import Gate, TableResult
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing
from groningen_data.sample import city
from groningen_data.serving.publish import publish_serving
from groningen_data.settings import Settings, load_settings

SOME_TABLES = (
    "core.reference_neighbourhoods",
    "core.traffic_sites",
    "core.traffic_counts",
    "core.waste_open_reports",
    "core.waste_reports",
    "collective.site_hour",
    "collective.neighbourhood_month",
)
"""Enough for what is about kills and readers, not about tables: payloads in days and snapshots, derived tables, marts."""
INSTANTS = ("landing", "staging", "publishing", "published", "swapping")


def refresh(
    settings: Settings,
    run_id: str = "test",
    tables: Collection[str] | None = None,
    only: Mapping[str, Callable[[str], bool]] | None = None,
) -> dict[str, TableResult]:
    """Fetch, gate every table and serve; returns the result per table.

    Args:
        settings: The settings of this run.
        run_id: Recorded with everything.
        tables: The tables to gate, and to fetch the sources of; all by default.
        only: Which batch keys to look at, for tables that are not wanted whole.
    """
    landing, recipes, sources = Landing(settings.landing_dir), all_recipes(), all_sources()
    order = TopologicalSorter({name: recipe.comes_after for name, recipe in recipes.items()}).static_order()
    wanted = [name for name in order if tables is None or name in tables]
    if settings.is_sample:
        city.build(settings)
    for name in sorted({feed.source.name for table in wanted for feed in recipes[table].feeds}):
        sources[name].fetch(settings, landing)
    gate = Gate(Lakehouse(settings), run_id, covers=lambda name: sources[name].covers(settings))
    results = {name: gate.refresh(recipes[name], landing, (only or {}).get(name)) for name in wanted}
    publish_serving(Lakehouse(settings))
    return results


def die_at(instant: str, times: int = 3) -> None:
    """Arrange that this process kills itself at the given instant, the `times`-th time it comes by."""
    import groningen_data.gate.publish as publish_module
    import groningen_data.gate.stage as stage_module
    import groningen_data.serving.publish as serving_module

    left = times

    def die(*args: Any, **kwargs: Any) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(owner: Any, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)
        setattr(owner, name, lambda *args, **kwargs: (die(), original(*args, **kwargs))[1])

    def after(owner: Any, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)
        setattr(owner, name, lambda *args, **kwargs: (original(*args, **kwargs), die())[0])

    match instant:
        case "landing":  # the bytes are written, their facts are not
            before(Landing, "keep")
        case "staging":  # some rows are staged, the batch is not
            after(stage_module, "set_aside")
        case "publishing":  # rows are deleted and inserted, the transaction is open
            before(publish_module.ledger, "record")
        case "published":  # the transaction is committed, nothing is told yet
            after(publish_module.Publisher, "commit")
        case "swapping":  # the new serving database is built beside the old one
            left = 1
            before(serving_module, "_swap_in")
        case _:
            raise ValueError(instant)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        die_at(sys.argv[2])
    refresh(load_settings(profile="sample", data_dir=Path(sys.argv[1])), tables=SOME_TABLES)
