"""The embedded city through the whole path: what is published, what is rejected, and what a correction touches."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from graphlib import TopologicalSorter

import duckdb
import pytest

from assets import all_recipes, all_sources
from groningen_data.gate.gate import Gate
from groningen_data.gate.quarantine import export, kept_back, rows_of
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing
from groningen_data.sample.wire import packed
from groningen_data.settings import Settings
from tests.pipeline.conftest import sample_settings
from tests.pipeline.payloads import write_payloads

COUNTS, LEVELS = "core.traffic_counts", "core.waste_fill_levels"
SPOILT_LOOPS = "2026-03-10/loops"
SPOILT_SENSORS = ("2026-02-23/telemetry", "2026-03-03/telemetry")
RENAMED = "payload waste/fill_levels_2026-02-27.parquet"


# The whole sample city.


@pytest.fixture(scope="module")
def lake(sample_lake: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with Lakehouse(sample_lake).reader() as con:
        yield con


def test_every_row_that_came_in_is_accepted_quarantined_or_collapsed(lake):
    wrong = lake.execute(
        "SELECT table_name, batch_key FROM lake.ops.batches WHERE rows_in <> rows_accepted + rows_quarantined + rows_collapsed"
    ).fetchall()
    assert wrong == []


def test_every_table_is_published_except_for_what_was_spoilt_on_the_way(lake):
    verdicts = lake.execute("SELECT table_name, batch_key, outcome FROM lake.ops.batches").fetchall()
    rejected = {(table, key) for table, key, outcome in verdicts if outcome == "rejected"}
    assert rejected == {(COUNTS, SPOILT_LOOPS), (LEVELS, RENAMED), *((LEVELS, key) for key in SPOILT_SENSORS)}
    without = {
        "core.traffic_historical_counts",
        "core.waste_inspection_totals",
        "core.waste_public_report_counts",
        "core.waste_report_states",
    }
    assert {table for table, _, outcome in verdicts if outcome == "published"} == set(all_recipes()) - without


@pytest.mark.parametrize(
    ("table", "keys", "days"), [(COUNTS, "%/loops", 59), (LEVELS, "%/telemetry", 57), ("core.waste_open_reports", "%", 60)]
)
def test_every_day_that_was_not_spoilt_is_there(lake, table, keys, days):
    published = "SELECT count(*) FROM lake.ops.batches WHERE table_name = ? AND batch_key LIKE ? AND outcome = 'published'"
    assert lake.execute(published, [table, keys]).fetchone() == (days,)


@pytest.mark.parametrize("table", [COUNTS, LEVELS])
def test_nothing_of_a_spoilt_day_is_in_its_table(lake, table):
    spoilt = [key[:10] for key in (SPOILT_LOOPS, *SPOILT_SENSORS, "2026-02-27") if (key == SPOILT_LOOPS) == (table == COUNTS)]
    source = "feed_code = 'loops'" if table == COUNTS else "true"
    there = f"SELECT count(*) FROM lake.{table} WHERE {source} AND CAST(local_date AS VARCHAR) IN (SELECT unnest(?))"
    assert lake.execute(there, [spoilt]).fetchone() == (0,)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (SPOILT_LOOPS, ["of 47,808 rows quarantined", "flow_veh_h", "for example feed_code=loops, site_id="]),
        (SPOILT_SENSORS[0], ["rows quarantined (33", "fill_pct.type", "for example source_code=telemetry, container_code="]),
        (RENAMED, ["misses column(s) vulgraad; new are vullingsgraad"]),
    ],
)
def test_a_rejection_names_the_rules_the_count_and_examples(lake, key, said):
    [reason] = lake.execute("SELECT reason FROM lake.ops.batches WHERE batch_key = ? AND outcome = 'rejected'", [key]).fetchone()
    assert all(part in reason for part in said), reason


def test_a_rejected_batch_stays_for_inspection(lake):
    staged, quarantined = (
        lake.execute(f"SELECT count(*) FROM lake.{source} WHERE {column} = ?", [SPOILT_LOOPS]).fetchone()[0]
        for source, column in (("staging.traffic_counts", "_batch_key"), ("quarantine.rows", "batch_key"))
    )
    assert staged + quarantined == 47_808


def test_quarantined_rows_keep_their_original_values(sample_lake, tmp_path):
    lakehouse = Lakehouse(sample_lake)
    kept = {(k.table, k.key): k for k in kept_back(lakehouse)}
    batch = kept[COUNTS, SPOILT_LOOPS]
    assert batch.outcome == "rejected"
    rows = rows_of(lakehouse, COUNTS, SPOILT_LOOPS, limit=5)
    assert all(row["rules"] and "flow" in row["original"] for row in rows)
    target = tmp_path / "bad.csv"
    assert export(lakehouse, COUNTS, SPOILT_LOOPS, target) == batch.quarantined
    assert duckdb.sql(f"SELECT count(*) FROM '{target}'").fetchone() == (batch.quarantined,)


@pytest.mark.parametrize("mart", ["collective.container_day", "collective.site_hour", "collective.neighbourhood_month"])
def test_the_marts_have_three_months(lake, mart):
    months = lake.execute(f"SELECT DISTINCT month FROM lake.{mart} ORDER BY 1").fetchall()
    assert months == [(date(2026, month, 1),) for month in (1, 2, 3)]


def test_a_day_delivered_again_replaces_what_was_wrong_the_first_time(lake):
    [payloads] = lake.execute(
        "SELECT len(payloads) FROM lake.ops.batches WHERE table_name = ? AND batch_key = '2026-03-11/telemetry'", [LEVELS]
    ).fetchone()
    assert payloads == 3  # the day, the day again, and the next day's file with what came late
    twice = f"SELECT 1 FROM lake.{LEVELS} GROUP BY container_code, measured_at HAVING count(*) > 1"
    assert lake.execute(f"SELECT count(*) FROM ({twice})").fetchone() == (0,)


# Three days in three months, of the tables that a correction can reach.


DAYS = (date(2026, 1, 15), date(2026, 2, 12), date(2026, 3, 12))
MONTHS = [f"{day:%Y-%m}-01" for day in DAYS]
CONTAINERS, SITES, NEIGHBOURHOODS = "collective.container_day", "collective.site_hour", "collective.neighbourhood_month"
KINDS = ("geography", "containers", "fill levels", "reports", "traffic")
TABLES = {
    "core.reference_neighbourhoods",
    "core.traffic_sites",
    "core.waste_containers",
    "core.waste_open_reports",
    "core.waste_reports",
    COUNTS,
    LEVELS,
    CONTAINERS,
    SITES,
    NEIGHBOURHOODS,
}


class Installation:
    """Three days refreshed once; every later refresh tells what it published. Suites are tried elsewhere."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.landing, self.runs = settings, Landing(settings.landing_dir), 0
        self.recipes = {name: replace(all_recipes()[name], suite=(), judged_with=()) for name in TABLES}
        self.order = [name for name in TopologicalSorter(self._before()).static_order() if name in TABLES]

    def _before(self) -> dict[str, tuple[str, ...]]:
        return {name: recipe.comes_after for name, recipe in self.recipes.items()}

    def refresh(self) -> dict[str, list[str]]:
        """Fetch and gate what is due; the keys of the batches that changed, by table."""
        self.runs += 1
        for source in {feed.source.name for recipe in self.recipes.values() for feed in recipe.feeds}:
            all_sources()[source].fetch(self.settings, self.landing)
        gate = Gate(Lakehouse(self.settings), f"run {self.runs}")
        results = {name: gate.refresh(self.recipes[name], self.landing) for name in self.order}
        assert not any(result.rejected for result in results.values())
        return {name: [batch.key for batch in result.published] for name, result in results.items() if result.published}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    as_of = datetime.combine(DAYS[-1].replace(day=13), time(6), UTC)
    settings = sample_settings(tmp_path_factory.mktemp("corrections"), as_of=as_of)
    write_payloads(settings, KINDS, DAYS)
    installation = Installation(settings)
    published = installation.refresh()
    assert set(published) == TABLES
    assert published[CONTAINERS] == published[SITES] == published[NEIGHBOURHOODS] == MONTHS
    return installation


def test_a_second_refresh_has_nothing_to_do(installation: Installation):
    assert installation.refresh() == {}


def test_a_corrected_list_of_open_reports_touches_what_its_reports_are_counted_in(installation: Installation):
    # Reports of the last day are taken from the list. Beside containers that day is not counted before the next list.
    file = installation.settings.sample_dir / "waste" / "open_reports" / f"{DAYS[-1]}.json.gz"
    listed = json.loads(gzip.decompress(file.read_bytes()))
    kept = [report for report in listed if not report["created_at"].startswith(f"{DAYS[-1]:%Y-%m}")]
    assert 0 < len(kept) < len(listed)
    file.write_bytes(packed(json.dumps(kept).encode()))
    assert installation.refresh() == {
        "core.waste_open_reports": [f"{DAYS[-1]}"],
        "core.waste_reports": ["snapshot"],
        NEIGHBOURHOODS: MONTHS[-1:],
    }


def test_corrected_telemetry_touches_its_month_only(installation: Installation):
    day, month = DAYS[1], MONTHS[1]
    with Lakehouse(installation.settings).reader() as con:
        container, at = con.execute(
            f"SELECT container_code, strftime(measured_at, '%Y-%m-%dT%H:%M:%S') FROM lake.{LEVELS} "
            "JOIN lake.core.waste_containers USING (container_code) WHERE local_date = ? AND fill_pct < 50 "
            "AND neighbourhood_code IS NOT NULL ORDER BY ALL LIMIT 1",
            [day],
        ).fetchone()
    correction = f"containercode;tijdstip;vulgraad;vullingGewicht\n{container};{at}+00:00;110;\n"
    folder = installation.settings.sample_dir / "waste" / "fill_levels_corrected"
    folder.mkdir(exist_ok=True)
    (folder / f"fill_levels_{day}_again.csv").write_text(correction)
    assert installation.refresh() == {LEVELS: [f"{day}/telemetry"], CONTAINERS: [month], NEIGHBOURHOODS: [month]}


@pytest.mark.parametrize("n", [0, 2], ids=["the first month", "the last month"])
def test_corrected_loops_touch_their_month_and_the_months_that_look_back_on_it(installation: Installation, n: int):
    # A site that counted all day now has no counts in the morning: it has one good hour less to tell what is usual.
    file = installation.settings.sample_dir / "traffic" / f"loops_{DAYS[n]}.csv.gz"
    head, *lines = gzip.decompress(file.read_bytes()).decode().splitlines(keepends=True)
    detector = lines[-1].split(",")[2]
    kept = [line for line in lines if line.split(",")[2] != detector or int(line.split(",")[1]) > 12 * 3600]
    assert len(kept) < len(lines)
    file.write_bytes(packed("".join([head, *kept]).encode()))
    assert installation.refresh() == {COUNTS: [f"{DAYS[n]}/loops"], SITES: MONTHS[n:], NEIGHBOURHOODS: [MONTHS[n]]}
