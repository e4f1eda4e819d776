"""How often planted faults of detectors and planted congestion are found, and others without cause: `python -m benchmarks.congestion [SEEDS]`.

Cities with another seed each, of the sites that `tests.pipeline.traffic_city` names and the last 43 days; they pass the parsers and
the contracts, and the marts are made from them in memory. Prints Markdown.
"""

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from groningen_data.sample import traffic, traffic_feed, traffic_world
from tests.pipeline.memory_lake import MemoryLake
from tests.pipeline.traffic_city import before_last, traffic_lake

AGO, MONTHS = range(43), ("2026-02-01", "2026-03-01")
CONGESTED, JAMMED, GROWING = "oosterbrug-griffeweg-zuiderpark", "westerhaven-aweg-westersingel", "stettinweg-sint-petersburgweg"


def counted(lake: MemoryLake) -> Counter[str]:
    """What was found in one city, and what there was to find."""
    found: Counter[str] = Counter()
    planted = {traffic.STUCK_DETECTOR, traffic.DRIFTING_DETECTOR, traffic_feed.DEAD_DETECTOR}
    judged = lake.ask(
        "SELECT site_id || '_' || series_code, local_date, untrusted_reason, is_drifting FROM collective.site_quality "
        "WHERE feed_code = 'loops'"
    )
    stuck_on = {before_last(n) for n in traffic.STUCK_BEFORE_LAST}
    drifts_from = before_last(traffic.DRIFTS_BEFORE_LAST - 1)
    for detector, day, reason, is_drifting in judged:
        if detector == traffic_feed.DEAD_DETECTOR:
            found.update({"dead: days": 1, "dead: found": reason == "error_flags"})
        elif detector == traffic.STUCK_DETECTOR and day in stuck_on:
            found.update({"stuck: days": 1, "stuck: found": reason == "stuck"})
        else:
            found.update({"healthy: days": 1, "healthy: not trusted": reason is not None})
        if detector == traffic.DRIFTING_DETECTOR and day >= drifts_from:
            found.update({"drift: days": 1, "drift: found": is_drifting})
        elif detector not in planted:
            found.update({"no drift: days": 1, "no drift: said to drift": is_drifting})
    for code, period, kind in lake.ask(
        "SELECT intersection_code, period_code, congestion_kind FROM collective.congestion_ranking"
    ):
        if (code, period) == (CONGESTED, "evening_peak"):
            found.update({"persistent: there": 1, "persistent: found": kind == "persistent"})
        elif (code, period) == (JAMMED, "morning_peak"):
            found.update({"incidental: there": 1, "incidental: found": kind == "incidental"})
        elif kind:
            found.update(
                {"other rows": 1, "other rows: persistent": kind == "persistent", "other rows: incidental": kind == "incidental"}
            )
    trends = lake.ask(
        "SELECT intersection_code, trend_low_pct_week, trend_high_pct_week, is_trend_clear FROM collective.congestion_ranking "
        "WHERE trend_pct_week IS NOT NULL AND NOT has_drifting_detector"
    )
    growth = 100 * traffic_world.GROWTH_PER_WEEK
    for code, low, high, is_clear in trends:
        if code == GROWING:
            found.update({"growth: trends": 1, "growth: clear": is_clear, "growth: within interval": low <= growth <= high})
        else:
            found.update(
                {"no growth: trends": 1, "no growth: interval without zero": low > 0 or high < 0, "no growth: clear": is_clear}
            )
    return found


if __name__ == "__main__":
    seeds = int(sys.argv[1]) if sys.argv[1:] else 12
    total: Counter[str] = Counter()
    for seed in range(101, 101 + seeds):
        with tempfile.TemporaryDirectory() as folder:
            lake = traffic_lake(Path(folder), seed, AGO, MONTHS)
            total.update(counted(lake))
            lake.con.close()
    print(f"{seeds} cities with another seed each\n\n| what | number |\n|---|---|")
    for name, number in total.items():
        print(f"| {name} | {number:,} |")
