"""The benefit administration: extracts of benefit cases, closed cases, early signals, statutory signals and outcomes of checks (CSV).

What lands is never what was delivered: each extract is rewritten on its way, with pseudonyms for persons, cases and signals,
with codes of closed lists, and without any other column (`privacy/extracts.py`). Here is said which fields pass, and in what form.
How extracts are opened, compared with their manifest and removed stands in `benefit_drop.py`.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl

from groningen_data.contracts.welfare.signal_outcomes import RANDOM_SAMPLE
from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload, last_at_each_place
from groningen_data.privacy import extracts
from groningen_data.privacy.extracts import COLUMNS, REASON, ROW, Field, minimised
from groningen_data.privacy.pseudonyms import Pseudonymiser
from groningen_data.settings import Settings
from groningen_data.sources.base import FileSource, Head, Rewrite
from groningen_data.sources.benefit_drop import KEY, SOURCES, Drop, Opener, pseudonymiser_of
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, in_slices, marked, reference_table

# Some have received a benefit since before 1995; an end in 9999 means none.
_YEARS = (1950, 2100)
_NO_END = ["9999-12-31", "99991231", "31-12-9999"]
_LEFT_OUT = (extracts.SERVICE_NUMBER, extracts.STRAY_NUMBER, extracts.FIELDS)


def _codes(name: str) -> extracts.Form:
    rows = reference_table("welfare_codes").filter(pl.col("list") == name)
    return extracts.listed(dict(zip(rows["delivered"], rows["code"], strict=True)))


_CASES = (
    Field("zaaknummer", "case_pseudonym", pseudonym_of="benefit case"),
    Field("bsn", "person_pseudonym", pseudonym_of="benefit person", is_service_number=True),
    Field("regeling", "benefit_code", _codes("benefit")),
    Field("ingangsdatum", "started_on", extracts.day),
    Field("einddatum", "ended_on", extracts.day),
    Field("buurtcode", "neighbourhood_code", extracts.neighbourhood),
    Field("reden_instroom", "inflow_reason_code", _codes("inflow_reason")),
    Field("reden_uitstroom", "outflow_reason_code", _codes("outflow_reason")),
)
_CLOSED = (
    Field("zaaknummer", "case_pseudonym", pseudonym_of="closed case"),
    Field("bsn", is_service_number=True, is_optional=True),
    Field("afgesloten_op", "closed_on", extracts.day),
    Field("oorzaak", "cause_code", _codes("cause")),
    Field("processtap", "process_step_code", _codes("process_step")),
    Field("kanaal", "channel_code", _codes("channel")),
    Field("bedrag_eur", "amount_eur", extracts.amount),
    Field("onherroepelijk", "is_irrevocable", extracts.yes_no),
)
_SIGNALS = (
    Field("signaalnummer", "signal_pseudonym", pseudonym_of="early signal"),
    Field("bsn", "person_pseudonym", pseudonym_of="contract holder", is_service_number=True),
    Field("signaaldatum", "signalled_on", extracts.day),
    Field("partner", "partner_code", _codes("partner")),
    Field("buurtcode", "neighbourhood_code", extracts.neighbourhood),
    Field("status", "status_code", _codes("signal_status")),
    Field("datum_opgepakt", "picked_up_on", extracts.day),
    Field("contact_bereikt", "is_reached", extracts.yes_no),
    Field("resultaat", "result_code", _codes("signal_result")),
)
_STATUTORY = (
    Field("signaalnummer", "signal_pseudonym", pseudonym_of="statutory signal"),
    Field("bsn", "person_pseudonym", pseudonym_of="benefit person", is_service_number=True),
    Field("zaaknummer", "case_pseudonym", pseudonym_of="benefit case"),
    Field("signaalsoort", "signal_type_code", _codes("statutory_signal")),
    Field("register", "source_code", _codes("statutory_source")),
    Field("feitdatum", "fact_on", extracts.day),
    Field("ontvangen_op", "received_on", extracts.day),
    Field("al_bekend", "is_already_known", extracts.yes_no),
    Field("status", "status_code", _codes("statutory_status")),
)
_OUTCOMES = (
    Field("onderzoeksnummer", "check_pseudonym", pseudonym_of="welfare check"),
    Field("zaaknummer", "case_pseudonym", pseudonym_of="benefit case"),
    Field("signaalnummer", "signal_pseudonym", pseudonym_of="statutory signal"),
    Field("bsn", is_service_number=True, is_optional=True),
    Field("regel", "rule_id", extracts.rule_name),
    Field("regelversie", "rule_version", extracts.small_number),
    Field("uitkomstdatum", "checked_on", extracts.day),
    Field("uitkomst", "outcome_code", _codes("check_outcome")),
    Field("nadelig_besluit", "is_adverse", extracts.yes_no),
    Field("gemotiveerd", "is_motivated", extracts.yes_no),
    Field("gehoord", "is_heard", extracts.yes_no),
    Field("vier_ogen", "is_four_eyes", extracts.yes_no),
)


def parse_cases(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.welfare_benefit_cases`, from the delivery of the latest day."""
    frame = _latest(payloads, context)
    started, ended = _day("started_on"), _day("ended_on")
    rules = {
        "started_on.type": pl.col("started_on").is_not_null() & started.is_null(),
        "ended_on.type": pl.col("ended_on").is_not_null() & ended.is_null() & ~pl.col("ended_on").is_in(_NO_END),
        "ended_on.before_started_on": ended < started,
    }
    yield from in_slices(_rows(frame, rules, {"started_on": started, "ended_on": ended}))


def parse_closed(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.welfare_closed_cases`, from all extracts together: of each case as it was delivered last.

    Cases that are not irrevocable are counted and left out.
    """
    latest = [p for p in payloads if p.sha256 in {last.sha256 for last in last_at_each_place(payloads).values()}]
    earlier = [p for p in latest if not _is_of_key(p, payloads[-1])]
    if earlier:
        raise PayloadError(
            earlier[0].name,
            f"and {len(earlier) - 1} more extracts have pseudonyms of an earlier key, so that cases would count twice",
            "have all extracts delivered anew; see The pseudonym key in docs/runbook.md",
        )
    read = [_read(p, context).with_columns(_delivery=n) for n, p in enumerate(latest)]
    frame = pl.concat(read)
    last = pl.col("_delivery") == pl.col("_delivery").max().over("case_pseudonym")
    counted = frame.filter(last | pl.col("case_pseudonym").is_null())
    open_still = (pl.col("is_irrevocable") == "false").fill_null(False)
    kept = counted.filter(~open_still)
    context.notes |= {
        "files": len(latest),
        "rows_read": frame.height,
        "rows_delivered_anew": frame.height - counted.height,
        "rows_not_irrevocable": counted.height - kept.height,
    }
    closed, amount = _day("closed_on"), _amount("amount_eur")
    rules = {
        "closed_on.type": pl.col("closed_on").is_not_null() & closed.is_null(),
        "amount_eur.type": pl.col("amount_eur").is_not_null() & amount.is_null(),
    }
    yield from in_slices(_rows(kept.drop("_delivery"), rules, {"closed_on": closed, "amount_eur": amount}))


def parse_signals(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.welfare_early_signals`, from the delivery of the latest day."""
    yield from _with_two_days(_latest(payloads, context), "signalled_on", "picked_up_on")


def parse_statutory(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.welfare_statutory_signals`, from the delivery of the latest day."""
    yield from _with_two_days(_latest(payloads, context), "fact_on", "received_on")


def _with_two_days(frame: pl.DataFrame, earlier: str, later: str) -> Iterator[pl.DataFrame]:
    """Rows with two days, of which the later one may not come before the other."""
    first, second = _day(earlier), _day(later)
    rules = {
        f"{earlier}.type": pl.col(earlier).is_not_null() & first.is_null(),
        f"{later}.type": pl.col(later).is_not_null() & second.is_null(),
        f"{later}.before_{earlier}": second < first,
    }
    yield from in_slices(_rows(frame, rules, {earlier: first, later: second}))


def parse_outcomes(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.welfare_signal_outcomes`, from the delivery of the latest day."""
    frame = _latest(payloads, context)
    checked, version = _day("checked_on"), pl.col("rule_version").cast(pl.Int64, strict=False)
    is_sample = pl.col("rule_id") == RANDOM_SAMPLE
    rules = {
        "rule_id.type": pl.col("rule_id") == extracts.UNREADABLE,
        "rule_version.type": pl.col("rule_version").is_not_null() & version.is_null(),
        "rule_version.of_sample": (is_sample != (version == 0)) | (is_sample & pl.col("signal_pseudonym").is_not_null()),
        "checked_on.type": pl.col("checked_on").is_not_null() & checked.is_null(),
    }
    yield from in_slices(_rows(frame, rules, {"checked_on": checked, "rule_version": version}))


def _rows(frame: pl.DataFrame, rules: dict[str, pl.Expr], read: dict[str, pl.Expr]) -> pl.DataFrame:
    """Rows of the contract's columns; of a row left out before landing only its number is there to be kept."""
    left_out = {f"row.{reason}": pl.col(REASON) == reason for reason in _LEFT_OUT}
    original = [c for c in frame.columns if c != REASON]
    columns = [c for c in original if c != ROW]
    return marked(frame, {**left_out, **rules}, original).with_columns(**read).select(*columns, PROBLEMS, ORIGINAL)


def _latest(payloads: Sequence[Payload], context: BuildContext) -> pl.DataFrame:
    """The rows of the delivery whose name says the latest day; without a day in its name, that of its arrival counts."""
    of_this_key = [p for p in payloads if _is_of_key(p, payloads[-1])]
    payload = max(enumerate(of_this_key), key=lambda pair: (_day_of_delivery(pair[1]), pair[0]))[1]
    frame = _read(payload, context)
    context.notes |= {
        "file": Path(payload.arrival_for().place).name,
        "rows_read": frame.height,
        "earlier_deliveries": len(payloads) - 1,
    }
    return frame


def _is_of_key(payload: Payload, last: Payload) -> bool:
    """Whether the pseudonyms of a payload were made with the key of the last one: others cannot be joined."""
    return payload.headers.get(KEY, last.headers.get(KEY)) == last.headers.get(KEY, payload.headers.get(KEY))


def _day_of_delivery(payload: Payload) -> date:
    arrival = payload.arrival_for()
    return _day_in(Path(arrival.place).name) or arrival.at.date()


def _day_in(name: str) -> date | None:
    for text in re.findall(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)", name):
        try:
            return date.fromisoformat(text)
        except ValueError:
            continue
    return None


def _read(payload: Payload, context: BuildContext) -> pl.DataFrame:
    """What landed of an extract; how much of it was left out before goes to the notes."""
    frame = pl.read_csv(BytesIO(payload.read()), separator=";", infer_schema=False)
    is_about_columns = pl.col(REASON) == COLUMNS
    for count in frame.filter(is_about_columns)[ROW]:
        context.notes["columns_left_out_before_landing"] = int(count)
    frame = frame.filter(is_about_columns.not_().fill_null(True))
    for reason, count in frame[REASON].drop_nulls().value_counts().iter_rows():
        note = f"rows_left_out_before_landing_{reason}"
        context.notes[note] = context.notes.get(note, 0) + count
    return frame


def _day(column: str) -> pl.Expr:
    """Text `YYYY-MM-DD`, `YYYYMMDD` or `DD-MM-YYYY` as date; null where it is none, or not of this age."""
    text = pl.col(column)
    read = pl.coalesce(*(text.str.to_date(form, strict=False) for form in ("%Y-%m-%d", "%Y%m%d", "%d-%m-%Y")))
    return pl.when(read.dt.year().is_between(*_YEARS)).then(read)


def _amount(column: str) -> pl.Expr:
    """Text `1250.5`, `1250,50`, `1.250,50` or `1.250` as number of euros; null where it is none."""
    text = pl.col(column)
    in_thousands = text.str.contains(r",|^-?[0-9]{1,3}(\.[0-9]{3})+$")
    with_point = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return pl.when(in_thousands).then(with_point).otherwise(text).cast(pl.Float64, strict=False)


def _source(name: str, title: str, fields: Sequence[Field]) -> FileSource:
    required = {f.delivered for f in fields if not f.is_optional}
    header = [*(f.landed for f in fields if f.landed), ROW, REASON]

    def recognises(head: Head) -> bool:
        line = head.text.split("\n", 1)[0].strip()
        if not all(name in line.lower() for name in required):
            return False
        return any(required <= {c.strip().strip('"').lower() for c in line.split(separator)} for separator in ";,\t|")

    def batches(payload: Payload) -> tuple[str, ...]:
        with payload.open() as stream:
            rows = csv.reader([stream.read(10_000).decode("utf-8", errors="replace").split("\n", 1)[0]], delimiter=";")
        if next(rows, []) != header:
            raise PayloadError(
                payload.name, "landed in another form than it should", "remove it from the landing, and fetch it again"
            )
        day = _day_in(payload.name)
        return (day.isoformat() if day else payload.name,)

    def rewriting(settings: Settings) -> Rewrite:
        pseudonymiser, opener = pseudonymiser_of(settings), Opener(settings)
        return lambda delivered: _minimised(delivered, opener, fields, pseudonymiser)

    return FileSource(
        name=name,
        title=title,
        patterns=tuple(f"{SOURCES[name]}.csv{ending}" for ending in ("", ".gz", ".age", ".gz.age")),
        recognises=recognises,
        batches=batches,
        extent="GM0014",
        rewriting=rewriting,
        reception=lambda settings, landing: Drop(settings, landing, name),
    )


def _minimised(delivered: Payload, opener: Opener, fields: Sequence[Field], pseudonymiser: Pseudonymiser) -> Iterator[bytes]:
    with opener.opened(delivered) as (stream, rows):
        yield from minimised(stream, delivered.name, fields, pseudonymiser, promised_rows=rows)


CASES = _source("benefit_cases", "Benefit administration: benefit cases", _CASES)
CLOSED = _source("closed_cases", "Benefit administration: closed cases", _CLOSED)
SIGNALS = _source("early_signals", "Benefit administration: early signals", _SIGNALS)
STATUTORY = _source(
    "statutory_signals", "Inlichtingenbureau: statutory signals, by way of the benefit administration", _STATUTORY
)
OUTCOMES = _source("signal_outcomes", "Benefit administration: outcomes of checks", _OUTCOMES)
