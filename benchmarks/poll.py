"""A day of the national feed: asked every minute of it from the replica, landed, and gated as one day.

The replica's clock is set from minute to minute, so that a day takes as long as the work in it. Server, poller and gate each run
in a process of their own.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from benchmarks import runs
from groningen_data.sample import facts
from groningen_data.settings import Settings, load_settings

SITES = 411
MINUTES = 24 * 60
_PAGE_MB = resource.getpagesize() / 1e6


def measure(minutes: int, sites: int, work: Path) -> list[str]:
    """The section of the results about so many minutes of so many sites."""
    rows: list[tuple[int, dict[str, Any], dict[str, Any]]] = []
    for version in (3, 2):
        folder, log = runs.emptied(work / f"poll-v{version}"), work / "logs" / f"poll-v{version}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as out:
            server = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.poll", "serve", str(folder), str(sites), str(version)],
                cwd=runs.PROJECT,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
            )
            try:
                assert server.stdout is not None
                url = server.stdout.readline().strip()
                arguments = (str(folder), url, str(minutes), str(version))
                pulled = runs.answer("benchmarks.poll", "pull", *arguments, log=work / "logs" / f"pull-v{version}.log")
            finally:
                server.terminate()
                server.wait()
        gated = runs.answer(
            "benchmarks.poll", "gate", str(folder), "", "0", str(version), log=work / "logs" / f"gated-v{version}.log"
        )
        rows.append((version, pulled, gated))
    return section(rows, minutes, sites)


def section(rows: Sequence[tuple[int, dict[str, Any], dict[str, Any]]], minutes: int, sites: int) -> list[str]:
    """What was measured per version of DATEX II, in words."""
    return [
        "## A day of the feed, minute by minute",
        "",
        f"{minutes:,} publications of {sites} sites from the replica, landed one by one, then gated as one day. The real-time factor "
        "is the time that passed in the city by the time that the work took, of polling and of the gate together.",
        "",
        "| DATEX II | readings | landed | polling | gate | real-time factor | by CPU seconds | rows |",
        "|---|---|---|---|---|---|---|---|",
        *[
            f"| v{version} | {g['readings']:,} | {p['landed']:,} payloads, {p['landed_mb']:,.0f} MB "
            f"| {p['seconds']:.0f} s (CPU {p['cpu_s']:.0f}) | {g['seconds']:.0f} s (CPU {g['cpu_s']:.0f}) "
            f"| **{minutes * 60 / (p['seconds'] + g['seconds']):.0f}×** | {minutes * 60 / (p['cpu_s'] + g['cpu_s']):.0f}× | {g['rows']:,} |"
            for version, p, g in rows
        ],
        "",
        "Resident memory in MB, of the poller after each quarter of the day and of the gate at its highest after each quarter of the "
        "day's files:",
        "",
        "| DATEX II | poller: start | 1/4 | 2/4 | 3/4 | 4/4 | gate: 1/4 | 2/4 | 3/4 | 4/4 | all |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *[
            f"| v{version} | {' | '.join(f'{mb:.0f}' for mb in p['rss_mb'])} | {' | '.join(f'{mb:.0f}' for mb in g['rss_mb'])} "
            f"| {g['peak_mb']:.0f} |"
            for version, p, g in rows
        ],
        "",
    ]


def _settings(folder: Path, version: int, url: str | None = None) -> Settings:
    return load_settings(profile="replica", data_dir=folder, replica_url=url, ndw_datex_version=version, http_rate_per_s=1000)


def widened(wanted: int) -> tuple[facts.Site, ...]:
    """So many sites: those of the city, and copies of them under other names."""
    own, found = facts.sites(), []
    for number in range(wanted):
        site, copy = own[number % len(own)], number // len(own)
        found.append(replace(site, id=f"{site.id}-{copy}") if copy else site)
    return tuple(found)


def serve(folder: Path, sites: int, version: int) -> None:
    """Serve a city of so many sites, and print where."""
    from groningen_data.replica.app import running

    wide = widened(sites)
    facts.sites = lambda: wide  # type: ignore[assignment,misc]
    with running(_settings(folder / "served", version)) as url:
        print(url, flush=True)
        while True:
            time.sleep(60)


def pull(folder: Path, url: str, minutes: int, version: int) -> dict[str, Any]:
    """Poll the last day of the city from its first minute on."""
    from groningen_data.landing import Landing
    from groningen_data.sources import ndw_datex, ndw_sites

    settings = _settings(folder, version, url)
    landing = Landing.of(settings)
    last_day = settings.today() - timedelta(days=1)
    first = datetime.combine(last_day, clock_time(), ZoneInfo(settings.timezone)).astimezone(UTC)
    landed, rss = 0, []
    with httpx.Client(base_url=url) as switch:
        started, cpu = time.monotonic(), time.process_time()
        for minute in range(minutes):
            if minute % (minutes // 4) == 0:
                rss.append(_rss_mb())
            switch.post("/_replica/clock", json={"now": (first + timedelta(minutes=minute)).isoformat()}).raise_for_status()
            # The site table is asked once an hour.
            for source in (ndw_sites.SOURCE, ndw_datex.SOURCE) if minute % 60 == 0 else (ndw_datex.SOURCE,):
                report = source.fetch(settings, landing)
                if report.problem:
                    raise SystemExit(str(report.problem))
                landed += len(report.landed)
        rss.append(_rss_mb())
        seconds, cpu_s = time.monotonic() - started, time.process_time() - cpu
    landed_mb = sum(p.size for p in landing.payloads("ndw_datex")) / 1e6
    return {"seconds": seconds, "cpu_s": cpu_s, "rss_mb": rss, "landed": landed, "landed_mb": landed_mb}


def gate(folder: Path, version: int) -> dict[str, Any]:
    """Gate what was landed: the site tables, and the readings of the day."""
    from assets.traffic import counts, site_indexes
    from groningen_data.gate.gate import Gate
    from groningen_data.lakehouse import Lakehouse
    from groningen_data.landing import Landing
    from groningen_data.sources import ndw_datex

    settings = _settings(folder, version)
    landing = Landing.of(settings)
    payloads = landing.payloads("ndw_datex")
    rss: list[float] = []
    real, opened = ndw_datex._readings, 0

    def readings(*arguments: Any) -> Any:
        nonlocal opened
        opened += 1
        yield from real(*arguments)
        if opened % max(1, len(payloads) // 4) == 0 and len(rss) < 4:
            rss.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)

    ndw_datex._readings = readings  # type: ignore[assignment]
    started, cpu = time.monotonic(), time.process_time()
    made = Gate(Lakehouse(settings), "bench")
    made.refresh(site_indexes.RECIPE, landing)
    result = made.refresh(counts.RECIPE, landing)
    seconds, cpu_s = time.monotonic() - started, time.process_time() - cpu
    rejected = [b for b in result.batches if b.outcome != "published"]
    if rejected:
        raise SystemExit(f"batch {rejected[0].key} was {rejected[0].outcome}: {rejected[0].reason}")
    return {
        "seconds": seconds,
        "cpu_s": cpu_s,
        "rows": sum(b.rows_in for b in result.batches),
        "readings": sum(b.notes.get("values_read", 0) for b in result.batches),
        "rss_mb": rss,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_MB


def main() -> None:
    """`python -m benchmarks.poll serve|pull|gate FOLDER …`: one process of the measurement; the last line is JSON."""
    kind, folder, *rest = sys.argv[1:]
    if kind == "serve":
        serve(Path(folder), int(rest[0]), int(rest[1]))
        return
    url, minutes, version = rest[0], int(rest[1]), int(rest[2])
    print(json.dumps(pull(Path(folder), url, minutes, version) if kind == "pull" else gate(Path(folder), version)))


if __name__ == "__main__":
    main()
