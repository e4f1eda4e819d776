"""Alerts: what a run did, read from the lake's ledger by run id, put into words for a person, and sent by e-mail or webhook.

Knows no orchestrator. A message names tables, batches, rules and counts, never values of rows and never credentials; that it
cannot be sent is logged and never makes a run fail.
"""

import logging
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from email.message import EmailMessage
from email.utils import localtime, make_msgid
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import httpx
import stamina

from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import facts_of
from groningen_data.errors import GroningenError
from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import Settings

NIGHTLY = "nightly"
_SHOWN = 20
_SHOWN_CHARACTERS = 400
_MAIL_TIMEOUT_S = 10.0
_WEBHOOK_TIMEOUT_S = 5.0
_WEBHOOK_ATTEMPTS = 3

# What to do, and the counts (see `RunSummary.counts`) that call for it.
_ADVICE = {
    "Failed: do what the message says and run the job again; what was published stays as it is.": ("steps_failed",),
    "The ledger: make sure that the data folder and the catalog can be reached.": ("unread",),
    "Rejected: readers keep the last good rows. Ask the source for a corrected delivery; the next run takes it up.": (
        "batches_rejected",
        "batches_still_missing",
    ),
    "Deliveries: see whether the source still sends, and what it sends.": ("delivery_problems",),
    "Overdue: ask the source why nothing new comes.": ("tables_overdue",),
    "Warnings: the rows are published. Where the sentence does not hold for a good reason, nothing need be done.": ("warnings",),
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rejection:
    """A batch that is not published, and why, without any value of its rows."""

    key: str
    reason: str


@dataclass(frozen=True)
class Warned:
    """A warning of a published batch: the check that failed, and what it means."""

    key: str
    check: str
    sentence: str


@dataclass(frozen=True)
class TableSummary:
    """What one run did to one table.

    Args:
        table: Table name.
        published: Batches published.
        unchanged: Batches judged anew that held exactly the published rows.
        rejected: Batches rejected in this run.
        standing: Batches rejected earlier and not delivered anew since.
        quarantined: Rows set aside of the batches published.
        warnings: Failed warnings of the batches published.
    """

    table: str
    published: int = 0
    unchanged: int = 0
    rejected: tuple[Rejection, ...] = ()
    standing: tuple[Rejection, ...] = ()
    quarantined: int = 0
    warnings: tuple[Warned, ...] = ()


@dataclass(frozen=True)
class FailedStep:
    """A step that failed, with a message that is safe to send."""

    step: str
    message: str


@dataclass(frozen=True)
class RunSummary:
    """What a run did, and what a person should know of it.

    Args:
        run_id: Id of the run, as the ledger has it.
        job: Name of the job.
        on: Local date of the run.
        started: When it started (UTC); None when nobody knows.
        finished: When it ended (UTC).
        url: Where the run is shown.
        tables: Per table that the run touched, or that misses batches; in order of name.
        failed_steps: Steps that failed.
        undelivered: Sources that delivered nothing, or something unreadable, in words.
        overdue: Tables without new data for longer than their contract promises, in words.
        unread: Why the ledger could not be read, if so; the tables are then unknown.
    """

    run_id: str
    job: str
    on: date
    started: datetime | None
    finished: datetime | None
    url: str
    tables: tuple[TableSummary, ...] = ()
    failed_steps: tuple[FailedStep, ...] = ()
    undelivered: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()
    unread: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Totals over all tables, by name."""
        return {
            "steps_failed": len(self.failed_steps),
            "batches_rejected": sum(len(t.rejected) for t in self.tables),
            "batches_still_missing": sum(len(t.standing) for t in self.tables),
            "warnings": sum(len(t.warnings) for t in self.tables),
            "delivery_problems": len(self.undelivered),
            "tables_overdue": len(self.overdue),
            "batches_published": sum(t.published for t in self.tables),
            "batches_unchanged": sum(t.unchanged for t in self.tables),
            "rows_quarantined": sum(t.quarantined for t in self.tables),
        }

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look: something failed, is missing, or looks unusual."""
        fine = {"batches_published", "batches_unchanged", "rows_quarantined"}
        return self.unread is not None or any(n for name, n in self.counts.items() if name not in fine)

    @property
    def subject(self) -> str:
        """The first line: what went wrong, most serious first, and how much was published."""
        counts = self.counts
        parts = [
            _counted(counts["steps_failed"], "step failed", "steps failed"),
            "the ledger cannot be read" if self.unread else "",
            _counted(counts["batches_rejected"], "batch rejected", "batches rejected"),
            _counted(counts["batches_still_missing"], "batch still missing", "batches still missing"),
            _counted(counts["delivery_problems"], "delivery problem", "delivery problems"),
            _counted(counts["tables_overdue"], "table overdue", "tables overdue"),
            _counted(counts["warnings"], "warning", "warnings"),
            _counted(counts["batches_published"], "batch published", "batches published")
            or ("" if self.unread else "nothing new published"),
        ]
        title = "Nightly refresh" if self.job == NIGHTLY else f"Run of {self.job}"
        return f"{title} {self.on.isoformat()}: {', '.join(filter(None, parts))}"

    def text(self) -> str:
        """The whole message in plain text: what went wrong, what was published, what to do, where to look."""
        sections = [("", [self.subject]), *self._problems(), ("Published", self._published()), ("What to do", self._advice())]
        sections.append(("Where to look", self._places()))
        return "\n\n".join("\n".join(filter(None, [title, *_cut(lines)])) for title, lines in sections if lines) + "\n"

    def payload(self) -> dict[str, Any]:
        """The facts of the message for a machine: plain JSON values."""
        return {
            "run_id": self.run_id,
            "job": self.job,
            "date": self.on.isoformat(),
            "url": self.url,
            "needs_attention": self.needs_attention,
            **self.counts,
        }

    def _problems(self) -> list[tuple[str, list[str]]]:
        return [
            ("Failed", [f"- {s.step}: {s.message}" for s in self.failed_steps]),
            ("The ledger", [f"- {self.unread}"] if self.unread else []),
            ("Rejected", [f"- {t.table} {b.key}: {b.reason}" for t in self.tables for b in t.rejected]),
            (
                "Rejected earlier and still missing",
                [f"- {t.table} {b.key}: {b.reason}" for t in self.tables for b in t.standing],
            ),
            ("Deliveries", [f"- {line}" for line in self.undelivered]),
            ("Overdue", [f"- {line}" for line in self.overdue]),
            ("Warnings", [line for t in self.tables for line in _grouped(t)]),
        ]

    def _published(self) -> list[str]:
        return [
            f"- {t.table}: {_counted(t.published, 'batch', 'batches') or 'nothing new'}"
            + (f", {t.unchanged} unchanged" if t.unchanged else "")
            + (f", {_counted(t.quarantined, 'row', 'rows')} quarantined" if t.quarantined else "")
            for t in self.tables
            if t.published or t.unchanged or t.quarantined
        ]

    def _advice(self) -> list[str]:
        counts = self.counts | {"unread": self.unread is not None}
        return [f"- {advice}" for advice, reasons in _ADVICE.items() if any(counts[reason] for reason in reasons)]

    def _places(self) -> list[str]:
        kept_back = self.counts["batches_rejected"] + self.counts["batches_still_missing"] + self.counts["rows_quarantined"]
        return [f"- {self.url}", "- `groningen quarantine list`" if kept_back else "", "- docs/runbook.md"]


def _grouped(table: TableSummary) -> list[str]:
    """One line per failed warning, naming the batch or how many there are: a day that repeats must not hide another warning."""
    keys: dict[tuple[str, str], list[str]] = {}
    for warned in table.warnings:
        keys.setdefault((warned.check, warned.sentence), []).append(warned.key)
    return [
        f"- {table.table} {found[0] if len(found) == 1 else f'{len(found)} batches, {min(found)} to {max(found)}'}: {check}. {sentence}"
        for (check, sentence), found in keys.items()
    ]


def summarise(
    lakehouse: Lakehouse,
    run_id: str,
    failed_steps: Sequence[FailedStep] = (),
    *,
    job: str = NIGHTLY,
    started: datetime | None = None,
    finished: datetime | None = None,
    undelivered: Sequence[str] = (),
) -> RunSummary:
    """What a run did, by the ledger.

    Args:
        lakehouse: Whose ledger to read; one that does not exist yet has nothing to tell.
        run_id: The run.
        failed_steps: Steps that failed, known to whoever ran them; their messages must be safe to send.
        job: Name of the job.
        started: When it started; by default when its first batch did.
        finished: When it ended; by default when its last batch did.
        undelivered: What is known of deliveries that did not come or cannot be read.

    Returns:
        The summary; also when the ledger cannot be read, which it then says.
    """
    settings = lakehouse.settings
    tables: tuple[TableSummary, ...] = ()
    overdue: tuple[str, ...] = ()
    unread = None
    try:
        if lakehouse.exists:
            with lakehouse.reader() as con:
                tables, overdue = _tables(con, run_id), _overdue(con, settings.now())
                first, last = con.execute(
                    "SELECT min(started_at), max(finished_at) FROM lake.ops.batches WHERE run_id = ?", [run_id]
                ).fetchone() or (None, None)
            started, finished = started or first, finished or last
    except GroningenError as error:
        unread = str(error)
    except duckdb.Error as error:
        # Its message may hold the catalog's address and password.
        unread = f"the lake could not be opened ({type(error).__name__})"
    moment = settings.as_of or finished or started or settings.now()
    return RunSummary(
        run_id=run_id,
        job=job,
        on=moment.astimezone(ZoneInfo(settings.timezone)).date(),
        started=started,
        finished=finished,
        url=f"{settings.ui_url.rstrip('/')}/runs/{run_id}",
        tables=tables,
        failed_steps=tuple(failed_steps),
        undelivered=tuple(undelivered),
        overdue=overdue,
        unread=unread,
    )


def _tables(con: duckdb.DuckDBPyConnection, run_id: str) -> tuple[TableSummary, ...]:
    counts = con.execute(
        "SELECT table_name, count(*) FILTER (WHERE outcome = 'published'), count(*) FILTER (WHERE outcome = 'unchanged'), "
        "coalesce(sum(rows_quarantined) FILTER (WHERE outcome <> 'rejected'), 0) FROM lake.ops.batches WHERE run_id = ? GROUP BY table_name",
        [run_id],
    ).fetchall()
    by_name = {table: (published, unchanged, int(quarantined)) for table, published, unchanged, quarantined in counts}
    rejected = _rejections(con, "SELECT batch_id FROM lake.ops.batches WHERE outcome = 'rejected' AND run_id = ?", [run_id])
    standing = _rejections(con, _STANDING, [run_id])
    warnings: dict[str, list[Warned]] = {}
    for table, *facts in con.execute(
        "SELECT c.table_name, c.batch_key, c.check_name, c.sentence FROM lake.ops.checks AS c "
        "JOIN lake.ops.batches AS b USING (batch_id) WHERE b.run_id = ? AND b.outcome <> 'rejected' "
        "AND c.severity = 'warning' AND NOT c.is_passed ORDER BY ALL",
        [run_id],
    ).fetchall():
        warnings.setdefault(table, []).append(Warned(*facts))
    return tuple(
        TableSummary(
            table,
            *by_name.get(table, (0, 0, 0))[:2],
            rejected=tuple(rejected.get(table, ())),
            standing=tuple(standing.get(table, ())),
            quarantined=by_name.get(table, (0, 0, 0))[2],
            warnings=tuple(warnings.get(table, ())),
        )
        for table in sorted({*by_name, *standing})
    )


# Batches whose latest verdict is an earlier run's rejection. An unreadable payload has a batch of its own, which nobody judges
# again: it is settled as soon as a later batch is made from a payload of the same name.
_STANDING = """
SELECT batch_id FROM (
    SELECT * FROM lake.ops.batches
    QUALIFY row_number() OVER (PARTITION BY table_name, batch_key ORDER BY finished_at DESC, batch_id DESC) = 1
) AS last
WHERE outcome = 'rejected' AND run_id <> ? AND NOT EXISTS (
    SELECT 1 FROM lake.ops.lineage AS l JOIN lake.ops.batches AS b USING (batch_id)
    WHERE b.table_name = last.table_name AND b.finished_at > last.finished_at
    AND l.input_kind = 'payload' AND last.batch_key = 'payload ' || l.input_name
)
"""


def _rejections(con: duckdb.DuckDBPyConnection, chosen: str, parameters: list[Any]) -> dict[str, list[Rejection]]:
    """Rejected batches per table, without the observed values and example keys of the ledger's own reason."""
    rows = con.execute(
        f"WITH chosen AS ({chosen}), "
        "rules AS (SELECT batch_id, rule, count(*) AS n FROM (SELECT batch_id, unnest(rules) AS rule FROM lake.quarantine.rows "
        "WHERE batch_id IN (FROM chosen)) GROUP BY ALL) "
        "SELECT b.table_name, b.batch_key, b.rows_in, b.rows_quarantined, b.reason, "
        "(SELECT list(rule || ' ' || format('{:,}', n) || '×' ORDER BY n DESC, rule)[:5] FROM rules AS r "
        "WHERE r.batch_id = b.batch_id), "
        "(SELECT list(sentence ORDER BY check_name) FROM lake.ops.checks AS c "
        "WHERE c.batch_id = b.batch_id AND c.check_name <> 'contract' AND c.severity = 'error' AND NOT c.is_passed) "
        "FROM lake.ops.batches AS b WHERE b.batch_id IN (FROM chosen) ORDER BY ALL",
        parameters,
    ).fetchall()
    found: dict[str, list[Rejection]] = {}
    for table, key, rows_in, quarantined, reason, rules, sentences in rows:
        # Without rows nothing but the payload as a whole was judged: then the reason holds no values.
        parts = [f"not met: {sentence}" for sentence in sentences or ()] if rows_in else [reason]
        if quarantined:
            parts.append(f"{quarantined:,} of {rows_in:,} rows quarantined ({', '.join(rules or ())})")
        found.setdefault(table, []).append(Rejection(key, "; ".join(parts)))
    return found


def _overdue(con: duckdb.DuckDBPyConnection, now: datetime) -> tuple[str, ...]:
    published = dict(
        con.execute("SELECT table_name, max(finished_at) FROM lake.ops.batches WHERE outcome = 'published' GROUP BY 1").fetchall()
    )
    lines = []
    for name, contract in all_contracts().items():
        promised = facts_of(contract).freshness_days
        if name in published and (days := (now - published[name]).total_seconds() / 86_400) > promised:
            lines.append(f"{name}: nothing new for {days:.0f} days, its contract promises {promised}")
    return tuple(lines)


def _counted(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}" if number else ""


def _cut(lines: Sequence[str]) -> list[str]:
    kept = [f"{line[:_SHOWN_CHARACTERS]} …" if len(line) > _SHOWN_CHARACTERS else line for line in lines[:_SHOWN]]
    return kept + ([f"- … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else [])


@dataclass(frozen=True)
class SendReport:
    """Over which ways a message went out, and why it did not over the others (never with an address or a secret)."""

    sent: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.sent and not self.failed:
            return "not sent: no alert address is configured (GRONINGEN_ALERT_EMAIL_TO, GRONINGEN_ALERT_WEBHOOK_URL)"
        parts = [f"sent by {' and '.join(self.sent)}"] if self.sent else []
        return "; ".join(parts + [f"not sent by {way}: {why}" for way, why in self.failed.items()])


def has_address(settings: Settings) -> bool:
    """Whether anybody hears alerts."""
    return bool(settings.alert_email_to or settings.alert_webhook_url)


def send(settings: Settings, subject: str, text: str, payload: Mapping[str, Any]) -> SendReport:
    """Send a message over every configured way, each by itself; what cannot be sent is logged as an error, never raised.

    Args:
        settings: Who hears it and how.
        subject: One line.
        text: The message.
        payload: More facts for the receiver of the webhook.
    """
    ways: dict[str, Callable[[], None]] = {}
    if settings.alert_email_to:
        ways["e-mail"] = lambda: _mail(settings, subject, text)
    if settings.alert_webhook_url:
        ways["webhook"] = lambda: _post(settings, {**payload, "subject": subject, "text": text})
    sent, failed = [], {}
    for way, deliver in ways.items():
        try:
            deliver()
            sent.append(way)
        except Exception as error:
            failed[way] = _safe_words(error)
            _log.error("alert not sent by %s: %s", way, failed[way])
    return SendReport(tuple(sent), failed)


def _mail(settings: Settings, subject: str, text: str) -> None:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = settings.alert_email_from
    message["To"] = settings.alert_email_to
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain="groningen-data.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_MAIL_TIMEOUT_S) as server:
        if settings.smtp_user:
            server.starttls(context=ssl.create_default_context())
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value() if settings.smtp_password else "")
        server.send_message(message)


class _RefusedError(Exception):
    """The webhook answered, but not with success; says nothing of its address."""


class _ServerError(_RefusedError):
    """The webhook's server is in trouble: trying again may help."""


def _post(settings: Settings, body: Mapping[str, Any]) -> None:
    assert settings.alert_webhook_url is not None
    # Its log lines hold the whole address, which is the secret.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    for attempt in stamina.retry_context(
        on=(httpx.TransportError, _ServerError), attempts=_WEBHOOK_ATTEMPTS, wait_initial=0.5, wait_max=3.0
    ):
        with attempt:
            response = httpx.post(settings.alert_webhook_url.get_secret_value(), json=body, timeout=_WEBHOOK_TIMEOUT_S)
            if response.is_server_error:
                raise _ServerError(f"the server answered {response.status_code}")
            if not response.is_success:
                raise _RefusedError(f"the server answered {response.status_code}")


def _safe_words(error: Exception) -> str:
    """What is known to hold no address and no secret: other libraries' messages may."""
    if isinstance(error, _RefusedError):
        return str(error)
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code} ({type(error).__name__})"
    return type(error).__name__
