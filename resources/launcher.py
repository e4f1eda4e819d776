"""The run launcher: Dagster's own, which also notices that a run's process is gone.

Dagster's own notices that only while the server that started the run lives. After a power cut or a restart of everything the
run would count as running, and hold up the queue, until its runtime limit.
"""

import os

from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, DefaultRunLauncher, RunsFilter
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

# Set on runs of the command line, which no launcher started.
PROCESS_TAG = "groningen/process"


class WatchfulRunLauncher(DefaultRunLauncher):
    """Runs as processes of this machine, whose end run monitoring notices in any case."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a started run still exists; what never said its process id counts as running."""
        pid = self._pid(run)
        if pid is None or process_exists(pid):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"its process {pid} is gone")

    def _pid(self, run: DagsterRun) -> int | None:
        pids = [run.tags[PROCESS_TAG]] if PROCESS_TAG in run.tags else []
        pids += [
            str(entry.dagster_event.engine_event_data.metadata["pid"].value)
            for entry in self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
            if entry.dagster_event and "pid" in entry.dagster_event.engine_event_data.metadata
        ]
        return int(pids[-1]) if pids else None


def process_exists(pid: int) -> bool:
    """Whether a process of this machine is alive."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def close_dead_runs(instance: DagsterInstance) -> None:
    """Mark runs of the command line as failed whose process was killed, so that they neither look alive nor hold up a queue."""
    for run in instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED])):
        pid = run.tags.get(PROCESS_TAG)
        if pid and not process_exists(int(pid)):
            instance.report_run_failed(run, f"its process {pid} is gone")
