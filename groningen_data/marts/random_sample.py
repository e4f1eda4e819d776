"""The random sample: commitments beforehand, the frozen lists with who was drawn, and the log of draws."""

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl
from ibis import _

from groningen_data.contracts.base import ContractModel, polars_schema
from groningen_data.contracts.collective.random_sample_commitments import RandomSampleCommitments
from groningen_data.contracts.collective.random_sample_draws import RandomSampleDraws
from groningen_data.gate.recipe import AnalysisContext
from groningen_data.privacy.sample_key import sample_key
from groningen_data.settings import Settings
from groningen_data.signals.draws import commitment_of, drawn, hash_of_list, number_of, seed_of

PERIODIC = ("social_assistance", "ioaw", "ioaz", "bbz")
"""Schemes that pay every month; what is paid once is over before a check begins."""
_KEPT_MONTHS = 24


def this_month(settings: Settings) -> date:
    return settings.today().replace(day=1)


def next_month(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def commitments(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """What was committed to before, and the present and the next month where they are not there yet."""
    earlier, settings = context.earlier(), context.settings
    month, known = this_month(settings), set(earlier["month_on"])
    added = [
        {"month_on": m, "commitment_sha256": commitment_of(_seed(settings, m)), "committed_on": settings.today()}
        for m in (month, next_month(month))
        if m not in known
    ]
    yield pl.concat([earlier, _frame(RandomSampleCommitments, added)])


def cases(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """The lists of earlier months as they were written, and that of this month once it can be drawn.

    It can be drawn when its commitment was published on an earlier day, and only with the seed that was committed to.
    """
    settings, month = context.settings, this_month(context.settings)
    earlier = context.earlier().filter(pl.col("month_on").dt.offset_by(f"{_KEPT_MONTHS}mo") > month)
    committed = context.frame(context.table("collective.random_sample_commitments")).filter(
        pl.col("month_on") == month, pl.col("committed_on") < settings.today()
    )
    is_due = committed.height == 1 and not (earlier["month_on"] == month).any()
    if not is_due:
        yield earlier
        return
    seed = _seed(settings, month)
    if commitment_of(seed) != committed["commitment_sha256"][0]:
        context.notes["not_drawn_because"] = "the key is another one than that of the commitment"
        yield earlier
        return
    today = settings.today()
    running = context.table("core.welfare_benefit_cases").filter(
        _.benefit_code.isin(PERIODIC), _.started_on <= today, _.ended_on.isnull() | (_.ended_on > today)
    )
    eligible = context.frame(running.select("case_pseudonym"))["case_pseudonym"].sort()
    chosen = drawn(seed, eligible.to_list(), number_of(settings.checks_a_month, settings.sample_share_pct))
    context.notes.update(drawn_month=month.isoformat(), planned_checks=settings.checks_a_month)
    added = pl.DataFrame({"case_pseudonym": eligible}).with_columns(
        pl.lit(month).alias("month_on"),
        pl.col("case_pseudonym").is_in(chosen).alias("is_drawn"),
        pl.lit(today).alias("drawn_on"),
        pl.lit(settings.checks_a_month, pl.Int64).alias("planned_checks"),
    )
    yield pl.concat([earlier, added.select(earlier.columns)])


def draws(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """One row per month that was committed to; what is no longer on a list keeps what was said of it."""
    settings, month = context.settings, this_month(context.settings)
    committed = context.frame(context.table("collective.random_sample_commitments")).sort("month_on")
    said = {row["month_on"]: row for row in context.earlier().iter_rows(named=True)}
    lists = {
        list_month: rows for (list_month,), rows in context.frame(context.table("core.welfare_sample_cases")).group_by("month_on")
    }
    rows = [
        _drawn_row(settings, row, lists.get(row["month_on"]), said.get(row["month_on"], {}), month)
        for row in committed.iter_rows(named=True)
    ]
    yield _frame(RandomSampleDraws, rows)


def _drawn_row(
    settings: Settings, committed: dict[str, object], listed: pl.DataFrame | None, said: dict[str, object], this: date
) -> dict[str, object]:
    month = committed["month_on"]
    assert isinstance(month, date)
    kept = {
        name: said.get(name) for name in ("drawn_on", "eligible_cases", "drawn_cases", "planned_checks", "list_sha256", "seed")
    }
    if listed is not None:
        kept |= {
            "drawn_on": listed["drawn_on"][0],
            "eligible_cases": listed.height,
            "drawn_cases": int(listed["is_drawn"].sum()),
            "planned_checks": listed["planned_checks"][0],
            "list_sha256": hash_of_list(listed["case_pseudonym"].to_list()),
        }
    seed = kept["seed"] or _seed(settings, month)
    is_lost, is_over = commitment_of(str(seed)) != committed["commitment_sha256"], month < this
    if is_lost and (is_over or kept["drawn_on"] is None):
        status = "seed_lost"
    elif kept["drawn_on"] is None:
        status = "not_drawn" if is_over else "committed"
    else:
        status = "revealed" if is_over else "drawn"
    return {**committed, **kept, "status_code": status, "seed": seed if is_over and not is_lost else None}


def _seed(settings: Settings, month: date) -> str:
    return seed_of(sample_key(settings), settings.municipality_code, month)


def _frame(contract: ContractModel, rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(polars_schema(contract)))
