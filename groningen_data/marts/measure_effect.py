"""What policy measures on the roads did: interrupted time series of the ratio between their sites and control sites.

The model is that of Bernal, Cummins and Gasparrini, *Interrupted time series regression for the evaluation of public health
interventions: a tutorial*, Int. J. Epidemiology 46 (2017) 348–355, with a control series as in Lopez Bernal, Cummins and Gasparrini,
*The use of controls in interrupted time series studies of public health interventions*, Int. J. Epidemiology 47 (2018) 2082–2093.
Groups of control sites as placebos: Abadie, Diamond and Hainmueller, J. American Statistical Association 105 (2010) 493–505.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from math import comb, expm1
from typing import TYPE_CHECKING, Any

import polars as pl

from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.measure_effect import MeasureEffect
from groningen_data.gate.recipe import AnalysisContext
from groningen_data.marts.container_day import METRES_PER_DEGREE

if TYPE_CHECKING:
    import ibis
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

WINDOW_DAYS = 182
"""Days before a measure, and from its first day on, that count at most: half a year each."""
DAYS_NEEDED = 14
"""Usable days needed on each side: every weekday twice."""
GOOD_SHARE = 0.8
"""A site's day counts when this share of its intervals holds a count; a site when it has this share of the days of each side."""
HOURS_NEEDED = 23
"""Hours of a day that must have been delivered at all (the shortest day of the year has 23)."""
BY_DAY = (7, 19)
"""Local hours over which speed is taken: from 7:00 until 19:00."""
NEAR_M = 500
"""Sites so near to those of a measure may get its traffic, so they are no controls; works so near are told as a doubt."""
CONTROLS_NEEDED = 5
PLACEBO_GROUPS = 199
PLACEBO_GROUPS_NEEDED = 39
"""With fewer groups than this no share can be small enough to decide anything at `LEVEL`, so none is told."""
SEED = 2017
LEVEL = 0.05
_POWER_FACTOR = 2.8
"""Standard errors that a true effect must measure to be found four times out of five at 0.05: 1.96 + 0.84."""
_ROUNDS = 10

METHOD = (
    "controlled interrupted time series: log ratio per day, change of level, common trend, weekday terms, "
    "GLSAR(1) errors; placebo groups of control sites"
)
METHOD_SOURCES = (
    "Bernal, Cummins, Gasparrini 2017 (Int J Epidemiol 46:348); Lopez Bernal, Cummins, Gasparrini 2018 "
    "(Int J Epidemiol 47:2082); Abadie, Diamond, Hainmueller 2010 (JASA 105:493)"
)


@dataclass(frozen=True)
class Estimate:
    """What a series of log ratios says about a change on one day.

    Args:
        effect: Change of the logarithm.
        low: Lower bound of its 95 % interval.
        high: Upper bound.
        error: Standard error.
        p_value: Of no change.
    """

    effect: float
    low: float
    high: float
    error: float
    p_value: float


def compute(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """One row per measure of the list."""
    measures = context.frame(context.table("core.traffic_measures").order_by("measure_id"))
    if measures.is_empty():
        return
    days = context.frame(_site_days(context, measures))
    sites = context.frame(context.table("core.traffic_sites").select("site_id", "longitude", "latitude"))
    events = context.frame(context.table("core.traffic_events"))
    context.notes.update(measures=measures.height, site_days=days.height, placebo_seed=SEED)
    rows = [effect_of(measure, days, sites, events) for measure in measures.iter_rows(named=True)]
    yield pl.DataFrame(rows, schema=polars_schema(MeasureEffect))


def _site_days(context: AnalysisContext, measures: pl.DataFrame) -> "ibis.Table":
    """Vehicles per full day and mean speed by day of each site and usable day around the measures."""
    import ibis
    from ibis import _

    first = measures["starts_on"].min() - timedelta(days=WINDOW_DAYS)  # type: ignore[operator]
    last = measures["starts_on"].max() + timedelta(days=WINDOW_DAYS)  # type: ignore[operator]
    hours = context.table("collective.site_hour")
    hours = hours.filter(hours.local_date >= ibis.literal(first), hours.local_date < ibis.literal(last))
    is_by_day = _.local_hour.between(BY_DAY[0], BY_DAY[1] - 1) & _.mean_speed_km_h.notnull()
    of_day = hours.group_by("site_id", "local_date").aggregate(
        vehicles=_.vehicles.sum(),
        good=(_.good_share * _.expected_intervals).sum(),
        expected=_.expected_intervals.sum(),
        hours=_.count(),
        speed_sum=(_.vehicles * _.mean_speed_km_h).sum(where=is_by_day),
        speed_weight=_.vehicles.sum(where=is_by_day),
    )
    usable = of_day.filter(of_day.hours >= HOURS_NEEDED, of_day.good >= GOOD_SHARE * of_day.expected)
    return usable.select(
        "site_id",
        "local_date",
        flow=_.vehicles / _.good * _.expected,
        speed=_.speed_sum / _.speed_weight.nullif(0),
    ).order_by("site_id", "local_date")


def effect_of(measure: Mapping[str, Any], days: pl.DataFrame, sites: pl.DataFrame, events: pl.DataFrame) -> dict[str, Any]:
    """What one measure did.

    Args:
        measure: A row of `core.traffic_measures`.
        days: `site_id`, `local_date`, `flow` (vehicles per full day) and `speed` (km/h by day) of usable days.
        sites: `site_id`, `longitude` and `latitude`.
        events: Rows of `core.traffic_events`.

    Returns:
        A row of `collective.measure_effect`.
    """
    start: date = measure["starts_on"]
    until = min(start + timedelta(days=WINDOW_DAYS - 1), measure["ends_on"] or date.max)
    named = (measure["control_site_ids"] or "").split(",") if measure["control_site_ids"] else None
    row = {name: measure[name] for name in ("measure_id", "title_nl", "title_en", "outcome_code", "starts_on", "ends_on")} | {
        "expected_effect_pct": measure["expected_effect_pct"],
        "decision": measure["decision"],
        "verdict_code": "too_little_data",
        "placebo_groups": 0,
        "days_before": 0,
        "days_after": 0,
        "control_sites": 0,
        "control_choice_code": "named" if named else "by_rule",
        "method": METHOD,
        "method_sources": METHOD_SOURCES,
    }
    window = days.filter(pl.col("local_date").is_between(start - timedelta(days=WINDOW_DAYS), until))
    window = window.filter(pl.col(measure["outcome_code"]) > 0)
    at = measure["site_ids"].split(",")
    counted = window.filter(pl.col("site_id").is_in(at))
    is_after = pl.col("local_date") >= start
    of_sites = counted["local_date"].unique()
    row |= {"days_before": int((of_sites < start).sum()), "days_after": int((of_sites >= start).sum())}
    if counted.is_empty():
        return row | {"verdict_reason": "no_counts_at_sites"}
    for side in ("before", "after"):
        if row[f"days_{side}"] < DAYS_NEEDED:
            return row | {"verdict_reason": f"too_few_days_{side}"}

    all_days = window.select(pl.col("local_date").unique())
    needed = all_days.select(before=GOOD_SHARE * (~is_after).sum(), after=GOOD_SHARE * is_after.sum()).row(0)
    complete = (
        window.group_by("site_id")
        .agg(before=(~is_after).sum(), after=is_after.sum())
        .filter(pl.col("before") >= needed[0], pl.col("after") >= needed[1])["site_id"]
    )
    treated = sorted(set(complete) & set(at))
    if not treated:
        return row | {"verdict_reason": "no_counts_at_sites"}
    works = _works(events, start - timedelta(days=WINDOW_DAYS), until)
    near_works = _near(sites, works)
    apart = set(at) | _near(sites, sites.filter(pl.col("site_id").is_in(at))) | near_works
    controls = sorted(set(complete) & (set(named) if named else set(complete) - apart))
    row |= {"site_ids": ",".join(treated), "control_sites": len(controls), "control_site_ids": ",".join(controls) or None}
    if len(controls) < (1 if named else CONTROLS_NEEDED):
        return row | {"verdict_reason": "too_few_control_sites"}

    wide = window.pivot("site_id", index="local_date", values=measure["outcome_code"]).sort("local_date")
    return row | _judged(wide, treated, controls, start, bool(set(treated) & near_works))


def _judged(wide: pl.DataFrame, treated: list[str], controls: list[str], start: date, has_works: bool) -> dict[str, Any]:
    """Verdict and figures from the outcome per day (rows) and site (columns)."""
    import numpy as np

    logs = np.log(wide.select(*treated, *controls).cast(pl.Float64).fill_null(float("nan")).to_numpy())
    dates = wide["local_date"]
    after = (dates >= start).to_numpy()
    index = logs - np.nanmean(logs[~after], axis=0)
    count = len(treated)
    ratio = log_ratio(index[:, :count], index[:, count:])
    known = np.isfinite(ratio)
    ratio, after, index = ratio[known], after[known], index[known]
    order = np.array([day.toordinal() for day in dates])[known]
    found = level_change(ratio, after, order)
    space, groups = placebo_in_space(index[:, count:], count, after, order, found.effect)
    slope = trend(ratio[~after], order[~after])
    middle = order[~after][0] + (order[~after][-1] - order[~after][0] + 1) // 2
    fake = order[~after] >= middle
    is_testable = min(fake.sum(), (~fake).sum()) >= DAYS_NEEDED
    placebo = level_change(ratio[~after], fake, order[~after]) if is_testable else None
    doubts = {
        "trend_before": slope.p_value < LEVEL,
        "placebo_in_time": placebo is not None and placebo.p_value < LEVEL,
        "other_event_near": has_works,
    }
    is_effect = found.p_value < LEVEL and (space is None or space < LEVEL)
    return {
        "verdict_code": "effect" if is_effect else "no_effect_found",
        "effect_pct": _pct(found.effect),
        "effect_low_pct": _pct(found.low),
        "effect_high_pct": _pct(found.high),
        "p_value": found.p_value,
        "placebo_space_p_value": space,
        "placebo_groups": groups,
        "placebo_time_p_value": placebo.p_value if placebo else None,
        "trend_before_pct_week": _pct(slope.effect),
        "trend_before_p_value": slope.p_value,
        "effect_without_trend_pct": _pct(change_without_trend(ratio, after, order)),
        "detectable_effect_pct": _pct(_POWER_FACTOR * found.error),
        "doubts": ",".join(name for name, holds in doubts.items() if holds) or None,
        "days_before": int((~after).sum()),
        "days_after": int(after.sum()),
    }


def _pct(logarithm: float) -> float:
    return 100 * expm1(logarithm)


def log_ratio(treated: "Floats", controls: "Floats") -> "Floats":
    """Per day: the mean over the treated sites minus the median over the control sites.

    The median, because other things happen at single control sites: works, diversions, broken detectors.

    Args:
        treated: Logarithms, days by sites, each site relative to its own mean before the measure; nan where there is no count.
        controls: The same of the control sites.
    """
    import warnings

    import numpy as np

    with warnings.catch_warnings():
        # A day without any count at the sites gives nan, which is what is wanted.
        warnings.simplefilter("ignore", RuntimeWarning)
        ratio: Floats = np.nanmean(treated, axis=1) - np.nanmedian(controls, axis=1)
    return ratio


def level_change(ratio: "Floats", after: "Flags", order: "npt.NDArray[np.int64]") -> Estimate:
    """The change of level from the first day of a measure on, with a trend over the whole time allowed for.

    Args:
        ratio: Log ratio per day, in order.
        after: Whether the measure was in force.
        order: Day numbers, of which 7 make a week (`date.toordinal`).
    """
    import numpy as np

    return _fitted(ratio, [after.astype(np.float64), _weeks(order)], order)


def change_without_trend(ratio: "Floats", after: "Flags", order: "npt.NDArray[np.int64]") -> float:
    """The change of level by plain least squares and without a trend; arguments as for `level_change`.

    A site that grows or shrinks all the time then looks like a measure that works.
    """
    import numpy as np

    return float(np.linalg.lstsq(_design([after.astype(np.float64)], order), ratio, rcond=None)[0][0])


def trend(ratio: "Floats", order: "npt.NDArray[np.int64]") -> Estimate:
    """The trend of a log ratio per week; arguments as for `level_change`."""
    return _fitted(ratio, [_weeks(order)], order)


def _weeks(order: "npt.NDArray[np.int64]") -> "Floats":
    weeks: Floats = (order - order.mean()) / 7
    return weeks


def _design(parts: "list[Floats]", order: "npt.NDArray[np.int64]") -> "Floats":
    """The columns of a model: the parts of interest, a level, and a term for each weekday but the first."""
    import numpy as np

    weekday = order % 7
    weekdays = [(weekday == day).astype(np.float64) for day in np.unique(weekday)[1:]]
    return np.column_stack([*parts, np.ones(len(order)), *weekdays])


def _fitted(ratio: "Floats", parts: "list[Floats]", order: "npt.NDArray[np.int64]") -> Estimate:
    """The first part's coefficient, by least squares with errors that follow from those of the day before (Cochrane–Orcutt)."""
    from statsmodels.regression.linear_model import GLSAR

    fit = GLSAR(ratio, _design(parts, order), rho=1).iterative_fit(maxiter=_ROUNDS)
    low, high = fit.conf_int(LEVEL)[0]
    return Estimate(float(fit.params[0]), float(low), float(high), float(fit.bse[0]), float(fit.pvalues[0]))


def placebo_in_space(
    controls: "Floats", size: int, after: "Flags", order: "npt.NDArray[np.int64]", effect: float
) -> tuple[float | None, int]:
    """How many groups of control sites changed as much on the same day, each compared with the other control sites.

    Args:
        controls: Logarithms as for `log_ratio`.
        size: Sites in a group: as many as the measure has.
        after: Whether the measure was in force, per day.
        order: Day numbers.
        effect: The change found at the measure's own sites.

    Returns:
        The share (the measure's own sites counted as one of the groups), and the number of groups; no share where there are too
        few groups to decide anything.
    """
    import numpy as np

    sites = controls.shape[1]
    if sites < size + CONTROLS_NEEDED or comb(sites, size) < PLACEBO_GROUPS_NEEDED:
        return None, 0
    if comb(sites, size) <= PLACEBO_GROUPS:
        groups = [list(group) for group in combinations(range(sites), size)]
    else:
        chance = np.random.default_rng(SEED)
        groups = [list(chance.choice(sites, size, replace=False)) for _ in range(PLACEBO_GROUPS)]
    design = _design([after.astype(np.float64), _weeks(order)], order)
    changes = []
    for group in groups:
        rest = np.delete(controls, group, axis=1)
        ratio = log_ratio(controls[:, group], rest)
        known = np.isfinite(ratio)
        changes.append(np.linalg.lstsq(design[known], ratio[known], rcond=None)[0][0])
    as_much = int((np.abs(changes) >= abs(effect)).sum())
    return (1 + as_much) / (1 + len(groups)), len(groups)


def _works(events: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Road works and closures of more than a day within some days, where they are known to be."""
    ends = pl.col("ends_on").fill_null(date.max)
    return events.filter(
        pl.col("event_kind").is_in(["road_works", "closure"]),
        pl.col("starts_on") <= last,
        ends >= first,
        ends > pl.col("starts_on"),
        pl.col("longitude").is_not_null(),
    )


def _near(sites: pl.DataFrame, places: pl.DataFrame) -> set[str]:
    """Sites within `NEAR_M` of any of some places (columns `longitude` and `latitude`), on a flat city."""
    import numpy as np

    known = sites.drop_nulls(["longitude", "latitude"])
    x, y = (known[name].to_numpy()[:, None] - places[name].drop_nulls().to_numpy()[None, :] for name in ("longitude", "latitude"))
    narrowing = np.cos(np.radians(known["latitude"].to_numpy()))[:, None]
    metres = np.hypot(x * METRES_PER_DEGREE * narrowing, y * METRES_PER_DEGREE)
    return set(known["site_id"].filter(pl.Series((metres <= NEAR_M).any(axis=1))))
