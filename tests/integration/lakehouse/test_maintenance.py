"""Upkeep: the lake is proven whole, and nothing that anybody can still reach is ever lost."""

import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from groningen_data.errors import LakehouseError
from groningen_data.lakehouse import Lakehouse
from groningen_data.lakehouse.ledger import BatchRecord, record
from groningen_data.lakehouse.maintenance import drop_table, maintain
from tests.integration.lakehouse.lakes import (
    ON_SQLITE,
    create_twins,
    deliver,
    end,
    files_on_disk,
    publish,
    refresh,
    state,
    states,
    worker,
    workers,
)

DAY = timedelta(days=1)


def let_pass(lakehouse: Lakehouse, age: timedelta) -> None:
    """Make every state so much older."""
    with lakehouse.catalog(read_only=False) as con:
        con.execute(
            f"UPDATE catalog.ducklake_snapshot SET snapshot_time = CAST(snapshot_time AS TIMESTAMPTZ) - INTERVAL {age.days} DAYS"
        )


def test_every_row_and_every_state_within_retention_outlives_upkeep(lakehouse):
    dice = random.Random(14)
    batches = [(dice.choice("abcd"), [dice.randrange(1000) for _ in range(dice.randrange(1, 9))]) for _ in range(12)]
    instants = publish(lakehouse, *batches)[::4]
    with lakehouse.writer("delete a few rows only") as con:
        con.execute("DELETE FROM lake.core.numbers WHERE n % 3 = 0")
    publish(lakehouse, ("e", [1]), ("f", [2]), ("g", [3]))
    before, travelled = states(lakehouse), [state(lakehouse, at) for at in instants]

    report = maintain(lakehouse)
    assert (report.snapshots_expired, report.files_removed, report.orphans_removed) == (0, 0, 0)
    assert report.files_merged > 2
    assert report.rows == len(state(lakehouse))
    later = maintain(lakehouse, datetime.now(UTC) + 2 * DAY)
    assert (later.snapshots_expired, later.files_merged, later.snapshots_kept) == (0, 0, report.snapshots_kept)
    assert later.files_removed > 2
    after = states(lakehouse)
    assert {version: after[version] for version in before} == before
    assert [state(lakehouse, at) for at in instants] == travelled
    publish(lakehouse, ("a", [7]))
    assert [n for key, n in state(lakehouse) if key == "a"] == [7]


def test_the_state_at_the_end_of_retention_stays_and_older_ones_go(lakehouse):
    (first,) = publish(lakehouse, ("a", [1]))
    let_pass(lakehouse, 10 * DAY)
    publish(lakehouse, ("a", [2, 3]), ("b", [4]))
    let_pass(lakehouse, 35 * DAY)
    publish(lakehouse, ("a", [5]))
    held = files_on_disk(lakehouse)

    report = maintain(lakehouse)
    assert report.snapshots_expired > 0
    retention_ends = datetime.now(UTC) - 30 * DAY
    assert state(lakehouse, retention_ends) == [("a", 2), ("a", 3), ("b", 4)]
    assert state(lakehouse) == [("a", 5), ("b", 4)]
    with pytest.raises(LakehouseError, match="choose a later instant"):
        state(lakehouse, first - 45 * DAY)
    assert files_on_disk(lakehouse) >= held, "a reader of the expired state may still need its files"

    maintain(lakehouse, datetime.now(UTC) + 2 * DAY)
    assert held - files_on_disk(lakehouse), "its grace is over"
    assert state(lakehouse, retention_ends) == [("a", 2), ("a", 3), ("b", 4)]
    assert state(lakehouse) == [("a", 5), ("b", 4)]


def test_years_later_the_present_state_is_still_there(lakehouse):
    publish(lakehouse, ("a", [1, 2]), ("b", [3]), ("a", [4, 5]))
    with lakehouse.writer("alter") as con:
        con.execute("ALTER TABLE lake.core.numbers RENAME COLUMN n TO number")
        con.execute("ALTER TABLE lake.core.numbers ALTER COLUMN number SET DATA TYPE BIGINT")
        con.execute("INSERT INTO lake.core.numbers VALUES ('c', 6)")
    expected = [("a", 4), ("a", 5), ("b", 3), ("c", 6)]
    assert maintain(lakehouse, datetime.now(UTC) + 700 * DAY).snapshots_expired > 5
    assert maintain(lakehouse, datetime.now(UTC) + 800 * DAY).snapshots_kept == 1
    assert state(lakehouse) == expected


@ON_SQLITE
@pytest.mark.parametrize("damage", ["missing", "cut off", "overwritten", "missing from a past state"])
def test_a_broken_file_is_named_and_nothing_is_removed(lakehouse, damage):
    publish(lakehouse, ("a", [1, 2]))
    (present,) = files_on_disk(lakehouse)
    if damage == "missing from a past state":
        publish(lakehouse, ("a", [3]))
    orphan = lakehouse.files_dir / "core" / "numbers" / "orphan.parquet"
    orphan.write_bytes(b"nobody's")
    if damage.startswith("missing"):
        present.unlink()
    else:
        data = present.read_bytes()
        present.write_bytes(data[:-9] if damage == "cut off" else b"\0" * len(data))
    with pytest.raises(LakehouseError, match=r"^core\.numbers: .*nothing was removed.*`groningen restore`") as caught:
        maintain(lakehouse, datetime.now(UTC) + 100 * DAY)
    assert present.name in str(caught.value)
    assert orphan.exists()


@ON_SQLITE
def test_a_table_with_fewer_rows_than_the_catalog_says_is_refused(lakehouse):
    publish(lakehouse, ("a", [1, 2]))
    with lakehouse.catalog(read_only=False) as con:
        con.execute("UPDATE catalog.ducklake_data_file SET record_count = 3")
    with pytest.raises(LakehouseError, match=r"core\.numbers: holds 2 rows, the catalog says 3|core\.numbers: cannot be read"):
        maintain(lakehouse)


@ON_SQLITE
def test_files_of_a_killed_transaction_leave_after_a_day(lakehouse, settings):
    publish(lakehouse, ("a", [1]))
    named = files_on_disk(lakehouse)
    with worker(settings, "write_without_end") as process:
        process.kill()
        process.wait()
    left = files_on_disk(lakehouse) - named
    scratch = list(settings.scratch_dir.glob("scratch-*"))
    assert left and scratch
    report = maintain(lakehouse)
    assert report.orphans_removed == 0 and files_on_disk(lakehouse) >= left
    assert report.leftovers_removed == len(scratch) and not list(settings.scratch_dir.glob("scratch-*"))
    report = maintain(lakehouse, datetime.now(UTC) + 2 * DAY)
    assert report.orphans_removed == len(left) and files_on_disk(lakehouse) == named
    assert state(lakehouse) == [("a", 1)]


@ON_SQLITE
def test_working_files_of_living_processes_and_of_today_stay(lakehouse, settings):
    publish(lakehouse, ("a", [1]))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    own = f"spill-{os.getpid()}"
    names = {f"spill-{dead.pid}", own, "nobody-knows"}
    for name in names:
        (settings.scratch_dir / name).mkdir()
        (settings.scratch_dir / name / "part").write_text("x")
    assert maintain(lakehouse).leftovers_removed == 0
    assert maintain(lakehouse, datetime.now(UTC) + 2 * DAY).leftovers_removed == 2
    assert [p.name for p in settings.scratch_dir.iterdir() if p.name in names] == [own]


@ON_SQLITE
def test_rows_set_aside_leave_when_their_time_is_over_and_so_do_their_files(lakehouse):
    now = datetime.now(UTC)
    table = "core.numbers"
    with lakehouse.writer("reject") as con:
        con.execute("CREATE TABLE lake.staging.numbers (_batch_key VARCHAR, n INTEGER)")
        for key, moment in (("old", now - 100 * DAY), ("new", now - DAY)):
            batch = BatchRecord(key, table, key, "", "rejected", 2, 1, 1, 0, moment, "test", finished_at=moment)
            con.execute("BEGIN")
            record(con, [batch])
            con.execute("INSERT INTO lake.staging.numbers VALUES (?, 1)", [key])
            con.execute("INSERT INTO lake.quarantine.rows VALUES (?, ?, ?, 1, ['r'], '', '{}', [], ?)", [key, table, key, moment])
            con.execute("COMMIT")
    assert maintain(lakehouse).rejected_rows_dropped == 2
    with lakehouse.reader() as con:
        assert con.execute("SELECT _batch_key FROM lake.staging.numbers").fetchall() == [("new",)]
        assert con.execute("SELECT batch_key FROM lake.quarantine.rows").fetchall() == [("new",)]
        assert con.execute("SELECT count(*) FROM lake.ops.batches").fetchall() == [(2,)]
    maintain(lakehouse, now + 60 * DAY)
    assert len(list((lakehouse.files_dir / "quarantine").rglob("*.parquet"))) == 1
    assert len(list((lakehouse.files_dir / "staging").rglob("*.parquet"))) == 1


def test_readers_go_on_during_upkeep(lakehouse, settings):
    create_twins(lakehouse)
    for version in range(1, 6):
        with lakehouse.writer("publish twins") as con:
            con.execute("BEGIN")
            for name in "ab":
                con.execute(f"DELETE FROM lake.core.twin_{name} WHERE version < 0")
                con.execute(f"UPDATE lake.core.twin_{name} SET version = {version}")
            con.execute("COMMIT")
    with workers(settings, "read", "read") as readers:
        let_pass(lakehouse, 40 * DAY)
        assert maintain(lakehouse).snapshots_expired > 3
        time.sleep(0.3)
        assert len(end(*readers)) == 2


def test_a_dropped_table_is_made_again_from_the_landing(lakehouse, settings):
    deliver(settings, "2026-03-02", north=3, south=4)
    deliver(settings, "2026-03-03", north=5, south=-1)
    before = state(lakehouse, table="core.traffic_daily_counts")
    assert [r[2] for r in before] == [3, 4] and not refresh(settings).batches
    publish(lakehouse, ("a", [1]))
    drop_table(lakehouse, "core.traffic_daily_counts")
    with lakehouse.reader() as con:
        left = con.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
            "WHERE database_name = 'lake' AND schema_name IN ('core', 'staging')"
        ).fetchall()
        assert left == [("core.numbers",)]
        for ledger_table in ("ops.batches", "ops.checks", "ops.lineage", "quarantine.rows"):
            assert con.execute(f"SELECT count(*) FROM lake.{ledger_table}").fetchone() == (0,)
    assert len(refresh(settings).published) == 1
    assert state(lakehouse, table="core.traffic_daily_counts") == before
    maintain(lakehouse, datetime.now(UTC) + 400 * DAY)
    assert state(lakehouse, table="core.traffic_daily_counts") == before
    assert not refresh(settings).batches


@ON_SQLITE
def test_only_tables_that_can_be_made_again_are_dropped(lakehouse):
    publish(lakehouse, ("a", [1]))
    with pytest.raises(LakehouseError, match=r"the lake has no such table → choose one of: core\.numbers"):
        drop_table(lakehouse, "ops.batches")
    with pytest.raises(LakehouseError, match="the lake has no such table"):
        drop_table(lakehouse, "core.numbers; DROP SCHEMA lake.core")
    assert state(lakehouse) == [("a", 1)]


@ON_SQLITE
@pytest.mark.parametrize("upkeep", [maintain, lambda lakehouse: drop_table(lakehouse, "core.numbers")])
def test_upkeep_of_nothing_creates_nothing(lakehouse, settings, upkeep):
    with pytest.raises(LakehouseError, match="nothing was published yet"):
        upkeep(lakehouse)
    assert not settings.lake_dir.exists()
