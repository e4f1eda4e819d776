"""One writer at a time, across processes: waiting, saying who writes, and outliving a killed writer."""

import shutil
import threading
import time

import duckdb
import pytest

from groningen_data.errors import LakehouseError
from groningen_data.lakehouse import Lakehouse, WriterLock
from groningen_data.lakehouse.backup import backup, restore
from groningen_data.lakehouse.tables import existing_columns
from tests.integration.lakehouse.lakes import ON_SQLITE, create_twins, end, publish, state, worker


@ON_SQLITE
def test_who_waits_in_vain_is_told_who_writes(settings):
    impatient = settings.model_copy(update={"writer_wait_s": 0.3})
    with worker(settings, "hold") as holder:
        with pytest.raises(LakehouseError, match=rf"process {holder.pid} on .+ \(a long import, since 20.+\) is writing"):
            publish(Lakehouse(impatient), ("a", [1]))
        end(holder)


@ON_SQLITE
def test_a_second_writer_waits_for_the_first(settings):
    heard = []
    with worker(settings, "hold") as holder:
        ending = threading.Timer(0.5, lambda: end(holder))
        ending.start()
        started = time.monotonic()
        with WriterLock(settings, on_wait=heard.append).held("impatience"):
            assert time.monotonic() - started > 0.4
        ending.join()
    assert len(heard) == 1 and "a long import" in heard[0]


def test_a_writer_sees_what_others_changed_since_its_last_turn(lakehouse, settings):
    publish(lakehouse, ("a", [1]))
    create_twins(lakehouse)
    with worker(settings, "publish") as other:
        (did,) = end(other)
    with worker(settings, "drop_numbers") as other:
        end(other)
    with lakehouse.writer("look") as con:
        assert con.execute("SELECT max(version) FROM lake.core.twin_a").fetchone() == (did["published"],)
        assert existing_columns(con, "core.numbers") == {"n": "INTEGER"}


@pytest.mark.parametrize("by", ["this process", "another"])
def test_a_restored_lake_is_what_the_next_turn_writes_to(lakehouse, settings, tmp_path, by):
    """Its next version is one that the writer saw before, with other content."""
    monday = tmp_path / "monday"
    publish(lakehouse, ("a", [1]))
    backup(lakehouse, monday)
    publish(lakehouse, ("b", [2]), table="core.letters")
    if by == "another":
        with worker(settings, "restore", str(monday)) as other:
            end(other)
    else:
        restore(settings, monday, force=True)
    publish(lakehouse, ("c", [3]), table="core.others")
    with lakehouse.writer("look") as con:
        assert not existing_columns(con, "core.letters")
        assert existing_columns(con, "core.others")
    assert state(lakehouse, table="core.others") == [("c", 3)]
    assert state(lakehouse) == [("a", 1)]


@ON_SQLITE
def test_a_catalog_put_in_place_of_another_is_noticed(lakehouse, settings, tmp_path):
    """A copy that was made during a turn names the same turn."""
    with lakehouse.writer("a turn with a copy") as con:
        con.execute("CREATE TABLE lake.core.numbers (key VARCHAR, n INTEGER)")
        shutil.copytree(settings.data_dir, tmp_path / "copy")
        con.execute("CREATE TABLE lake.core.letters (key VARCHAR, n INTEGER)")
        assert con.execute("FROM lake.core.letters").fetchall() == []
    shutil.rmtree(settings.data_dir)
    shutil.copytree(tmp_path / "copy", settings.data_dir)
    publish(lakehouse, ("c", [3]), table="core.others")
    with lakehouse.writer("look") as con:
        assert not existing_columns(con, "core.letters")
    assert state(lakehouse, table="core.others") == [("c", 3)]


@ON_SQLITE
def test_a_transaction_left_open_is_an_error_of_its_turn_and_of_no_other(lakehouse):
    publish(lakehouse, ("a", [1]))
    with pytest.raises(duckdb.Error), lakehouse.writer("forgetful") as con:
        con.execute("BEGIN")
        con.execute("DELETE FROM lake.core.numbers")
    publish(lakehouse, ("b", [2]))
    assert state(lakehouse) == [("a", 1), ("b", 2)]


@ON_SQLITE
@pytest.mark.parametrize("content", ["", "{", "[1]", '"x"', "{}"])
def test_whatever_is_in_the_note_of_the_last_holder_nobody_is_kept_from_writing(lakehouse, settings, content):
    publish(lakehouse, ("a", [1]))
    (settings.lake_dir / "writer.json").write_text(content)
    publish(lakehouse, ("b", [2]))
    assert state(lakehouse) == [("a", 1), ("b", 2)]


@ON_SQLITE
def test_the_lake_stays_attached_between_turns_until_somebody_else_wrote(lakehouse, settings, monkeypatch):
    attached = []
    monkeypatch.setattr(
        Lakehouse, "_attach", lambda self, *args, own=Lakehouse._attach: (attached.append(self), own(self, *args))
    )
    for _ in range(3):
        publish(lakehouse, ("a", [1]))
    assert len(attached) == 1
    with worker(settings, "drop_numbers") as other:
        end(other)
    publish(lakehouse, ("a", [1]), table="core.others")
    assert len(attached) == 2


@ON_SQLITE
def test_the_lock_of_a_killed_writer_is_free(settings):
    with worker(settings, "hold") as holder:
        holder.kill()
        holder.wait()
        with WriterLock(settings.model_copy(update={"writer_wait_s": 0})).held("the next one"):
            assert "the next one" in WriterLock(settings).holder()


def test_what_a_killed_writer_had_not_committed_never_was(lakehouse, settings):
    publish(lakehouse, ("a", [1, 2, 3]))
    with worker(settings, "write_without_end") as process:
        process.kill()
        process.wait()
    assert state(lakehouse) == [("a", 1), ("a", 2), ("a", 3)]
    publish(lakehouse, ("b", [4]))
    assert state(lakehouse)[-1] == ("b", 4)


@ON_SQLITE
def test_an_error_in_a_transaction_comes_out_as_itself(lakehouse):
    publish(lakehouse, ("a", [1]))
    with pytest.raises(ZeroDivisionError), lakehouse.writer("fail") as con:
        con.execute("BEGIN")
        con.execute("DELETE FROM lake.core.numbers")
        _ = 1 / 0
    assert state(lakehouse) == [("a", 1)]
