"""Backup and restore: on both catalogs, from one to the other, to other folders, and never from or over the wrong thing."""

import json
import shutil
import sqlite3

import pytest

from groningen_data.errors import LakehouseError
from groningen_data.lakehouse import Lakehouse
from groningen_data.lakehouse.backup import backup, restore
from groningen_data.lakehouse.maintenance import maintain
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
)

COUNTS = "core.traffic_daily_counts"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "backups" / "monday"


def destroy(lakehouse: Lakehouse) -> None:
    shutil.rmtree(lakehouse.settings.data_dir)
    if not lakehouse.sqlite_path:
        with lakehouse.catalog(read_only=False) as con:
            con.execute("CALL postgres_execute('catalog', 'DROP SCHEMA public CASCADE; CREATE SCHEMA public')")


def snapshots(lakehouse: Lakehouse) -> list[tuple]:
    with lakehouse.reader() as con:
        return con.execute("FROM lake.snapshots() ORDER BY snapshot_id").fetchall()


def test_after_destruction_a_restore_brings_back_rows_history_landing_and_ledger(lakehouse, settings, target):
    deliver(settings, "2026-03-02", north=3, south=4)
    instants = publish(lakehouse, ("a", [1]), ("b", [2]), ("a", [3]))
    made = backup(lakehouse, target)
    rows, history, facts = state(lakehouse), states(lakehouse), snapshots(lakehouse)
    assert (made.tables, made.payloads, made.target) == (6, 1, target)
    assert not list(target.parent.glob("*.partial")) and target.stat().st_mode & 0o077 == 0
    destroy(lakehouse)

    brought = restore(settings, target)
    assert (brought.files, brought.tables, brought.rows) == (made.files, made.tables, made.rows)
    assert (state(lakehouse), states(lakehouse), snapshots(lakehouse)) == (rows, history, facts)
    assert state(lakehouse, instants[0]) == [("a", 1)]
    assert not refresh(settings).batches, "the ledger knows what was gated already"
    assert len(deliver(settings, "2026-03-03", north=5).published) == 1
    assert len(state(lakehouse, table=COUNTS)) == 3
    maintain(lakehouse)
    assert len(state(lakehouse, table=COUNTS)) == 3


def test_a_backup_goes_to_another_folder_and_to_the_other_kind_of_catalog(lakehouse, make_settings, target):
    publish(lakehouse, ("a", [1]), ("b", [2]), ("a", [3]))
    backup(lakehouse, target)
    rows, history, facts = state(lakehouse), states(lakehouse), snapshots(lakehouse)
    destroy(lakehouse)
    other = make_settings("elsewhere", "postgresql" if lakehouse.sqlite_path else "sqlite")
    restore(other, target)
    moved = Lakehouse(other)
    assert (state(moved), states(moved), snapshots(moved)) == (rows, history, facts)
    publish(moved, ("c", [4]))
    maintain(moved)
    assert state(moved) == [*rows, ("c", 4)]
    assert all(path.is_relative_to(other.data_dir) for path in files_on_disk(moved))


def test_a_lake_in_use_is_only_replaced_by_force_and_newer_payloads_are_taken_in_again(lakehouse, settings, target):
    deliver(settings, "2026-03-02", north=3)
    backup(lakehouse, target)
    deliver(settings, "2026-03-03", north=5)
    with lakehouse.reader() as con:
        with pytest.raises(LakehouseError, match="there is a lake or a landing already"):
            restore(settings, target)
        assert len(state(lakehouse, table=COUNTS)) == 2
        restore(settings, target, force=True)
        assert con.execute(f"SELECT count(*) FROM lake.{COUNTS}").fetchone()[0] in (1, 2), "readers go on"
    assert len(state(lakehouse, table=COUNTS)) == 1
    assert len(refresh(settings).published) == 1
    assert len(state(lakehouse, table=COUNTS)) == 2


@ON_SQLITE
def test_a_ruined_catalog_is_replaced(lakehouse, settings, target):
    publish(lakehouse, ("a", [1]))
    backup(lakehouse, target)
    lakehouse.sqlite_path.write_bytes(b"ruined" * 1000)
    restore(settings, target, force=True)
    assert state(lakehouse) == [("a", 1)]


@ON_SQLITE
def test_a_damaged_backup_is_refused_before_anything_changes(lakehouse, make_settings, target):
    deliver(lakehouse.settings, "2026-03-02", north=3)
    backup(lakehouse, target)
    elsewhere = make_settings("elsewhere", "sqlite")
    for part in ("lake/catalog.sqlite", "lake/files/core/*/*.parquet", "landing/*/*[!n]", "landing/*/*.json"):
        victim = next(target.glob(part))
        good = victim.read_bytes()
        flipped = bytearray(good)
        flipped[len(good) // 2] ^= 1
        victim.write_bytes(flipped)
        with pytest.raises(LakehouseError, match=f"{victim.name} is damaged"):
            restore(elsewhere, target)
        victim.unlink()
        with pytest.raises(LakehouseError, match=f"{victim.name} is missing"):
            restore(elsewhere, target)
        victim.write_bytes(good)
    assert not elsewhere.data_dir.exists()
    restore(elsewhere, target)


@ON_SQLITE
def test_what_is_no_backup_is_refused(lakehouse, make_settings, target):
    publish(lakehouse, ("a", [1]))
    backup(lakehouse, target)
    elsewhere = make_settings("elsewhere", "sqlite")
    path = target / "manifest.json"
    manifest = json.loads(path.read_text())
    for changed, problem in (
        (manifest | {"form": 99}, "has form 99"),
        (manifest | {"files": {"../../outside": {"size": 1, "sha256": ""}}}, "does not belong in a backup"),
        (manifest | {"files": {"lake/files/../../../outside": {"size": 1, "sha256": ""}}}, "does not belong in a backup"),
        (manifest | {"files": {}}, "names no catalog"),
        ({"form": 1}, r"no readable manifest\.json"),
    ):
        path.write_text(json.dumps(changed))
        with pytest.raises(LakehouseError, match=problem):
            restore(elsewhere, target)
    path.unlink()
    with pytest.raises(LakehouseError, match=r"no readable manifest\.json"):
        restore(elsewhere, target)
    assert not elsewhere.data_dir.exists()


@ON_SQLITE
def test_a_restored_lake_that_is_not_what_the_manifest_says_is_reported(lakehouse, make_settings, target):
    publish(lakehouse, ("a", [1]))
    backup(lakehouse, target)
    manifest = json.loads((target / "manifest.json").read_text())
    manifest["tables"]["core.numbers"] = 2
    (target / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(LakehouseError, match=r"core\.numbers: holds 1 rows, the manifest says 2"):
        restore(make_settings("elsewhere", "sqlite"), target)


@ON_SQLITE
def test_a_backup_never_overwrites_and_never_contains_itself(lakehouse, settings, target):
    publish(lakehouse, ("a", [1]))
    target.mkdir(parents=True)
    with pytest.raises(LakehouseError, match="exists already"):
        backup(lakehouse, target)
    with pytest.raises(LakehouseError, match="lies within what is backed up"):
        backup(lakehouse, settings.lake_dir / "backup")


@ON_SQLITE
def test_what_a_killed_backup_left_is_replaced(lakehouse, target):
    publish(lakehouse, ("a", [1]))
    partial = target.with_name("monday.partial")
    partial.mkdir(parents=True)
    (partial / "half").write_text("a file")
    backup(lakehouse, target)
    assert not partial.exists() and not (target / "half").exists()


@ON_SQLITE
@pytest.mark.parametrize("damage", ["lake", "payload", "lost payload"])
def test_what_is_broken_is_not_backed_up(lakehouse, settings, target, damage):
    deliver(settings, "2026-03-02", north=3)
    payload = next(settings.landing_dir.glob("*/*[!n]"))
    if damage == "lake":
        files_on_disk(lakehouse).pop().unlink()
    elif damage == "payload":
        payload.write_bytes(b"something else")
    else:
        payload.unlink()
    with pytest.raises(LakehouseError, match="is missing" if damage != "payload" else "is damaged"):
        backup(lakehouse, target)
    assert not list(target.parent.glob("*"))


def test_a_backup_amid_publications_is_one_state_and_the_writer_goes_on(lakehouse, settings, make_settings, target):
    create_twins(lakehouse)
    with worker(settings, "publish") as writer:
        backup(lakehouse, target)
        (wrote,) = end(writer)
    assert wrote["published"] > 0
    copy = make_settings("copy", "sqlite")
    restore(copy, target)
    with Lakehouse(copy).reader() as con:
        versions = con.execute("SELECT version, count(*) FROM (FROM lake.core.twin_a UNION ALL FROM lake.core.twin_b) GROUP BY 1")
        assert [n for _, n in versions.fetchall()] == [10]
    with sqlite3.connect(target / "lake" / "catalog.sqlite") as catalog:
        assert catalog.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert catalog.execute("SELECT count(*) FROM ducklake_files_scheduled_for_deletion").fetchone() == (0,)
