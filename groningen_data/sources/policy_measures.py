"""Policy measures on the roads in the municipality's own form: CSV, a row each.

Columns `nummer, titel, titel_en, maat, meetlocaties, controlelocaties, begin, eind, verwacht_effect_pct, besluit`. `maat` is
`verkeer` (vehicles per day) or `snelheid` (mean speed by day); sites are separated by `|`; `begin` and `eind` are the first and the
last day. No sites to compare with, no end and no expectation are fine.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import DELIVERY, column_names, completed, delimited, last_delivered
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, in_slices, iso_day, marked, number, unreadable

_REQUIRED = ("nummer", "titel", "maat", "meetlocaties", "controlelocaties", "begin", "eind", "verwacht_effect_pct", "besluit")
_FIELDS = (*_REQUIRED, "titel_en")
_OUTCOMES = {"verkeer": "flow", "snelheid": "speed"}


def parse_policy_measures(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_measures` from all landed lists; of the same number the last delivery counts."""
    rows = pl.concat(_read(p).with_columns(pl.lit(i).alias(DELIVERY)) for i, p in enumerate(payloads))
    merged = last_delivered(rows, ["nummer"], payloads)
    context.notes |= {
        "files": ", ".join(dict.fromkeys(p.name for p in payloads[-20:])),
        "payloads": len(payloads),
        "rows_read": rows.height,
        "rows_delivered_anew": rows.height - merged.height,
    }
    outcome = pl.col("maat").str.to_lowercase()
    frame = merged.with_columns(
        _listed("meetlocaties").alias("_sites"),
        _listed("controlelocaties").alias("_controls"),
        starts_on=iso_day("begin"),
        ends_on=iso_day("eind"),
    )
    rules = {
        "outcome_code.unknown": ~outcome.is_in(list(_OUTCOMES)),
        "site_ids.controls_itself": pl.col("_sites").list.set_intersection("_controls").list.len() > 0,
        "starts_on.type": pl.col("begin").is_not_null() & pl.col("starts_on").is_null(),
        "ends_on.type": pl.col("eind").is_not_null() & pl.col("ends_on").is_null(),
        "ends_on.before_start": pl.col("ends_on") < pl.col("starts_on"),
        "expected_effect_pct.type": unreadable("verwacht_effect_pct"),
    }
    yield from in_slices(
        marked(frame, rules, _FIELDS).select(
            pl.col("nummer").alias("measure_id"),
            pl.col("titel").alias("title_nl"),
            pl.col("titel_en").alias("title_en"),
            outcome.replace_strict(_OUTCOMES, default=None, return_dtype=pl.String).alias("outcome_code"),
            _joined("_sites").alias("site_ids"),
            _joined("_controls").alias("control_site_ids"),
            "starts_on",
            "ends_on",
            number("verwacht_effect_pct").alias("expected_effect_pct"),
            pl.col("besluit").alias("decision"),
            PROBLEMS,
            ORIGINAL,
        )
    )


def _listed(column: str) -> pl.Expr:
    """The ids in a text, each once and in order; an empty list where there is none."""
    ids = pl.element().str.strip_chars()
    found = pl.col(column).fill_null("").str.split("|").list.eval(ids.filter(ids != ""))
    return found.list.unique().list.sort()


def _joined(column: str) -> pl.Expr:
    text = pl.col(column).list.join(",")
    return pl.when(text != "").then(text)


def _batches(payload: Payload) -> tuple[str, ...]:
    _read(payload)
    return ("snapshot",)


def _read(payload: Payload) -> pl.DataFrame:
    return completed(delimited(payload, _REQUIRED, _FIELDS), _FIELDS).select(_FIELDS)


def _recognises(head: Head) -> bool:
    return set(_REQUIRED) <= set(column_names(head.text))


SOURCE = FileSource(
    name="policy_measures",
    title="Policy measures on the roads (the municipality's own form)",
    patterns=("policy_measures*.csv", "policy_measures*.csv.gz", "*verkeersmaatregelen*.csv"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
)
