"""Dagster's events with connections that stay open: the same files, seen by others at once, and wiped when asked."""

import threading

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from resources import storage


@dg.op
def step(context: dg.OpExecutionContext) -> None:
    context.log.info("something happened")


@dg.job
def job() -> None:
    step()


@pytest.fixture
def instance(tmp_path):
    custom = {"module": "resources.storage", "class": "SteadySqliteStorage", "config": {"base_dir": str(tmp_path / "dagster")}}
    with dg.instance_for_test(overrides={"storage": {"custom": custom}}, temp_dir=str(tmp_path)) as instance:
        yield instance


def _told(log, run_id):
    return [record.event_log_entry.user_message for record in log.get_records_for_run(run_id).records]


def test_other_processes_see_each_event_at_once_with_dagsters_own_storage(instance, tmp_path):
    run = job.execute_in_process(instance=instance)
    told = _told(instance.event_log_storage, run.run_id)
    assert "something happened" in told
    assert _told(DagsterSqliteStorage(str(tmp_path / "dagster")).event_log_storage, run.run_id) == told


def test_a_run_that_is_watched_tells_what_happens(instance):
    heard, done = [], threading.Event()
    run_id = "11111111-1111-4111-8111-111111111111"

    def hear(entry, cursor):
        heard.append(entry.user_message)
        if entry.is_dagster_event and entry.dagster_event.is_job_success:
            done.set()

    instance.watch_event_logs(run_id, None, hear)
    job.execute_in_process(instance=instance, run_id=run_id)
    assert done.wait(20)
    assert "something happened" in heard


def test_few_files_stay_open_however_many_runs_there_are(instance):
    log = instance.event_log_storage
    runs = [job.execute_in_process(instance=instance).run_id for _ in range(storage._KEPT_OPEN + 2)]
    assert len(log._engines) == storage._KEPT_OPEN
    assert all("something happened" in _told(log, run_id) for run_id in runs)


def test_wiping_forgets_the_events_and_later_ones_are_kept(instance):
    log = instance.event_log_storage
    first = job.execute_in_process(instance=instance).run_id
    log.wipe()
    assert _told(log, first) == []
    assert "something happened" in _told(log, job.execute_in_process(instance=instance).run_id)


def test_a_table_that_was_found_is_not_looked_for_again(instance, monkeypatch):
    asked, original = [], SqliteEventLogStorage.has_table
    monkeypatch.setattr(SqliteEventLogStorage, "has_table", lambda log, name: asked.append(name) or original(log, name))
    log = instance.event_log_storage
    assert [log.has_table(name) for name in ("none", "none", "asset_check_executions", "asset_check_executions")] == [
        False,
        False,
        True,
        True,
    ]
    assert asked == ["none", "none", "asset_check_executions"]
