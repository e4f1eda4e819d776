"""One writer at a time, across processes: waiting, saying who writes, and outliving a killed writer."""

import threading
import time

import pytest

from groningen_data.errors import LakehouseError
from groningen_data.lakehouse import Lakehouse, WriterLock
from tests.integration.lakehouse.lakes import ON_SQLITE, end, publish, state, worker


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
