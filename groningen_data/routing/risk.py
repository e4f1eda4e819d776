"""What a stop is worth: the chance that a container overflows before the next round, times the nuisance that gives."""

import numpy as np
import numpy.typing as npt

FULL_PCT = 100.0
HIGHEST_PRIZE_M = 100_000.0
"""Worth more than any detour; beyond it the search would rather overload a vehicle than leave a stop out."""
MOST_NUISANCE = 3.0

Floats = npt.NDArray[np.float64]


def overflow_chance(expected_pct: Floats, deviation_pct: Floats) -> Floats:
    """Chance that a level is at or over 100 %, of a normal distribution.

    Args:
        expected_pct: Expected levels.
        deviation_pct: Their standard deviations; zero where a level is known.
    """
    from scipy.special import ndtr

    room = expected_pct - FULL_PCT
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = ndtr(room / deviation_pct)
    return np.where(deviation_pct > 0, chance, (room >= 0).astype(float))


def nuisance(found_beside: Floats, inspections: Floats, reports_per_week: Floats) -> Floats:
    """How much worse than elsewhere it is when a container overflows: from 1 to 3.

    One for the container itself, the share of inspections that found waste beside it (drawn to the share of all containers as if
    by five inspections more), and one report per week nearby for another one at most: who reports is not always who suffers, so
    reports must not outweigh what inspectors see.

    Args:
        found_beside: Inspections that found waste beside each container.
        inspections: All inspections of each.
        reports_per_week: Waste reports near each.
    """
    known = inspections.sum()
    usual = found_beside.sum() / known if known else 0.0
    share = (found_beside + 5 * usual) / (inspections + 5)
    return 1 + share + np.minimum(reports_per_week, 1)


def prizes(chance: Floats, weight: Floats, prize_km: float) -> Floats:
    """What emptying each container is worth, in metres of driving.

    Args:
        chance: That it overflows before it could be emptied on a later round.
        weight: The nuisance that gives.
        prize_km: Kilometres worth driving to empty one that is sure to overflow.
    """
    return np.minimum(chance * weight * prize_km * 1000, HIGHEST_PRIZE_M)
