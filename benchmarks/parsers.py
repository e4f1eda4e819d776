"""Each parser against its bare library on the same bytes: JSON against `json`, CSV against `polars.read_csv`, XML against expat with
handlers that do nothing, Parquet against `polars.read_parquet`.

CPU seconds of the process, the best of several rounds. Parsers do more than read: they judge values, give reasons for missing ones,
find places and convert times. On small files that is most of the ratio.
"""

import gzip
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from xml.parsers import expat

import polars as pl

from benchmarks import runs
from benchmarks.poll import widened
from groningen_data.landing import Payload

_CHUNK = 1 << 18
_MOST_BATCHES = 3
_DATEX_SITES = 4_110


def measure(days: int, rounds: int, work: Path) -> list[str]:
    """The section of the results about the parsers, on the sample city of so many days."""
    city = runs.city(work, days)
    found = runs.answer("benchmarks.parsers", str(city.parent), str(days), str(rounds), log=work / "logs" / "parsers.log")
    return [
        "## Parsers against their bare libraries",
        "",
        f"CPU seconds, best of {rounds} rounds in one process; the sample city of {days} days, at most {_MOST_BATCHES} batches of each "
        f"feed, and for DATEX II a publication of {_DATEX_SITES:,} sites.",
        "",
        "DATEX II, against expat with handlers that do nothing (aim: at most 1.5×):",
        "",
        "| what | MB unpacked | expat | ours | ratio |",
        "|---|---|---|---|---|",
        *[_line(row) for row in found["datex"]],
        "",
        "The parsers of all tables, payload to rows of the contract:",
        "",
        "| table, source | MB unpacked | library | bare | ours | ratio |",
        "|---|---|---|---|---|---|",
        *[_line(row) for row in sorted(found["feeds"], key=lambda row: -row[1])],
        "",
    ]


def _line(row: Sequence[Any]) -> str:
    *names, bare_s, ours_s = row
    told = [names[0], f"{names[1]:.2f}", *names[2:]]
    return f"| {' | '.join(told)} | {bare_s:.3f} | {ours_s:.3f} | {ours_s / bare_s:.2f}× |"


def best(rounds: int, *works: Callable[[], Any]) -> list[float]:
    """The least CPU seconds of each, measured in turn so that all meet the same machine."""
    spent = [float("inf")] * len(works)
    for _ in range(rounds):
        for n, work in enumerate(works):
            started = time.process_time()
            work()
            spent[n] = min(spent[n], time.process_time() - started)
    return spent


def bare_expat(payload: Payload) -> None:
    """The XML through expat, with handlers in Python that do nothing."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: None
    parser.EndElementHandler = lambda name: None
    parser.CharacterDataHandler = lambda text: None
    with payload.open() as stream:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)


def bare(payload: Payload) -> tuple[str, Callable[[], Any]] | None:
    """The library that reads such a payload, and a reading of it; None for archives."""
    with payload.open() as stream:
        head = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PK"):
        return None
    if head.startswith(b"PAR1"):
        return "polars.read_parquet", lambda: pl.read_parquet(payload.path)
    if head.startswith(b"<"):
        return "expat", lambda: bare_expat(payload)
    if head[:1] in (b"{", b"["):
        return "json", lambda: json.loads(payload.read())
    first = next((line for line in head.splitlines() if not line.startswith(b"#")), b"")
    separator = max(";,\t", key=lambda s: first.count(s.encode()))
    return "polars.read_csv", lambda: pl.read_csv(
        io.BytesIO(payload.read()),
        separator=separator,
        infer_schema=False,
        comment_prefix="#",
        truncate_ragged_lines=True,
        encoding="utf8-lossy",
    )


def datex(folder: Path, rounds: int) -> list[list[Any]]:
    """The passes over the national publications, in both versions."""
    from groningen_data.sample import facts
    from groningen_data.sample.city import city_of
    from groningen_data.sample.traffic_feed import publication, site_table
    from groningen_data.settings import load_settings
    from groningen_data.sources import ndw_area, ndw_datex, ndw_site_table

    wide = widened(_DATEX_SITES)
    facts.sites = lambda: wide  # type: ignore[assignment,misc]
    city = city_of(load_settings(profile="sample", data_dir=folder, sample_days=2))
    at = datetime.combine(city.days[-1], datetime.min.time(), UTC).replace(hour=7, minute=42)
    area = [site.id for site in wide[: _DATEX_SITES // 50]]
    found = []
    for version in (2, 3):
        feed = _payload(folder, f"feed-v{version}", publication(city, at, version))
        table = _payload(folder, f"table-v{version}", site_table(city, at, version))
        works: list[tuple[str, Payload, Callable[[Payload], Any]]] = [
            ("readings to frames", feed, lambda p: sum(f.height for f in ndw_datex._readings(p, Counter()))),
            ("days of the readings (at landing)", feed, ndw_datex._batches),
            ("the sites of the area (at landing)", feed, lambda p: ndw_area.excerpt(p, ndw_datex._PUBLICATION, area)),
            ("site table to frames", table, lambda p: sum(sites.height for sites, _ in ndw_site_table._records(p))),
        ]
        for name, payload, work in works:
            bare_s, ours_s = best(rounds, lambda p=payload: bare_expat(p), lambda w=work, p=payload: w(p))  # type: ignore[misc]
            found.append([f"v{version}: {name}", _megabytes([payload]), bare_s, ours_s])
    return found


def _payload(folder: Path, name: str, text: str) -> Payload:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode(), 1, mtime=0))
    return Payload("bench", name, name, path.stat().st_size, datetime.now(UTC), path=path)


def _megabytes(payloads: Sequence[Payload]) -> float:
    return sum(len(payload.read()) for payload in payloads) / 1e6


def feeds(data: Path, days: int, rounds: int) -> list[list[Any]]:
    """The parsers of all tables on the sample city."""
    from assets import all_recipes
    from groningen_data.gate.plan import SNAPSHOT
    from groningen_data.gate.recipe import BuildContext
    from groningen_data.landing import Landing
    from groningen_data.settings import load_settings
    from groningen_data.sources.ndw_datex import SITE_INDEXES

    settings = load_settings(profile="sample", data_dir=data, sample_days=days)
    landing, recipes = Landing.of(settings), all_recipes()
    read_by_others = ("core.reference_neighbourhoods", SITE_INDEXES)
    published: dict[str, pl.DataFrame] = {}
    context = BuildContext(settings, lambda table: published.get(table, pl.DataFrame()))
    found = []
    for table in TopologicalSorter({name: recipe.comes_after for name, recipe in recipes.items()}).static_order():
        recipe = recipes[table]
        for feed in recipe.feeds:
            feed.source.fetch(settings, landing)
            batches: dict[str, list[Payload]] = {}
            for payload in landing.payloads(feed.source.name):
                whole = recipe.facts.load_mode != "partition" and payload.batches
                for key in [SNAPSHOT] if whole else payload.batches:
                    if feed.takes(key):
                        batches.setdefault(key, []).append(payload)
            chosen = dict(sorted(batches.items())[-_MOST_BATCHES:])
            payloads = [payload for members in chosen.values() for payload in members]
            libraries = [bare(payload) for payload in payloads]
            if table in read_by_others and chosen:
                published[table] = pl.concat(f for key, p in chosen.items() for f in feed.parse(p, key, context))
            if not payloads or None in libraries:
                continue
            reads = [library for library in libraries if library is not None]

            def parse(feed: Any = feed, chosen: dict[str, list[Payload]] = chosen) -> int:
                return sum(f.height for key, members in chosen.items() for f in feed.parse(members, key, context))

            def read(reads: Sequence[tuple[str, Callable[[], Any]]] = reads) -> None:
                for _, work in reads:
                    work()

            bare_s, ours_s = best(rounds, read, parse)
            names = " and ".join(dict.fromkeys(f"`{name}`" for name, _ in reads))
            found.append([f"`{table}`, {feed.source.name}", _megabytes(payloads), names, max(bare_s, 1e-6), ours_s])
    return found


def main() -> None:
    """`python -m benchmarks.parsers FOLDER DAYS ROUNDS`: the measurement, as JSON on the last line."""
    data, days, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    of_feeds = feeds(data, days, rounds)
    print(json.dumps({"feeds": of_feeds, "datex": datex(runs.emptied(data / "datex"), rounds)}))


if __name__ == "__main__":
    main()
