"""Sensors that tell people: one message per run, about failures of any run and about what the nightly run rejected or found odd.

Thin: Dagster's records go in, `groningen_data.alerts` puts them into words and sends them.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from groningen_data.alerts import FailedStep, has_address, send, summarise
from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import Settings

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

_CHOSEN_ASSETS = "__ASSET_JOB"
# Causes that a person can mend at once, told by the words of the operating system and of DuckDB.
_KNOWN_CAUSES = {
    "No space left on device": "the disk is full → free space, then run again",
    "Out of Memory Error": "the memory limit was reached → raise GRONINGEN_MEMORY_LIMIT_MB, then run again",
}


def alert_sensors(settings: Settings, nightly: "UnresolvedAssetJobDefinition") -> list[dg.SensorDefinition]:
    """The two sensors: a failed run of any job, and a nightly run that succeeded but needs attention.

    A run ends only one way, so nobody gets two messages about one run. The second is needed because a rejected batch and a
    warning are failed checks that do not fail the run.
    """
    status = dg.DefaultSensorStatus.RUNNING if has_address(settings) else dg.DefaultSensorStatus.STOPPED

    @dg.run_failure_sensor(
        name="tell_of_failed_runs",
        description="Sends a message about every run that failed, was killed, or never started.",
        default_status=status,
    )
    def tell_of_failed_runs(context: dg.RunFailureSensorContext) -> None:
        steps = [FailedStep(e.step_key or "run", safe_message(e)) for e in context.get_step_failure_events()]
        _tell(context, settings, steps or [FailedStep("run", _run_message(context.failure_event))])

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="tell_of_the_night",
        description="Sends what the nightly run rejected or found odd; if all is well, only with GRONINGEN_ALERT_WHEN_FINE.",
        monitored_jobs=[nightly],
        default_status=status,
    )
    def tell_of_the_night(context: dg.RunStatusSensorContext) -> None:
        _tell(context, settings, ())

    return [tell_of_failed_runs, tell_of_the_night]


def _tell(context: dg.RunStatusSensorContext, settings: Settings, failed: Sequence[FailedStep]) -> None:
    run = context.dagster_run
    record = context.instance.get_run_record_by_id(run.run_id)
    summary = summarise(
        Lakehouse(settings),
        run.run_id,
        failed,
        job="chosen assets" if run.job_name.startswith(_CHOSEN_ASSETS) else run.job_name,
        started=_instant(record.start_time if record else None),
        finished=_instant(record.end_time if record else None),
        undelivered=list(undelivered(context.instance, run.run_id)),
    )
    if not summary.needs_attention and not settings.alert_when_fine:
        context.log.info(f"nothing to tell: {summary.subject}")
        return
    report = send(settings, summary.subject, summary.text(), summary.payload())
    (context.log.error if report.failed else context.log.info)(f"{summary.subject}: {report}")


def undelivered(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    """Failed checks of landing assets: they are not in the lake's ledger."""
    for record in instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records:
        event = record.event_log_entry.dagster_event
        check = event.asset_check_evaluation_data if event else None
        if check and not check.passed and check.asset_key.path[0] == "landing":
            yield f"{check.asset_key.path[-1]}: {check.description}"


def safe_message(event: dg.DagsterEvent) -> str:
    """Our own explanation where there is one; of any other error only its kind, for its words may hold values or credentials."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error
    while error and error.cause:
        error = error.cause
    words = error.message if error else ""
    known = next((meaning for phrase, meaning in _KNOWN_CAUSES.items() if phrase in words), None)
    return known or f"stopped by {error.cls_name if error else 'an unknown error'} → read the error in the run"


def _run_message(event: dg.DagsterEvent) -> str:
    data = event.job_failure_data
    if data and data.error:
        return f"could not be run: {data.error.cls_name} → read the error in the run"
    words = (event.message or "The run failed.").splitlines()[0]
    return f"{words} Its process was killed or never started → run the job again"


def _instant(timestamp: float | None) -> datetime | None:
    return datetime.fromtimestamp(timestamp, UTC) if timestamp else None
