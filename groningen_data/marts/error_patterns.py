"""Where errors arise: closed cases counted by cause, step and channel, at several levels, per quarter and per year."""

import functools

import ibis
from ibis import _

from groningen_data.contracts.collective.error_patterns import ALL, LEVELS, SMALLEST, UNKNOWN
from groningen_data.gate.recipe import MartContext

_PARTS = ("cause_code", "process_step_code", "channel_code")


def expression(context: MartContext) -> ibis.Table:
    """One row per combination of ten cases or more, at each level, for each quarter and each year."""
    cases = context.table("core.welfare_closed_cases")
    cases = cases.mutate(**{part: cases[part].fill_null(UNKNOWN) for part in _PARTS})
    year, quarter = cases.closed_on.year().cast("string"), cases.closed_on.quarter().cast("string")
    of_quarter = cases.mutate(period_code=year + "KW0" + quarter, period_end_on=_last_day(cases.closed_on.truncate("Q"), 3))
    of_year = cases.mutate(period_code=year + "JJ00", period_end_on=_last_day(cases.closed_on.truncate("Y"), 12))
    levels = []
    for level, told in LEVELS.items():
        quarters, years = _counted(of_quarter, level, told), _counted(of_year, level, told)
        levels += [quarters, _that_tell_no_quarter(years, quarters)]
    return functools.reduce(lambda first, second: first.union(second), levels).filter(_.closed_cases >= SMALLEST)


def _that_tell_no_quarter(years: ibis.Table, quarters: ibis.Table) -> ibis.Table:
    """The years without those that would leave fewer than three possibilities for their quarters under ten.

    What remains of a year when its other quarters are taken from it is known within the rounding; where all small quarters have
    eight or nine cases, that is nearly the most there can be of them, and each is known to be eight or nine.
    """
    small = quarters.filter(_.closed_cases < SMALLEST)
    found = small.group_by(*_PARTS, year=_.period_code.left(4)).aggregate(
        small_quarters=_.count(), small_cases=_.closed_cases.sum()
    )
    telling = found.filter(_.small_quarters > 1, _.small_cases >= (SMALLEST - 1) * _.small_quarters - 1)
    return years.anti_join(telling, [years.period_code.left(4) == telling.year, *_PARTS])


def _last_day(first: ibis.expr.types.DateValue, months: int) -> ibis.expr.types.DateValue:
    return (first + ibis.interval(months=months) - ibis.interval(days=1)).cast("date")


def _counted(cases: ibis.Table, level: str, told: tuple[str, ...]) -> ibis.Table:
    """A sum of which one case is more than half is left out: who knows that case would know the others.

    Sums are of whole cents, so that half a euro is rounded the same in whatever order threads add up.
    """
    parts = {part: cases[part] if part in told else ibis.literal(ALL) for part in _PARTS}
    counted = cases.group_by("period_code", "period_end_on", **parts).aggregate(
        closed_cases=_.count(), total=_.amount_eur.sum().round(2), largest=_.amount_eur.max()
    )
    is_dominated = counted.largest * 2 > counted.total
    return counted.select(
        "period_code",
        "period_end_on",
        *_PARTS,
        level_code=ibis.literal(level),
        closed_cases=_.closed_cases,
        amount_eur=ibis.cases((is_dominated, ibis.null("int64")), else_=_.total.round().cast("int64")),
        amount_missing_reason=ibis.cases(
            (_.total.isnull(), ibis.literal("not_known")), (is_dominated, ibis.literal("dominated")), else_=ibis.null("string")
        ),
    )
