"""Statistics of hotspots: whether more was seen around places than chance would have it, and what explains the excess.

From arrays to arrays; what is read and what the rows look like is decided in `container_hotspots`. All tests are exact or follow
textbook approximations of `scipy.stats`, so that nothing is drawn by chance.

Sources: M. Kulldorff, *A spatial scan statistic* (1997), for comparing what is inside a circle with what the rest of the city leads
to expect; W. Hoeffding, *On the distribution of the number of successes in independent trials* (1956), by which a binomial test is
never too strict when trials differ in their chance of success; Y. Benjamini and D. Yekutieli, *The control of the false discovery
rate in multiple testing under dependency* (2001), by which the correction of Benjamini and Hochberg also holds for circles that
overlap.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FALSE_DISCOVERY_RATE = 0.05
"""Share of the places listed by a test that may be there by chance."""
CAUSE_P_VALUE = 0.05
CAUSE_SHARE = 0.5
"""A cause is told where it has at least this share of what was found above what was expected, and is itself rarer than chance
(`CAUSE_P_VALUE`): there are few causes, and only places that stand out are asked."""
LEAST_PER_WEEKDAY = 5
"""Reports to expect per weekday before weekdays are compared (W.G. Cochran, *The chi-square test of goodness of fit*, 1952)."""
DAYS_OF_WEEK = 7


@dataclass(frozen=True)
class Comparison:
    """What one test found, an entry per place.

    Args:
        trials: Inspections or reports that were looked at; 0 where nothing can be compared.
        observed: Those of them that count.
        expected: How many were expected to.
        p_value: Chance of as many or more, of all or of one cause, if the place were like the rest of the city; 1 where nothing
            can be compared.
        causes: Per cause, observed and expected with that cause.
        weekday: The weekday (1 = Monday) that the figures are about, where a test tells weekdays apart.
    """

    trials: Ints
    observed: Ints
    expected: Floats
    p_value: Floats
    causes: Mapping[str, tuple[Ints, Floats]] = field(default_factory=dict)
    weekday: Ints | None = None

    @property
    def comparisons(self) -> int:
        """Places that could be compared."""
        return int((self.trials > 0).sum())


def within(places: Floats, events: Floats, radius_m: float) -> "csr_array":
    """Which events lie within a radius of which places: a sparse matrix of ones, places × events.

    Args:
        places: Metres east and north, a row per place.
        events: The same per event.
        radius_m: In metres.
    """
    from scipy.sparse import csr_array
    from scipy.spatial import cKDTree

    pairs = cKDTree(places).sparse_distance_matrix(cKDTree(events), radius_m, output_type="ndarray")
    shape = (len(places), len(events))
    return csr_array((np.ones(len(pairs)), (pairs["i"], pairs["j"])), shape=shape)


def compare_inspections(
    near: "csr_array", around: "csr_array", weekday: Ints, found: Flags, causes: Mapping[str, Flags], kinds: Collection[str] = ()
) -> Comparison:
    """Whether inspectors found waste more often around places than elsewhere on such weekdays (exact binomial test).

    A kind of waste that is usually rare, such as builders' waste, shows where there is much of it, while all waste together would
    not yet. So each kind is looked at as well, and the smallest p-value is multiplied by the number of looks (Bonferroni).

    Args:
        near: Places × inspections, as `within` gives it.
        around: The same with a larger radius: elsewhere is what lies outside that, so that a place is not compared with itself.
        weekday: Of each inspection (1 = Monday).
        found: Whether it found waste.
        causes: Per cause, whether it found waste with that cause; no finding has two.
        kinds: The causes that are themselves a kind of waste, which inspectors saw.
    """
    on_weekday = np.eye(DAYS_OF_WEEK)[weekday - 1]
    inspected = near @ on_weekday
    elsewhere = on_weekday.sum(axis=0) - around @ on_weekday

    def expected(is_so: Flags) -> Floats:
        so = on_weekday * is_so[:, None]
        share = (so.sum(axis=0) - around @ so) / np.maximum(1, elsewhere)
        # As if there were one more elsewhere, on whatever weekday: what was never seen there may still be.
        share = np.minimum(1, share + 1 / np.maximum(1, elsewhere.sum(axis=1, keepdims=True)))
        return np.asarray((inspected * share).sum(axis=1))

    is_compared = ((elsewhere > 0) | (inspected == 0)).all(axis=1)
    trials, observed = np.where(is_compared, _counted(near), 0), _counted(near, found)
    told = {cause: (_counted(near, is_so), expected(is_so)) for cause, is_so in causes.items()}
    looks = [(observed, expected(found)), *(told[cause] for cause in kinds if cause in told)]
    rarest = np.min([_binomial(seen, trials, usual) for seen, usual in looks], axis=0)
    return Comparison(trials, observed, expected(found), np.minimum(1.0, rarest * len(looks)), told)


def compare_reports(near: "csr_array", is_beside: Flags, odds: Floats, nearest: Ints, causes: Mapping[str, Flags]) -> Comparison:
    """Whether reports lie beside containers more often, against reports of the surroundings, than in the whole city.

    Given how many reports there are around a place, the number of those beside containers is binomial; how much oftener than by
    its ground alone a report lies beside a container is the same for the whole city, and the likeliest value. So a place
    where people report more of everything does not stand out (exact conditional test of two Poisson rates; J. Przyborowski and
    H. Wilenski, *Homogeneity of results in testing samples from Poisson series*, 1940).

    Args:
        near: Places × reports, as `within` gives it.
        is_beside: Whether each report lies beside a container.
        odds: Per place, the ground beside containers against the ground that is not, in the same circle.
        nearest: Of each report, the place whose odds it has.
        causes: Per cause, whether a report lies beside a container and has that cause; none has two.
    """
    from scipy.optimize import brentq

    trials, observed = _counted(near), _counted(near, is_beside)
    total, of_report = int(is_beside.sum()), odds[nearest]
    if total in (0, len(is_beside)):
        share = np.full(len(odds), total / max(1, len(is_beside)))
    else:

        def surplus(log_ratio: float) -> float:
            return float((1 / (1 + np.exp(-log_ratio) / of_report)).sum() - total)

        share = 1 / (1 + np.exp(-brentq(surplus, -20, 20)) / odds)
    expected = trials * share
    told = {}
    for cause, is_so in causes.items():
        told[cause] = (_counted(near, is_so), expected * (is_so.sum() / max(1, total)))
    return Comparison(trials, observed, expected, _binomial(observed, trials, expected), told)


def compare_weekdays(near: "csr_array", day: Ints, causes: Mapping[str, Flags]) -> Comparison:
    """Whether the reports around places fall on other weekdays than those of the city (chi-square test of goodness of fit).

    Told of each place is the weekday that stands out most. It must do so without its busiest day as well: a pattern comes again.

    Args:
        near: Places × reports, as `within` gives it.
        day: Of each report, the number of days before the last day of the period, a Sunday.
        causes: Per cause, whether a report has that cause.
    """
    from scipy.stats import chisquare

    weeks = int(day.max(initial=0)) // DAYS_OF_WEEK + 1
    # Places × weekdays (Monday first) × weeks.
    counts = _per_day(near, day, weeks, np.ones(len(day)))
    of_weekday = counts.sum(axis=2)
    trials = of_weekday.sum(axis=1).astype(np.int64)
    share = np.bincount(_weekday_of(day), minlength=DAYS_OF_WEEK) / max(1, len(day))
    is_compared = (trials >= LEAST_PER_WEEKDAY * DAYS_OF_WEEK) & bool((share > 0).all())
    expected = trials[:, None] * share
    p_value = np.ones(len(trials))
    if is_compared.any():
        p_value[is_compared] = chisquare(of_weekday[is_compared], expected[is_compared], axis=1).pvalue
    top = np.argmax((of_weekday - expected) / np.sqrt(np.maximum(expected, 1e-9)), axis=1)
    rows = np.arange(len(trials))
    without_busiest = of_weekday[rows, top] - counts[rows, top].max(axis=1)
    comes_again = without_busiest > expected[rows, top] * (weeks - 1) / weeks
    observed, expected_top = of_weekday[rows, top].astype(np.int64), expected[rows, top]
    told = {}
    for cause, is_so in causes.items():
        cause_share = np.bincount(_weekday_of(day), weights=is_so, minlength=DAYS_OF_WEEK) / max(1, len(day))
        seen = _per_day(near, day, weeks, is_so.astype(float)).sum(axis=2)
        told[cause] = (seen[rows, top].astype(np.int64), trials * cause_share[top])
    return Comparison(
        np.where(is_compared, trials, 0),
        observed,
        expected_top,
        np.where(comes_again, p_value, 1.0),
        told,
        top.astype(np.int64) + 1,
    )


def corrected(comparison: Comparison) -> Floats:
    """P-values corrected for all places that could be compared (Benjamini and Hochberg); 1 for the others."""
    from statsmodels.stats.multitest import multipletests

    q_value = np.ones(len(comparison.p_value))
    is_compared = comparison.trials > 0
    if is_compared.any():
        q_value[is_compared] = multipletests(comparison.p_value[is_compared], method="fdr_bh")[1]
    return q_value


def standing_out(comparison: Comparison) -> Flags:
    """The places that have more than chance would have it, after correction."""
    return (corrected(comparison) <= FALSE_DISCOVERY_RATE) & (comparison.observed > comparison.expected)


def likely_causes(comparison: Comparison) -> tuple[list[str | None], Ints, Floats, Floats]:
    """Per place, the cause that explains most of the excess, where it explains enough of it and is itself more than chance.

    Returns:
        The cause, and observed, expected and p-value with it; the figures mean nothing where there is no cause.
    """
    size = len(comparison.trials)
    names: list[str | None] = [None] * size
    best = CAUSE_SHARE * (comparison.observed - comparison.expected)
    figures: tuple[Any, ...] = (np.zeros(size, dtype=np.int64), np.zeros(size), np.ones(size))
    for cause, (observed, expected) in comparison.causes.items():
        p_value = _binomial(observed, comparison.trials, expected)
        is_better = (p_value <= CAUSE_P_VALUE) & (observed - expected >= best)
        best = np.where(is_better, observed - expected, best)
        figures = tuple(np.where(is_better, new, old) for new, old in zip((observed, expected, p_value), figures, strict=True))
        names = [cause if better else name for better, name in zip(is_better, names, strict=True)]
    return names, *figures


def groups_of(places: Floats, p_value: Floats, radius_m: float) -> Ints:
    """Puts places in groups in which each is within a radius of another; a group is known by its place with the lowest p-value."""
    from scipy.sparse.csgraph import connected_components

    _, group = connected_components(within(places, places, radius_m), directed=False)
    order = np.argsort(p_value, kind="stable")
    first = {int(group[place]): int(place) for place in order[::-1]}
    return np.array([first[int(g)] for g in group], dtype=np.int64)


def _counted(near: "csr_array", is_so: Flags | None = None) -> Ints:
    weights = np.ones(near.shape[1]) if is_so is None else is_so.astype(float)
    counts: Ints = (near @ weights).astype(np.int64)
    return counts


def _binomial(observed: Ints, trials: Ints, expected: Floats) -> Floats:
    """Chance of so many or more of some trials, when so many are expected."""
    from scipy.stats import binom

    share = np.divide(expected, trials, out=np.zeros(len(trials)), where=trials > 0)
    return np.where(trials > 0, binom.sf(observed - 1, trials, share), 1.0)


def _weekday_of(day: Ints) -> Ints:
    """Weekday (0 = Monday) of a day so many days before a Sunday."""
    return (DAYS_OF_WEEK - 1 - day) % DAYS_OF_WEEK


def _per_day(near: "csr_array", day: Ints, weeks: int, weights: Floats) -> Any:
    days = weeks * DAYS_OF_WEEK
    of_day = np.zeros((len(day), days))
    of_day[np.arange(len(day)), day] = weights
    counts = np.asarray(near @ of_day).reshape(near.shape[0], weeks, DAYS_OF_WEEK)
    # The days of a week before a Sunday run from Sunday back to Monday.
    return counts[:, :, ::-1].transpose(0, 2, 1)
