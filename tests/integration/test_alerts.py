"""Alerts end to end: from ledger rows and real runs to messages that arrive at a mail server and a webhook on this machine."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from assets.sensors import alert_sensors
from groningen_data.alerts import FailedStep, RunSummary, send, summarise
from groningen_data.lakehouse import Lakehouse
from groningen_data.lakehouse.ledger import BatchRecord, CheckResult, record
from groningen_data.settings import Settings, load_settings
from tests.integration.receivers import Mailbox, Webhook, mail_server, self_signed, webhook

REPORTS, COUNTS, DISTRICTS = "core.waste_open_reports", "core.traffic_counts", "core.reference_districts"
CITIZEN = "999990019"
NIGHT = datetime(2026, 3, 16, 1, 0, tzinfo=UTC)
PASSED = CheckResult("usual_volume", "error", True, "About as much as on other days.", "17568")
ODD = CheckResult("new_reports_arrive", "warning", False, "Some report is less than two weeks old.", "1 rows")
CONTRACT = CheckResult("contract", "error", False, "Every row keeps what the table promises.", f"for example report_id={CITIZEN}")
SPEEDS = CheckResult("speeds_are_possible", "error", False, "Speeds are those of traffic.", f"observed {CITIZEN}")


@pytest.fixture
def lakehouse(tmp_path: Path) -> Lakehouse:
    return Lakehouse(load_settings(data_dir=tmp_path / "data", ui_url="http://dagster.test:3000/"))


def note(lakehouse: Lakehouse, *batches: BatchRecord) -> None:
    with lakehouse.writer("test") as con:
        for batch in batches:
            record(con, [batch])
            if batch.outcome == "rejected":
                con.execute(
                    "INSERT INTO lake.quarantine.rows SELECT ?, ?, ?, range, ['flow_veh_h.type'], ?, ?, [], ? FROM range(?)",
                    [batch.batch_id, batch.table, batch.key, CITIZEN, CITIZEN, batch.finished_at, batch.quarantined],
                )


def batch(
    table: str,
    key: str,
    outcome: str = "published",
    *,
    run: str = "tonight",
    at: datetime = NIGHT,
    rows: int = 100,
    quarantined: int = 0,
    checks: tuple[CheckResult, ...] = (PASSED,),
    reason: str = "",
    payload: str = "file.csv",
) -> BatchRecord:
    return BatchRecord(
        f"{table}-{key}-{run}", table, key, "identity", outcome, rows, rows - quarantined, quarantined, 0, at, run, reason,
        checks=checks, finished_at=at, lineage=(("payload", payload, "0" * 64),),
    )  # fmt: skip


def rejected(table: str, key: str, **facts: object) -> BatchRecord:
    facts = {"quarantined": 60, "checks": (CONTRACT, SPEEDS), "reason": f"contract: for example {CITIZEN}", **facts}
    return batch(table, key, "rejected", **facts)


class TestSummaries:
    def test_the_first_line_says_what_went_wrong_and_what_was_published(self, lakehouse):
        good = [batch(REPORTS, f"2026-03-{day:02}") for day in range(1, 28)]
        odd = [batch(REPORTS, f"2026-03-{day}", checks=(PASSED, ODD)) for day in (28, 29)]
        note(lakehouse, *good, *odd, rejected(COUNTS, "2026-03-10/loops"))
        summary = summarise(lakehouse, "tonight")
        expected = "Nightly refresh 2026-03-16: 1 batch rejected, 2 warnings, 29 batches published"
        assert summary.subject == summary.text().splitlines()[0] == expected
        assert summary.needs_attention

    def test_the_message_says_why_what_to_do_and_where_to_look(self, lakehouse):
        note(lakehouse, rejected(COUNTS, "2026-03-10/loops"), batch(REPORTS, "2026-03-10", checks=(ODD,), quarantined=3))
        text = summarise(lakehouse, "tonight", [FailedStep("serving__marts", "the disk is full → free space")]).text()
        assert "- serving__marts: the disk is full → free space" in text
        assert (
            "- core.traffic_counts 2026-03-10/loops: not met: Speeds are those of traffic.; "
            "60 of 100 rows quarantined (flow_veh_h.type 60×)"
        ) in text
        assert "- core.waste_open_reports 2026-03-10: new_reports_arrive. Some report is less than two weeks old." in text
        assert "- core.waste_open_reports: 1 batch, 3 rows quarantined" in text
        assert "Ask the source for a corrected delivery" in text
        assert "http://dagster.test:3000/runs/tonight" in text
        assert "`groningen quarantine list`" in text

    def test_values_of_rows_are_never_told(self, lakehouse):
        note(lakehouse, rejected(COUNTS, "2026-03-10/loops"), rejected(REPORTS, "2026-03-09", run="earlier"))
        summary = summarise(lakehouse, "tonight")
        assert (summary.counts["batches_rejected"], summary.counts["batches_still_missing"]) == (1, 1)
        assert CITIZEN not in f"{summary.text()}{summary.payload()}{summary}"

    def test_an_unreadable_payload_is_told_in_the_words_of_its_source(self, lakehouse):
        reason = "is empty → ask for the file again; an empty file is never data"
        note(lakehouse, rejected(REPORTS, "payload a.json", rows=0, quarantined=0, checks=(CONTRACT,), reason=reason))
        assert f"- {REPORTS} payload a.json: {reason}" in summarise(lakehouse, "tonight").text()

    def test_only_what_this_run_did_counts(self, lakehouse):
        note(lakehouse, batch(REPORTS, "2026-03-09", run="earlier", checks=(ODD,)), batch(REPORTS, "2026-03-10"))
        summary = summarise(lakehouse, "tonight")
        assert summary.subject == "Nightly refresh 2026-03-16: 1 batch published"
        assert not summary.needs_attention

    def test_a_batch_rejected_earlier_is_told_until_it_is_published(self, lakehouse):
        note(lakehouse, rejected(COUNTS, "2026-03-10/loops", run="earlier"))
        subject = summarise(lakehouse, "tonight").subject
        assert subject == "Nightly refresh 2026-03-16: 1 batch still missing, nothing new published"
        note(lakehouse, batch(COUNTS, "2026-03-10/loops", run="next", at=NIGHT + timedelta(days=1)))
        assert not summarise(lakehouse, "tomorrow").needs_attention

    def test_an_unreadable_payload_is_settled_by_a_readable_one_of_that_name(self, lakehouse):
        note(lakehouse, rejected(REPORTS, "payload a.json", run="earlier", payload="a.json"))
        note(lakehouse, batch(REPORTS, "2026-03-09", at=NIGHT + timedelta(hours=1), payload="b.json"))
        assert summarise(lakehouse, "tonight").counts["batches_still_missing"] == 1
        note(lakehouse, batch(REPORTS, "2026-03-10", at=NIGHT + timedelta(hours=1), payload="a.json"))
        assert summarise(lakehouse, "tonight").counts["batches_still_missing"] == 0

    def test_warnings_of_a_rejected_batch_are_not_told(self, lakehouse):
        note(lakehouse, rejected(COUNTS, "2026-03-10/loops", checks=(SPEEDS, ODD)))
        assert summarise(lakehouse, "tonight").counts["warnings"] == 0

    def test_a_table_without_new_data_for_too_long_is_overdue(self, lakehouse):
        lakehouse = Lakehouse(lakehouse.settings.model_copy(update={"as_of": NIGHT + timedelta(days=5)}))
        note(lakehouse, batch(REPORTS, "2026-03-10"), batch(DISTRICTS, "snapshot"))
        summary = summarise(lakehouse, "tonight")
        assert summary.overdue == (f"{REPORTS}: nothing new for 5 days, its contract promises 2",)
        assert "1 table overdue" in summary.subject

    def test_a_delivery_that_did_not_come_needs_attention(self, lakehouse):
        summary = summarise(lakehouse, "tonight", undelivered=["ndw_sites: 0 payloads found"])
        assert "1 delivery problem" in summary.subject
        assert "- ndw_sites: 0 payloads found" in summary.text()

    def test_before_anything_was_published_there_is_nothing_to_tell(self, lakehouse):
        summary = summarise(lakehouse, "tonight")
        assert summary.tables == ()
        assert summary.subject == "Nightly refresh 2026-03-16: nothing new published"

    def test_a_ledger_that_cannot_be_read_is_said_and_stops_no_message(self, lakehouse):
        note(lakehouse, batch(REPORTS, "2026-03-10"))
        for path in lakehouse.settings.lake_dir.glob("catalog.sqlite*"):
            path.write_bytes(b"damaged" * 1000)
        summary = summarise(lakehouse, "tonight", [FailedStep("run", "it failed")])
        assert summary.subject == "Nightly refresh 2026-03-16: 1 step failed, the ledger cannot be read"

    def test_a_catalog_that_cannot_be_reached_is_said_without_its_password(self, tmp_path):
        uri = "postgresql://groningen:s3cret@127.0.0.1:1/lake"
        lakehouse = Lakehouse(load_settings(data_dir=tmp_path, catalog_uri=uri))
        lakehouse.files_dir.mkdir(parents=True)
        summary = summarise(lakehouse, "tonight")
        assert summary.needs_attention
        assert "catalog" in summary.text()
        assert "s3cret" not in summary.text()

    def test_long_lists_are_cut(self, lakehouse):
        note(lakehouse, *(rejected(COUNTS, f"2026-03-10/{n:03}", quarantined=1) for n in range(50)))
        text = summarise(lakehouse, "tonight").text()
        assert "50 batches rejected" in text
        assert "- … and 30 more" in text
        assert len(text) < 10_000

    def test_the_date_is_the_local_one_of_the_run(self, lakehouse):
        lakehouse = Lakehouse(lakehouse.settings.model_copy(update={"as_of": None}))
        note(lakehouse, batch(REPORTS, "2026-03-10", at=datetime(2026, 3, 15, 23, 30, tzinfo=UTC)))
        assert "2026-03-16" in summarise(lakehouse, "tonight").subject


@pytest.fixture
def mailbox() -> Mailbox:
    with mail_server() as box:
        yield box


@pytest.fixture
def hook() -> Webhook:
    with webhook() as hook:
        yield hook


def addressed(folder: Path, mailbox: Mailbox | None = None, hook: Webhook | None = None, **more: object) -> Settings:
    if mailbox:
        more = {"alert_email_to": "a@example.org, b@example.org", "smtp_host": "127.0.0.1", "smtp_port": mailbox.port} | more
    if hook:
        more = {"alert_webhook_url": hook.url} | more
    return load_settings(data_dir=folder, **more)


class TestSending:
    def test_a_message_goes_by_mail_and_webhook(self, tmp_path, mailbox, hook):
        settings = addressed(tmp_path, mailbox, hook)
        report = send(settings, "Nightly: 1 batch rejected", "Wijk één\n.dot\n", {"run_id": "r1"})
        assert str(report) == "sent by e-mail and webhook"
        (mail,) = mailbox.messages
        assert mail["Subject"] == "Nightly: 1 batch rejected"
        assert mail["To"] == "a@example.org, b@example.org"
        assert mail["From"] == settings.alert_email_from
        assert mail["Date"] and mail["Message-ID"]
        assert mail.get_content().splitlines() == ["Wijk één", ".dot"]
        assert hook.bodies == [{"run_id": "r1", "subject": "Nightly: 1 batch rejected", "text": "Wijk één\n.dot\n"}]

    def test_without_an_address_the_report_says_so(self, tmp_path):
        report = send(addressed(tmp_path), "s", "t", {})
        assert (report.sent, report.failed) == ((), {})
        assert "no alert address is configured" in str(report)

    def test_a_refused_mail_does_not_stop_the_webhook(self, tmp_path, hook, caplog):
        with mail_server(refuse=True) as box:
            report = send(addressed(tmp_path, box, hook), "s", "t", {})
        assert report.sent == ("webhook",)
        assert set(report.failed) == {"e-mail"}
        assert [r.levelno for r in caplog.records if r.name == "groningen_data.alerts"] == [logging.ERROR]
        assert "example.org" not in caplog.text

    def test_an_unreachable_webhook_does_not_stop_the_mail(self, tmp_path, mailbox, caplog):
        caplog.set_level(logging.DEBUG)
        settings = addressed(tmp_path, mailbox, alert_webhook_url="http://127.0.0.1:1/hooks/s3cret-t0ken")
        report = send(settings, "s", "t", {})
        assert report.sent == ("e-mail",)
        assert report.failed == {"webhook": "ConnectError"}
        assert "s3cret" not in f"{caplog.text}{[vars(r) for r in caplog.records]}{report}"

    def test_a_server_in_trouble_is_asked_again(self, tmp_path):
        with webhook(lambda call: 503 if call < 3 else 204) as hook:
            assert send(addressed(tmp_path, hook=hook), "s", "t", {}).sent == ("webhook",)
        assert len(hook.bodies) == 3

    def test_a_server_that_stays_in_trouble_is_given_up(self, tmp_path, caplog):
        caplog.set_level(logging.DEBUG)
        with webhook(lambda call: 500) as hook:
            report = send(addressed(tmp_path, hook=hook), "s", "t", {})
        assert report.failed == {"webhook": "the server answered 500"}
        assert len(hook.bodies) == 3
        assert "s3cret" not in f"{caplog.text}{[vars(r) for r in caplog.records]}"

    @pytest.mark.parametrize("status", [302, 404, 410])
    def test_what_would_not_help_is_not_tried_again(self, tmp_path, status):
        with webhook(lambda call: status) as hook:
            assert send(addressed(tmp_path, hook=hook), "s", "t", {}).failed == {"webhook": f"the server answered {status}"}
        assert len(hook.bodies) == 1

    def test_an_impossible_address_is_a_failed_message(self, tmp_path):
        report = send(addressed(tmp_path, alert_webhook_url="no address: s3cret"), "s", "t", {})
        assert set(report.failed) == {"webhook"}
        assert "s3cret" not in str(report)

    def test_with_a_user_name_it_logs_in_over_tls(self, tmp_path, monkeypatch):
        context, certificate = self_signed(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with mail_server(tls=context) as box:
            report = send(addressed(tmp_path, box, smtp_user="alerts", smtp_password="pa55"), "s", "t", {})
        assert report.sent == ("e-mail",)
        assert box.logins == [("alerts", "pa55")]
        assert len(box.messages) == 1

    def test_a_password_never_goes_over_a_line_that_is_not_trusted(self, tmp_path, mailbox):
        context, _ = self_signed(tmp_path)
        with mail_server(tls=context) as untrusted:
            for box in (mailbox, untrusted):
                report = send(addressed(tmp_path, box, smtp_user="alerts", smtp_password="pa55"), "s", "t", {})
                assert set(report.failed) == {"e-mail"}
                assert (box.logins, box.messages) == ([], [])


class Watched:
    """A small repository with the real sensors: jobs `nightly` and `refresh_waste` over one asset that does what `act` does."""

    def __init__(self, settings: Settings, act=lambda context: None) -> None:
        @dg.asset(key=["landing", "reports"], check_specs=[dg.AssetCheckSpec("delivered", asset=["landing", "reports"])])
        def land(context: dg.AssetExecutionContext):
            passed = act(context) is not False
            yield dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, description="0 payloads found")
            yield dg.Output(None)

        nightly = dg.define_asset_job("nightly", selection=["landing/reports"])
        self.sensors = alert_sensors(settings, nightly)
        jobs = [nightly, dg.define_asset_job("refresh_waste", selection=["landing/reports"])]
        self.defs = dg.Definitions([land], jobs=jobs, sensors=self.sensors)
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursors: dict[str, str | None] = {}
        self.tick()

    def run(self, job: str = "nightly") -> str:
        result = self.defs.resolve_job_def(job).execute_in_process(instance=self.instance, raise_on_error=False)
        self.tick()
        return result.run_id

    def tick(self) -> None:
        for sensor in self.sensors:
            context = dg.build_sensor_context(instance=self.instance, cursor=self.cursors.get(sensor.name))
            self.cursors[sensor.name] = sensor.evaluate_tick(context).cursor


def fail(context: dg.AssetExecutionContext) -> None:
    raise dg.Failure("core.waste_reports: nothing was ever delivered → see the landing", allow_retries=False)


def crash(context: dg.AssetExecutionContext) -> None:
    try:
        raise ValueError(f"Could not convert {CITIZEN} at postgresql://user:s3cret@host")
    except ValueError as error:
        raise RuntimeError(f"citizen {CITIZEN}") from error


def fill_the_disk(context: dg.AssetExecutionContext) -> None:
    raise OSError(28, "No space left on device", "/some/path")


class TestSensors:
    def test_a_failed_nightly_run_gives_exactly_one_message(self, tmp_path, mailbox, hook):
        run_id = Watched(addressed(tmp_path, mailbox, hook), fail).run()
        (mail,) = mailbox.messages
        assert "1 step failed" in mail["Subject"]
        assert "landing__reports: core.waste_reports: nothing was ever delivered → see the landing" in mail.get_content()
        assert hook.bodies[0]["run_id"] == run_id
        assert hook.bodies[0]["url"].endswith(run_id)

    def test_a_failed_run_of_a_store_gives_a_message(self, tmp_path, mailbox):
        Watched(addressed(tmp_path, mailbox), fail).run("refresh_waste")
        assert [m["Subject"].split(" ")[:3] for m in mailbox.messages] == [["Run", "of", "refresh_waste"]]

    def test_each_run_is_told_once(self, tmp_path, mailbox):
        watched = Watched(addressed(tmp_path, mailbox), fail)
        watched.run()
        watched.run()
        watched.tick()
        assert len(mailbox.messages) == 2

    def test_a_night_that_succeeded_tells_what_it_rejected(self, tmp_path, mailbox):
        settings = addressed(tmp_path, mailbox)
        lakehouse = Lakehouse(settings)
        Watched(settings, lambda context: note(lakehouse, rejected(COUNTS, "2026-03-10/loops", run=context.run.run_id))).run()
        assert ["1 batch rejected" in m["Subject"] for m in mailbox.messages] == [True]

    def test_a_night_that_succeeded_tells_what_was_not_delivered(self, tmp_path, mailbox):
        Watched(addressed(tmp_path, mailbox), lambda context: False).run()
        (mail,) = mailbox.messages
        assert "1 delivery problem" in mail["Subject"]
        assert "- reports: 0 payloads found" in mail.get_content()

    def test_a_run_of_a_store_that_succeeded_is_not_told(self, tmp_path, mailbox):
        Watched(addressed(tmp_path, mailbox, alert_when_fine=True), lambda context: False).run("refresh_waste")
        assert mailbox.messages == []

    @pytest.mark.parametrize("alert_when_fine", [False, True])
    def test_a_night_that_needs_no_attention_is_told_only_when_asked_for(self, tmp_path, mailbox, alert_when_fine):
        Watched(addressed(tmp_path, mailbox, alert_when_fine=alert_when_fine)).run()
        assert len(mailbox.messages) == int(alert_when_fine)

    def test_the_words_of_foreign_errors_are_never_sent(self, tmp_path, mailbox):
        Watched(addressed(tmp_path, mailbox), crash).run()
        text = mailbox.messages[0].get_content()
        assert "stopped by ValueError" in text
        assert CITIZEN not in text
        assert "s3cret" not in text

    def test_a_full_disk_is_called_that(self, tmp_path, mailbox):
        Watched(addressed(tmp_path, mailbox), fill_the_disk).run()
        assert "the disk is full → free space" in mailbox.messages[0].get_content()

    def test_a_run_whose_process_died_is_told(self, tmp_path, mailbox):
        watched = Watched(addressed(tmp_path, mailbox))
        job = watched.defs.resolve_job_def("nightly")
        run = watched.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        watched.instance.report_run_failed(run, "Detected run worker status UNKNOWN. Marking run as failed.")
        watched.tick()
        (mail,) = mailbox.messages
        assert "run: Detected run worker status UNKNOWN" in mail.get_content()
        assert "run the job again" in mail.get_content()

    def test_a_message_that_cannot_be_sent_breaks_nothing(self, tmp_path, hook):
        with mail_server(refuse=True) as box:
            Watched(addressed(tmp_path, box, hook), fail).run()
        assert len(hook.bodies) == 1

    def test_the_sensors_run_only_when_somebody_listens(self, tmp_path, hook):
        def statuses(settings: Settings) -> set[str]:
            return {s.default_status.value for s in Watched(settings).sensors}

        assert statuses(addressed(tmp_path)) == {"STOPPED"}
        assert statuses(addressed(tmp_path, hook=hook)) == {"RUNNING"}


def test_a_summary_is_plain_json_for_machines(lakehouse):
    note(lakehouse, batch(REPORTS, "2026-03-10"))
    summary = summarise(lakehouse, "tonight")
    assert isinstance(summary, RunSummary)
    assert {type(v) for v in summary.payload().values()} <= {str, int, bool}
