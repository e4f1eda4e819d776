"""How much will come into each container, and how full it will be: a model on daily inflow, apart from any table.

The inflow of a day is a level of the container plus what its weekday adds. What a weekday adds is that of all containers of the
group (a share of the level), moved towards the container's own as far as that differs by more than chance: group seasonal indices
(R. Dekker, K. van Donselaar and P. Ouwehand, *How to use aggregation and combined forecasting to improve seasonal demand
forecasts*, International Journal of Production Economics 90, 2004) with James-Stein shrinkage (D. Miller and D. Williams,
*Shrinkage estimators of time series seasonal factors and their effect on forecasting accuracy*, International Journal of
Forecasting 19, 2003). The level is the mean of two forecasts, exponential smoothing (ETS(A,N,N) of `statsforecast`) and the
historic average: a mean of forecasts is steadier than each (R. T. Clemen, *Combining forecasts*, International Journal of
Forecasting 5, 1989). Days that stand out are drawn in to four robust spreads first (Hampel).

How much comes in over several days is taken as Gamma distributed, the usual one for amounts that are never below zero. Its variance
is that of the smoothing model over a lead time (R. J. Hyndman, A. B. Koehler, J. K. Ord and R. D. Snyder, *Forecasting with
Exponential Smoothing*, 2008, chapter 6). What a sensor misreads and what waste settles comes on top, normally distributed, and does
not add up over days: a reading too high on one day makes the next day's inflow too low, so it shows as a negative covariance of
days that follow each other (an MA(1) process). Their sum has the mean, variance and skewness of a shifted Gamma distribution
(Pearson type III).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from groningen_data.contracts.collective.container_forecast import HORIZON_DAYS

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WINDOW_DAYS = 84
"""Days of history that a forecast looks at: the cost stays the same as history grows."""
LEAST_DAYS = 7
"""Days of known inflow without which nothing is forecast."""
LONGEST_SILENCE_DAYS = 7
"""A container that was not heard for longer has no forecast: where its level is, is a guess."""
LOW, HIGH = 0.1, 0.9
OVERFULL_PCT = 100.0

_CLIP_SPREADS = 4.0
_MAD_TO_SPREAD = 1.4826
_LEAST_SPREAD_PCT = 1.0
_LEAST_MISREAD_PCT = 0.5
_MOST_MISREAD = 0.45
_MISREAD_ERRORS = 1.5
_LEAST_SKEWNESS = 0.01
_LEAST_RISE_PCT = 0.01
_WEEKDAYS = 7
_WEIGHED_REST_SHARE = 0.5


@dataclass(frozen=True)
class History:
    """What is known of containers, one row per container and one column per day.

    Args:
        codes: The containers.
        groups: A group per container that is used alike, such as its fraction.
        days: Days in a row.
        inflow: Inflow in percent of the container's room; NaN where it is not known.
        last_fill: Level at the last reading of the day, in percent; NaN on days without one.
        rest_share: Which part of a usual day's inflow comes after that reading.
        weighed: Whether a vehicle weighed what the container had in it.
    """

    codes: tuple[str, ...]
    groups: npt.NDArray[Any]
    days: tuple[date, ...]
    inflow: Floats
    last_fill: Floats
    rest_share: Floats
    weighed: Flags

    @cached_property
    def weekdays(self) -> npt.NDArray[np.int64]:
        """Weekday of each day, 0 for Monday."""
        return np.array([day.weekday() for day in self.days], dtype=np.int64)

    def until(self, day: date, window_days: int = WINDOW_DAYS) -> "History":
        """The same as it was known at the end of a day, and at most so many days of it."""
        end = (day - self.days[0]).days + 1
        if not 0 < end <= len(self.days):
            raise ValueError(f"{day} is not in the history, which has {self.days[0]} to {self.days[-1]}")
        kept = slice(max(0, end - window_days), end)
        return History(
            self.codes,
            self.groups,
            self.days[kept],
            self.inflow[:, kept],
            self.last_fill[:, kept],
            self.rest_share[:, kept],
            self.weighed[:, kept],
        )

    @cached_property
    def starts(self) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
        """From where each container fills up after the last day: its last reading, or a weighing on a later day.

        Returns:
            How many days before the last day that was (more than there are where nothing is known), the level then, and which part
            of a usual day's inflow comes after it. Of an emptying that only a vehicle tells of, these are zero and a half.
        """
        heard, size = np.isfinite(self.last_fill), len(self.days)
        ago_heard = np.where(heard.any(axis=1), np.argmax(heard[:, ::-1], axis=1), size)
        ago_weighed = np.where(self.weighed.any(axis=1), np.argmax(self.weighed[:, ::-1], axis=1), size)
        is_weighed = ago_weighed < ago_heard
        ago = np.minimum(ago_heard, ago_weighed)
        at = np.maximum(size - 1 - ago, 0)
        rows = np.arange(len(self.codes))
        level = np.where(is_weighed, 0.0, self.last_fill[rows, at])
        return ago, level, np.where(is_weighed, _WEIGHED_REST_SHARE, self.rest_share[rows, at])


def history_of(frame: pl.DataFrame) -> History:
    """A history from rows of `collective.container_inflow_day`.

    Args:
        frame: container_code, group (null: unknown), local_date, inflow_pct, last_fill_pct, rest_share, weighings; in any order. Days of which
            there is no row at all are there without figures.

    Raises:
        ValueError: There are no rows.
    """
    if frame.is_empty():
        raise ValueError("there is no history without rows")
    first, last = frame["local_date"].min(), frame["local_date"].max()
    assert isinstance(first, date) and isinstance(last, date)
    days = tuple(first + timedelta(days=n) for n in range((last - first).days + 1))
    listed = frame.group_by("container_code").agg(pl.col("group").drop_nulls().first()).sort("container_code")
    codes = listed["container_code"]
    places = {code: place for place, code in enumerate(codes)}
    row = frame["container_code"].replace_strict(places, return_dtype=pl.Int64).to_numpy()
    day = (frame["local_date"] - first).dt.total_days().to_numpy()

    def matrix(column: str) -> Floats:
        values = np.full((len(codes), len(days)), np.nan)
        values[row, day] = frame[column].cast(pl.Float64).to_numpy()
        return values

    return History(
        tuple(codes),
        listed["group"].fill_null("unknown").to_numpy(),
        days,
        matrix("inflow_pct"),
        matrix("last_fill_pct"),
        matrix("rest_share"),
        np.nan_to_num(matrix("weighings")) > 0,
    )


@dataclass(frozen=True)
class Forecast:
    """How full containers will be at the end of the days to come if they are not emptied.

    Args:
        codes: The containers that have a forecast.
        made_from: The last day that was known.
        start_fill: Level at the end of that day; expected, where the last reading was earlier.
        inflow: Expected inflow: containers × days ahead.
        last_fill: Level at the last reading, or zero after a weighing since.
        rise: Expected rise since then, until the end of each day ahead.
        variance: Variance of what comes in until then.
        misread: Variance of what the sensor misreads, in the last reading and in the one to come.
    """

    codes: tuple[str, ...]
    made_from: date
    start_fill: Floats
    inflow: Floats
    last_fill: Floats
    rise: Floats
    variance: Floats
    misread: Floats

    @property
    def fill(self) -> Floats:
        """Expected level at the end of each day ahead."""
        return self.last_fill[:, None] + self.rise

    @cached_property
    def _gamma(self) -> tuple[Floats, Floats, Floats]:
        """Start, shape and scale of the level's distribution."""
        total = self.variance + self.misread[:, None]
        skewness = np.maximum(2 * self.variance**2 / (self.rise * total**1.5), _LEAST_SKEWNESS)
        shape, scale = 4 / skewness**2, np.sqrt(total) * skewness / 2
        return self.fill - shape * scale, shape, scale

    def quantile(self, share: float) -> Floats:
        """The level that is not exceeded with a probability; never below zero."""
        from scipy.stats import gamma

        start, shape, scale = self._gamma
        level: Floats = np.maximum(gamma.ppf(share, shape, loc=start, scale=scale), 0)
        return level

    def reaches(self, limit: float | Floats) -> Floats:
        """The probability that the level is at or over a limit (one, or one per container) at the end of each day ahead."""
        from scipy.stats import gamma

        start, shape, scale = self._gamma
        limits = np.broadcast_to(np.asarray(limit, dtype=np.float64), (len(self.codes),))
        probability: Floats = gamma.sf(limits[:, None], shape, loc=start, scale=scale)
        return probability

    def crps(self, fill: Floats) -> Floats:
        """Continuous ranked probability score of levels that came about, in percent of the room; lower is better.

        Source: M. Scheuerer and D. Möller, *Probabilistic wind speed forecasting on a grid based on ensemble model output
        statistics*, Annals of Applied Statistics 9(3), 2015, for the Gamma distribution.
        """
        from scipy.special import betaln
        from scipy.stats import gamma

        start, shape, scale = self._gamma
        above = fill - start
        below, below_next = gamma.cdf(above, shape, scale=scale), gamma.cdf(above, shape + 1, scale=scale)
        score: Floats = above * (2 * below - 1) - shape * scale * (2 * below_next - 1) - scale * np.exp(-betaln(0.5, shape))
        return score

    def frame(self, alarm_pct: float | Floats) -> pl.DataFrame:
        """Rows of `collective.container_forecast`.

        Args:
            alarm_pct: The alarm limit, or one per container.
        """
        size, days = self.inflow.shape
        horizon = np.tile(np.arange(1, days + 1), size)
        return pl.DataFrame(
            {
                "container_code": np.repeat(np.array(self.codes, dtype=object), days).tolist(),
                "made_from_on": pl.Series([self.made_from], dtype=pl.Date).new_from_index(0, size * days),
                "horizon_days": horizon,
                "inflow_pct": self.inflow.ravel(),
                "fill_low_pct": self.quantile(LOW).ravel(),
                "fill_pct": self.fill.ravel(),
                "fill_high_pct": self.quantile(HIGH).ravel(),
                "alarm_probability": self.reaches(alarm_pct).ravel(),
                "overflow_probability": self.reaches(OVERFULL_PCT).ravel(),
            },
            schema_overrides={"container_code": pl.String, "horizon_days": pl.Int64},
        ).with_columns(forecast_on=pl.col("made_from_on") + pl.duration(days=pl.col("horizon_days")))


def forecast(history: History, made_from: date | None = None, *, horizon_days: int = HORIZON_DAYS) -> Forecast:
    """The forecast of every container that was heard in the last week and of which the inflow of seven days is known.

    Args:
        history: What is known; later days than `made_from` are not looked at.
        made_from: The last day that counts as known; the last day of the history when it is not given.
        horizon_days: Days ahead.

    Raises:
        ValueError: The day is not in the history.
    """
    made_from = made_from or history.days[-1]
    known = history.until(made_from)
    silent_days, start_level, rest_share = known.starts
    enough = np.isfinite(known.inflow).sum(axis=1) >= LEAST_DAYS
    chosen = np.flatnonzero((silent_days <= min(LONGEST_SILENCE_DAYS, len(known.days) - 1)) & enough)
    silent_days, last_fill, rest_share = silent_days[chosen], start_level[chosen], rest_share[chosen]
    inflow = _drawn_in(known.inflow[chosen])
    added = _weekday_points(inflow, known.groups[chosen], known.weekdays)
    level, alpha, sigma, misread = _levels(inflow - added[:, known.weekdays])
    # From the last reading on: the rest of its day, days of silence, days ahead.
    longest = int(silent_days.max(initial=0))
    weekdays = (made_from.weekday() + np.arange(-longest, horizon_days + 1)) % _WEEKDAYS
    daily = np.maximum(level[:, None] + added[:, weekdays], 0)
    ahead = np.arange(-longest, horizon_days + 1)[None, :]
    share = np.where(ahead > -silent_days[:, None], 1.0, np.where(ahead == -silent_days[:, None], rest_share[:, None], 0.0))
    rise = np.maximum(np.cumsum(daily * share, axis=1), _LEAST_RISE_PCT)
    lead = np.cumsum(share, axis=1)
    days_known = np.isfinite(inflow).sum(axis=1)
    variance = _lead_time_variance(lead, alpha[:, None], sigma[:, None], days_known[:, None])
    later = slice(longest + 1, None)
    return Forecast(
        tuple(np.array(known.codes, dtype=object)[chosen]),
        made_from,
        last_fill + np.where(rise[:, longest] > _LEAST_RISE_PCT, rise[:, longest], 0.0),
        daily[:, later],
        last_fill,
        rise[:, later],
        variance[:, later],
        np.maximum(2 * misread, _LEAST_MISREAD_PCT**2),
    )


def rolling(history: History, origins: Sequence[date], *, horizon_days: int = HORIZON_DAYS) -> Iterator[Forecast]:
    """The forecasts as they would have been made at the end of each of some days, without what came after."""
    for origin in origins:
        yield forecast(history, origin, horizon_days=horizon_days)


def _drawn_in(inflow: Floats) -> Floats:
    """Inflow with days that stand out drawn in to four robust spreads around the container's median."""
    middle = np.nanmedian(inflow, axis=1, keepdims=True)
    spread = _MAD_TO_SPREAD * np.nanmedian(np.abs(inflow - middle), axis=1, keepdims=True)
    reach = _CLIP_SPREADS * np.maximum(spread, _LEAST_SPREAD_PCT)
    return np.clip(inflow, middle - reach, middle + reach)


def _weekday_points(inflow: Floats, groups: npt.NDArray[Any], weekdays: npt.NDArray[np.int64]) -> Floats:
    """What each weekday adds to a container's mean inflow, in points: containers × weekdays."""
    added = np.zeros((len(inflow), _WEEKDAYS))
    if not len(inflow):
        return added
    is_day = weekdays[:, None] == np.arange(_WEEKDAYS)
    is_known = np.isfinite(inflow)
    days = is_known @ is_day.astype(float)
    total = np.where(is_known, inflow, 0) @ is_day.astype(float)
    own = total / np.maximum(days, 1)
    mean = np.nanmean(inflow, axis=1)
    left = np.where(is_known, inflow - own[:, weekdays], 0)
    freedom = is_known.sum(axis=1) - (days > 0).sum(axis=1)
    variance = (left**2).sum(axis=1) / np.maximum(freedom, 1)
    noise = np.where(days > 0, variance[:, None] / np.maximum(days, 1), 0)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        index = _group_index(own[rows], mean[rows], days[rows] > 0, noise[rows])
        usual = mean[rows, None] * (index - 1)
        other = np.where(days[rows] > 0, own[rows] - mean[rows, None] - usual, 0)
        kept = _kept(noise[rows].sum(axis=1), (other**2).sum(axis=1), freedom[rows])
        added[rows] = usual + kept[:, None] * other
    return added


def _group_index(own: Floats, mean: Floats, is_there: npt.NDArray[np.bool_], noise: Floats) -> Floats:
    """The weekday's inflow of a group as a ratio of its mean, moved towards one as far as it may be chance."""
    base = np.maximum(np.where(is_there, mean[:, None], 0).sum(axis=0), _LEAST_RISE_PCT)
    ratio = np.where(is_there.any(axis=0), np.where(is_there, own, 0).sum(axis=0) / base, 1.0)
    deviation = ratio / max(ratio.mean(), _LEAST_RISE_PCT) - 1
    chance = (noise.sum(axis=0) / base**2).sum()
    kept = _kept(np.array([chance]), np.array([(deviation**2).sum()]), np.array([_WEEKDAYS]))
    index: Floats = 1 + kept[0] * deviation
    return index


def _kept(noise: Floats, seen: Floats, freedom: npt.NDArray[Any]) -> Floats:
    """Which part of seven deviations to keep: the positive-part James-Stein estimator, none where nothing is known of the noise."""
    wanted = (_WEEKDAYS - 2) / _WEEKDAYS * noise
    part = 1 - wanted / np.maximum(seen, 1e-12)
    return np.where(freedom >= _WEEKDAYS, np.clip(part, 0, 1), 0.0)


def _levels(inflow: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Of each container's inflow without weekdays: level, smoothing constant, spread of a day, and variance of a misread level."""
    if not len(inflow):
        return np.empty(0), np.empty(0), np.empty(0), np.empty(0)
    from statsforecast.models import AutoETS

    is_known = np.isfinite(inflow)
    days = is_known.sum(axis=1)
    average = np.nanmean(inflow, axis=1)
    last, alpha, fitted = np.empty(len(inflow)), np.empty(len(inflow)), np.full(inflow.shape, np.nan)
    for row, known in enumerate(is_known):
        smooth = AutoETS(season_length=1, model="ANN").fit(inflow[row, known]).model_
        last[row], alpha[row], fitted[row, known] = smooth["states"][-1, 0], smooth["par"][0], smooth["fitted"]
    left = inflow - (fitted + average[:, None]) / 2
    variance = np.nansum(left**2, axis=1) / np.maximum(days - 1, 1)
    misread = _misread(left, variance)
    # Half of the level follows the smoothing, so half of its constant is how a day moves it.
    return (last + average) / 2, alpha / 2, np.sqrt(variance - 2 * misread), misread


def _misread(left: Floats, variance: Floats) -> Floats:
    """Variance of a misread level per container, from the covariance of residuals of days that follow each other.

    Only as far as it is more than one and a half standard errors below zero, and less than half of the variance: an MA(1) process
    has no more.
    """
    pairs = left[:, 1:] * left[:, :-1]
    count = np.isfinite(pairs).sum(axis=1)
    covariance = np.nansum(pairs, axis=1) / np.maximum(count, 1)
    seen = -covariance - _MISREAD_ERRORS * variance / np.sqrt(np.maximum(count, 1))
    return np.where(count >= _WEEKDAYS, np.clip(seen, 0, _MOST_MISREAD * variance), 0.0)


def _lead_time_variance(lead: Floats, alpha: Floats, sigma: Floats, days: Floats) -> Floats:
    """Variance of the inflow over a lead time in days, with that of a level known from so many days."""
    smoothing = lead * (1 + alpha * (lead - 1) + alpha**2 * (lead - 1) * (2 * lead - 1) / 6)
    variance: Floats = sigma**2 * (np.where(lead >= 1, smoothing, lead) + lead**2 / days)
    return variance
