"""Group counts for the bias audit, as the separate audit environment releases them: a CSV file.

Columns `proces, periode, kenmerk, groep, referentiegroep, populatie, geselecteerd, onterecht, doorlooptijd_dagen, vrijgegeven_op`,
and no other. A count that is not released is blank. The file is looked at before it lands: one with another column, with a count
under ten, with one that follows when a count is taken from its total, with a duration of people whose number is withheld, or with
text of another form than agreed on, does not land at all, because a landed file stays.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import polars as pl

from groningen_data.contracts.welfare.audit_counts import HUMAN_SELECTION, PERIOD_CODE, RANDOM_SAMPLE, SMALLEST
from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.settings import Settings
from groningen_data.sources.base import FileSource, Head, Rewrite
from groningen_data.sources.delivered import YES_NO, column_names, delimited
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, in_slices, iso_day, marked, number, unreadable

COLUMNS = (
    "proces",
    "periode",
    "kenmerk",
    "groep",
    "referentiegroep",
    "populatie",
    "geselecteerd",
    "onterecht",
    "doorlooptijd_dagen",
    "vrijgegeven_op",
)
_COUNTS = ("populatie", "geselecteerd", "onterecht")
# What a quarantined row keeps: which it was, and none of its counts.
_KEPT = ("proces", "periode", "kenmerk", "groep")
# What a field may hold when it lands: no text whatever, and no count that could be read otherwise than it is judged here.
_CODE, _WHOLE = r"^[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$", r"^[0-9]+$"
_FORMS = {
    **dict.fromkeys(("proces", "periode", "kenmerk", "groep"), _CODE),
    "referentiegroep": r"^[A-Za-z0-9]{1,5}$",
    **dict.fromkeys(_COUNTS, _WHOLE),
    "doorlooptijd_dagen": r"^[0-9]+([.,][0-9]+)?$",
    "vrijgegeven_op": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
}
_LONG_NUMBER = r"[0-9]{8}"
_PROCESSES = {"aselecte_steekproef": RANDOM_SAMPLE, "menselijke_selectie": HUMAN_SELECTION}


def parse_audit_counts(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.welfare_audit_counts` of one period, from the last file that has it."""
    payload, notes = payloads[-1], context.notes
    frame = delimited(payload, COLUMNS).filter(pl.col("periode").str.to_uppercase() == batch_key)
    notes |= {"file": payload.name, "rows_read": frame.height, "earlier_deliveries": len(payloads) - 1}
    duration = pl.col("doorlooptijd_dagen").str.replace(",", ".", literal=True)
    rules = {
        "is_reference.type": ~pl.col("referentiegroep").str.to_lowercase().is_in(list(YES_NO)),
        "population.type": unreadable("populatie", pl.Int64),
        "selected.type": unreadable("geselecteerd", pl.Int64),
        "wrongly_selected.type": unreadable("onterecht", pl.Int64),
        "mean_duration_days.type": duration.is_not_null() & duration.cast(pl.Float64, strict=False).is_null(),
        "released_on.type": pl.col("vrijgegeven_op").is_not_null() & iso_day("vrijgegeven_op").is_null(),
    }
    process = pl.col("proces").str.to_lowercase().replace(_PROCESSES)
    is_missing = pl.col("geselecteerd").is_null() | pl.col("onterecht").is_null()
    yield from in_slices(
        marked(frame, rules, _KEPT).select(
            process.alias("process_code"),
            pl.when(process.is_in([RANDOM_SAMPLE, HUMAN_SELECTION]))
            .then(process)
            .otherwise(pl.lit("rule"))
            .alias("process_kind"),
            pl.lit(batch_key).alias("period_code"),
            pl.lit(_end_of(batch_key)).alias("period_end_on"),
            pl.col("kenmerk").str.to_lowercase().alias("characteristic_code"),
            pl.col("groep").str.to_lowercase().alias("group_code"),
            pl.col("referentiegroep")
            .str.to_lowercase()
            .replace_strict(YES_NO, default=None, return_dtype=pl.Boolean)
            .alias("is_reference"),
            number("populatie").cast(pl.Int64, strict=False).alias("population"),
            number("geselecteerd").cast(pl.Int64, strict=False).alias("selected"),
            number("onterecht").cast(pl.Int64, strict=False).alias("wrongly_selected"),
            pl.when(is_missing).then(pl.lit("withheld")).alias("missing_reason"),
            duration.cast(pl.Float64, strict=False).alias("mean_duration_days"),
            iso_day("vrijgegeven_op").alias("released_on"),
            PROBLEMS,
            ORIGINAL,
        )
    )


def _end_of(period: str) -> date:
    """Last day of a year (`2025JJ00`), half-year (`2025HJ01`) or quarter (`2025KW03`)."""
    year, kind, number = int(period[:4]), period[4:6], int(period[6:])
    month = {"JJ": 12, "HJ": 6 * number, "KW": 3 * number}[kind]
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _safe(delivered: Payload) -> Iterator[bytes]:
    """The file as it was delivered, when it holds nothing but the counts that may be released.

    Raises:
        PayloadError: It holds anything else; the message never names a number of people.
    """
    frame = delimited(delivered, COLUMNS)
    other = sorted(set(frame.columns) - set(COLUMNS))
    if other:
        raise PayloadError(
            delivered.name,
            f"has {len(other)} columns beside the ten agreed on, and no other may leave the audit environment",
            "remove the file, and have the agreed columns released only",
        )
    numbered = frame.with_row_index("_row", 2)
    is_odd = pl.any_horizontal(
        ~pl.col(column).str.contains(form) | pl.col(column).str.contains(_LONG_NUMBER) for column, form in _FORMS.items()
    )
    if odd := numbered.filter(is_odd.fill_null(False))["_row"].to_list():
        problem = f"has fields of another form than agreed on in {_lines(odd)}"
        raise PayloadError(
            delivered.name, problem, "remove the file, and have it released anew with codes and whole numbers only"
        )
    population, selected, wrongly = (number(c) for c in _COUNTS)
    cells = (population, selected, wrongly, population - selected, selected - wrongly)
    is_small = pl.any_horizontal(cell < SMALLEST for cell in cells).fill_null(False)
    # A mean over those whose number is withheld is about fewer than ten of them.
    is_mean_of_few = pl.col("doorlooptijd_dagen").is_not_null() & selected.is_null()
    if small := numbered.filter(is_small | is_mean_of_few)["_row"].to_list():
        raise PayloadError(
            delivered.name,
            f"tells of fewer than {SMALLEST} people in {_lines(small)}",
            "remove the file, and have it released anew with those counts, and their duration, left blank",
        )
    yield delivered.read()


def _lines(rows: Sequence[int]) -> str:
    return f"{len(rows)} rows (line {', '.join(map(str, rows[:5]))}{', …' if len(rows) > 5 else ''})"


def _rewriting(settings: Settings) -> Rewrite:
    return _safe


def _batches(payload: Payload) -> tuple[str, ...]:
    periods = delimited(payload, COLUMNS)["periode"].str.to_uppercase().unique().sort()
    odd = [str(p) for p in periods if p is None or not re.match(PERIOD_CODE, p)]
    if odd:
        raise PayloadError(
            payload.name, f"has {len(odd)} periods that are no year, half-year or quarter", "ask for 2025HJ01 and the like"
        )
    return tuple(periods)


def _recognises(head: Head) -> bool:
    return set(COLUMNS) <= set(column_names(head.text))


SOURCE = FileSource(
    name="audit_counts",
    title="Group counts for the bias audit (released by the audit environment)",
    patterns=("auditcijfers*.csv", "auditcijfers*.csv.gz", "*bias_audit*.csv", "*bias_audit*.csv.gz"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
    rewriting=_rewriting,
)
