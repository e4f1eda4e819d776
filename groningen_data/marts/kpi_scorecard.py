"""How the budget's indicators stand: values of each period from what is served, status, trend and forecast.

Trend: Sen, *Estimates of the regression coefficient based on Kendall's tau*, J. American Statistical Association 63 (1968)
1379–1389. Forecast: simple exponential smoothing or a random walk with drift (Hyndman and Athanasopoulos, *Forecasting: principles
and practice*, 3rd ed., § 8.1 and § 5.2), whichever erred least before, with an interval from those errors (§ 5.10).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from math import isfinite, sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import ContractModel, polars_schema
from groningen_data.contracts.collective.kpi_scorecard import KpiScorecard
from groningen_data.gate.recipe import AnalysisContext
from groningen_data.marts.kpi_indicators import DECIMALS, Indicator

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# From a contract and the SQL of its exact rows to the SQL of what is served of them.
Protect = Callable[[ContractModel, str], str]

COMPLETE = 0.7
"""A period with this share of its days (five of a week) is complete: trend and forecast rest on such periods only."""
ENOUGH = 0.5
"""A period with a smaller share of its days has no status."""
TREND_PERIODS_NEEDED = 6
FORECAST_PERIODS_NEEDED = 8
MOST_PERIODS = 26
LEVEL = 0.95
ERRORS_NEEDED = 4
_FIRST_ORIGIN = 4
_DAY = "local_date"
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Period:
    """What an indicator was in one period."""

    start: date
    value: float | None
    completeness: float


def compute(context: AnalysisContext, indicators: Sequence[Indicator], protect: Protect) -> Iterator[pl.DataFrame]:
    """One row per indicator and period of which its table has rows; one row without value where it has none.

    Args:
        context: The published tables.
        indicators: In the order of id and version.
        protect: Turns exact rows into what is served.
    """
    rows: list[dict[str, Any]] = []
    for _, versions in groupby(indicators, key=lambda indicator: indicator.id):
        rows += _rows(context, list(versions), protect)
    context.notes["without_rows"] = ", ".join(row["indicator_id"] for row in rows if row["status_reason"] == "no_rows")
    yield pl.DataFrame(rows, schema=polars_schema(KpiScorecard))


def definition(indicators: Sequence[Indicator], protect: Protect) -> str:
    """Changes when an indicator, or the protection of what it asks, does."""
    return repr([(indicator, protect(all_contracts()[indicator.table], "exact")) for indicator in indicators])


def _rows(context: AnalysisContext, versions: list[Indicator], protect: Protect) -> list[dict[str, Any]]:
    last = versions[-1]
    found: list[tuple[Indicator, Period]] = []
    began = date.max
    for n, indicator in enumerate(versions):
        until = versions[n + 1].valid_from if n + 1 < len(versions) else date.max
        measured = _asked(context, indicator, indicator.period, protect)
        began = min([began, *(period.start for period in measured[:1])])
        found += [(indicator, period) for period in measured if indicator.valid_from <= period.start < until]
    if not found:
        nothing = Period(_floor(last.valid_from, last.period), None, 0.0)
        reasons = {"trend_missing_reason": "too_few_periods", "forecast_missing_reason": "too_short_history"}
        return [_row(last, nothing, True) | reasons | {"status_reason": "no_rows"}]
    known = [period for _, period in found if period.value is not None]
    complete = [period for period in known if period.completeness >= COMPLETE]
    latest = (complete or known or [found[-1][1]])[-1]
    rows = []
    for indicator, period in found:
        row = _row(indicator, period, period is latest)
        if period is latest:
            is_shorter = indicator.trend_period not in (None, indicator.period)
            row |= trend(indicator, _shorter(context, indicator, protect, began, latest.start) if is_shorter else complete)
            row |= forecast(versions, complete)
        rows.append(row)
    return rows


def _shorter(context: AnalysisContext, indicator: Indicator, protect: Protect, began: date, latest: date) -> list[Period]:
    """The complete periods of the trend, in order; of figures that began long before the latest only those that it looks at.

    Args:
        context: The published tables.
        indicator: Which.
        protect: Turns exact rows into what is served.
        began: First day of its first period.
        latest: First day of its latest.
    """
    since = date(latest.year - 1, latest.month, 1)
    if began < since:
        asked = _asked(context, indicator, str(indicator.trend_period), protect, since)
        # One that had begun before was measured in part.
        complete = [period for period in asked if period.completeness >= COMPLETE and period.start >= since]
        if sum(period.value is not None for period in complete) >= MOST_PERIODS:
            return complete
    asked = _asked(context, indicator, str(indicator.trend_period), protect)
    return [period for period in asked if period.completeness >= COMPLETE]


def _asked(context: AnalysisContext, indicator: Indicator, period: str, protect: Protect, since: date = date.min) -> list[Period]:
    """The indicator's figures of all periods of a length, in order, from its table as it is served.

    With `since` it need not look at days before, where its question is about the days of the table.
    """
    import ibis

    table = context.table(indicator.table)
    if since > date.min and _DAY in table.columns and _DAY in indicator.sql:
        table = table.filter(table[_DAY] >= since)
    served = protect(all_contracts()[indicator.table], f"({ibis.to_sql(table, dialect='duckdb')})")
    sql = f'WITH "{indicator.served_name}" AS ({served}) {indicator.periods_sql(period)}'
    rows = context.frame(table.get_backend().sql(sql, dialect="duckdb")).sort("period_start_on")
    return [
        Period(start, value if value is not None and isfinite(value) else None, min(days / _days(start, period), 1.0))
        for start, value, days in rows.iter_rows()
    ]


def _row(indicator: Indicator, period: Period, is_latest: bool) -> dict[str, Any]:
    has_target = indicator.target is not None
    status, reason = status_of(indicator, period.value, period.completeness)
    return {
        "indicator_id": indicator.id,
        "version": indicator.version,
        "valid_from": indicator.valid_from,
        "title_nl": indicator.title_nl,
        "title_en": indicator.title_en,
        "programme_nl": indicator.programme_nl,
        "programme_en": indicator.programme_en,
        "task_field": indicator.task_field,
        "goal_nl": indicator.goal_nl,
        "goal_en": indicator.goal_en,
        "owner": indicator.owner,
        "unit_nl": indicator.unit_nl,
        "unit_en": indicator.unit_en,
        "direction_code": indicator.direction,
        "period_code": indicator.period,
        "period_start_on": period.start,
        "period_end_on": after(period.start, indicator.period) - timedelta(days=1),
        "is_latest": is_latest,
        "value": period.value,
        "target": indicator.target,
        "missed_pct": _missed_pct(indicator, period.value),
        "margin_pct": indicator.margin if has_target else None,
        "target_source": indicator.target_source,
        "status_code": status,
        "status_reason": reason,
        "completeness": period.completeness,
        "trend_period_code": indicator.trend_period or indicator.period,
        "trend_periods": 0,
        "trend_missing_reason": None if is_latest else "earlier_period",
        "forecast_missing_reason": None if is_latest else "earlier_period",
        "source_table": indicator.served_name,
        "query_sql": indicator.query_sql(period.start),
    }


def status_of(indicator: Indicator, value: float | None, completeness: float = 1.0) -> tuple[str, str | None]:
    """How a value stands against the target, and why it cannot be said.

    Returns:
        `on_track` where the target is met, `at_risk` where it is missed by no more than the margin, `off_track` where by more,
        `no_data` with a reason, or `context` without one.
    """
    if value is None:
        return "no_data", "no_value"
    if completeness < ENOUGH:
        return "no_data", "incomplete"
    if indicator.target is None:
        return "context", None
    missed = round(_missed(indicator, value), DECIMALS)
    if missed <= 0:
        return "on_track", None
    return ("at_risk" if missed <= round(indicator.margin / 100 * abs(indicator.target), DECIMALS) else "off_track"), None


def _missed(indicator: Indicator, value: float) -> float:
    """By how much a value misses the target; negative where it does better."""
    assert indicator.target is not None
    return value - indicator.target if indicator.direction == "lower" else indicator.target - value


def _missed_pct(indicator: Indicator, value: float | None) -> float | None:
    return 100 * _missed(indicator, value) / abs(indicator.target) if value is not None and indicator.target else None


def trend(indicator: Indicator, periods: Sequence[Period]) -> Mapping[str, Any]:
    """Whether an indicator gets better: the median change per period, with its interval.

    Args:
        indicator: Which.
        periods: Complete ones, in order; of more than `MOST_PERIODS` the last count.
    """
    import numpy as np
    from scipy.stats import theilslopes

    length = indicator.trend_period or indicator.period
    known = [period for period in periods if period.value is not None][-MOST_PERIODS:]
    if len(known) < TREND_PERIODS_NEEDED:
        return {"trend_periods": len(known), "trend_missing_reason": "too_few_periods"}
    places = np.array([_number(period.start, length) for period in known], dtype=np.float64)
    slope, _, low, high = theilslopes([period.value for period in known], places, alpha=LEVEL)
    way = "rising" if low > 0 else "falling" if high < 0 else "none_found"
    if way != "none_found" and indicator.direction != "context":
        way = "better" if (way == "falling") == (indicator.direction == "lower") else "worse"
    return {
        "trend_code": way,
        "trend_periods": len(known),
        "trend_change": float(slope),
        "trend_low": float(low),
        "trend_high": float(high),
    }


def forecast(versions: Sequence[Indicator], periods: Sequence[Period]) -> Mapping[str, Any]:
    """Where an indicator will be in the last period of the year, with an interval that held for earlier forecasts.

    Args:
        versions: Those of the indicator; the one that holds in that period says what is aimed at then.
        periods: Complete ones, in order; what comes before a gap does not count.
    """
    import numpy as np
    from scipy.stats import t

    length = versions[0].period
    known = [period for period in periods if period.value is not None]
    run = known[-1:]
    for period in reversed(known[:-1]):
        if after(period.start, length) != run[0].start:
            break
        run.insert(0, period)
    nothing = {"forecast_missing_reason": "too_short_history"}
    if len(run) < FORECAST_PERIODS_NEEDED:
        return nothing
    upcoming = [after(run[-1].start, length)]
    while (following := after(upcoming[-1], length)).year == upcoming[0].year:
        upcoming.append(following)
    ahead = len(upcoming)
    values = np.array([period.value for period in run], dtype=np.float64)
    origins = range(_FIRST_ORIGIN, len(values) - ahead + 1)[-MOST_PERIODS:]
    if len(origins) < ERRORS_NEEDED:
        return nothing
    tried = {}
    for name, method in METHODS.items():
        errors = np.array([values[origin + ahead - 1] - method(values[:origin], ahead) for origin in origins])
        tried[name] = sqrt(float(np.mean(errors**2)))
    best = min(tried, key=lambda name: tried[name])
    expected = METHODS[best](values, ahead)
    aimed = [version for version in versions if version.valid_from <= upcoming[-1]][-1]
    half = float(t.ppf((1 + LEVEL) / 2, len(origins))) * tried[best]
    return {
        "forecast_method": best,
        "forecast_period_start_on": upcoming[-1],
        "forecast_value": expected,
        "forecast_low": expected - half,
        "forecast_high": expected + half,
        "forecast_target": aimed.target,
        "forecast_status_code": status_of(aimed, expected)[0],
    }


def _smoothed(values: "Floats", ahead: int) -> float:
    """Simple exponential smoothing: the level of a series at its end, which no trend takes further."""
    import warnings

    from statsmodels.tsa.holtwinters import SimpleExpSmoothing

    with warnings.catch_warnings():
        # Of a few values the optimum may lie at the edge, of which it warns.
        warnings.simplefilter("ignore")
        fit = SimpleExpSmoothing(values, initialization_method="legacy-heuristic").fit(optimized=True)
    return float(fit.forecast(ahead)[-1])


def _drifted(values: "Floats", ahead: int) -> float:
    """Random walk with drift: the last value, taken further by the mean change so far."""
    return float(values[-1] + ahead * (values[-1] - values[0]) / (len(values) - 1))


METHODS: Mapping[str, Callable[["Floats", int], float]] = MappingProxyType({"smoothing": _smoothed, "drift": _drifted})
"""From a series and a number of periods ahead to the value then."""


def after(start: date, length: str) -> date:
    """First day of the period after one that begins on a day."""
    if length == "week":
        return start + timedelta(days=7)
    months = start.month - 1 + _MONTHS[length]
    return date(start.year + months // 12, months % 12 + 1, 1)


def _floor(day: date, length: str) -> date:
    return date(day.year, (day.month - 1) // _MONTHS[length] * _MONTHS[length] + 1, 1)


def _days(start: date, length: str) -> int:
    return (after(start, length) - start).days


def _number(start: date, length: str) -> int:
    """The place of a period among all periods of its length."""
    return start.toordinal() // 7 if length == "week" else (start.year * 12 + start.month - 1) // _MONTHS[length]
