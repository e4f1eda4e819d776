"""Group counts for the bias audit, as an audit environment would release them after each half-year. All of it is made up.

People select one group more often than chance does, and more often wrongly; rules and the random sample treat all groups alike.
What would tell of fewer than ten people is left out, together with what it could be worked out from.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groningen_data.contracts.welfare.audit_counts import SMALLEST
from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City
from groningen_data.sample.wire import Payloads
from groningen_data.sources.audit_counts import COLUMNS

PEOPLE = 8_000
"""People who can be selected, the same in each half-year."""
HALF_YEARS = 4
DAYS_TO_RELEASE = 45
"""A half-year is released this long after its end."""
HUMAN, SAMPLE = "menselijke_selectie", "aselecte_steekproef"
BIASED = ("herkomst", "buiten_europa")
BIAS = 2.0
"""How many times as often people select somebody of that group as somebody of any other group."""
GROUPS: Mapping[str, Mapping[str, float]] = {
    "geslacht": {"man": 0.47, "vrouw": 0.53},
    "herkomst": {"nederland": 0.7, "europa": 0.12, "buiten_europa": 0.18},
    "leeftijd": {"27_tot_45": 0.42, "tot_27": 0.14, "45_en_ouder": 0.44},
}
"""Share of the people by characteristic and group; the first group is the one that others are compared with."""


Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Process:
    """A selection process: how many people it selects in a half-year, the share of whom something unlawful is found, the mean
    duration of a check in days, and in how many of the latest half-years it was there."""

    code: str
    selected: int
    found_share: float
    days: float
    half_years: int = HALF_YEARS


PROCESSES = (
    Process("income_started", 340, 0.35, 24, half_years=1),
    Process("vehicle", 190, 0.05, 31, half_years=1),
    Process(SAMPLE, 210, 0.05, 27),
    Process(HUMAN, 700, 0.3, 49),
)
"""The rules that found enough to be audited, by their ids, the random sample, and the selection by people."""


def payloads(city: City) -> Payloads:
    """A file for each of the latest half-years that were released by the last day."""
    half_years = _released(city.days[-1])
    for ago, (year, half) in enumerate(reversed(half_years), start=1):
        processes = [process for process in PROCESSES if process.half_years >= ago]
        rows = half_year(generator(city, "audit counts", year, half), year, half, BIAS, processes)
        yield f"welfare/auditcijfers_{year}HJ{half:02}.csv", rows.write_csv(separator=";").encode()


def half_year(
    random: np.random.Generator, year: int, half: int, bias: float, processes: Sequence[Process] = PROCESSES
) -> pl.DataFrame:
    """What is released of one half-year, as text.

    Args:
        random: Where chance comes from.
        year: Of the half-year.
        half: 1 or 2.
        bias: How many times as often people select somebody of `BIASED`; 1 plants nothing.
        processes: Those there were.
    """
    released = date(year + half // 2, half * 6 % 12 + 1, 1) + timedelta(days=DAYS_TO_RELEASE - 1)
    # One cell per combination of groups, so that every characteristic counts the same people.
    cells = np.round(PEOPLE * functools.reduce(np.multiply.outer, (np.array(list(g.values())) for g in GROUPS.values())))
    rows = []
    for process in processes:
        times = np.ones(cells.shape)
        if process.code == HUMAN:
            place = list(GROUPS).index(BIASED[0]), list(GROUPS[BIASED[0]]).index(BIASED[1])
            np.moveaxis(times, place[0], 0)[place[1]] = bias
        rate = process.selected / (cells * times).sum()
        selected = random.binomial(cells.astype(np.int64), rate * times)
        # In each group equally many do something unlawful: whoever is selected more often is so more often wrongly.
        found = random.binomial(selected, process.found_share / times)
        for axis, (characteristic, groups) in enumerate(GROUPS.items()):
            others = tuple(n for n in range(cells.ndim) if n != axis)
            people, picked, proven = (c.sum(axis=others).astype(np.int64) for c in (cells, selected, found))
            counts = (picked, people - picked), (picked - proven, proven)
            told = [np.where(_told(part, rest), part.astype(str), "") for part, rest in counts]
            days = np.round(process.days * random.lognormal(0, 0.05, len(groups)), 1)
            for n, group in enumerate(groups):
                row = (process.code, f"{year}HJ{half:02}", characteristic, group, "nee" if n else "ja", str(people[n]))
                lasted = str(days[n]).replace(".", ",") if told[0][n] else ""
                rows.append((*row, *(str(t[n]) for t in told), lasted, str(released)))
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def _told(part: Counts, rest: Counts) -> NDArray[np.bool_]:
    """Which groups' counts may be told: not those that are small or leave few; beside a single such group another is withheld."""
    is_told = (part >= SMALLEST) & (rest >= SMALLEST)
    if (~is_told).sum() == 1:
        # The reference group last: without it nothing can be compared.
        order = np.argsort(np.minimum(part, rest)[1:]) + 1
        is_told[next(n for n in (*order, 0) if is_told[n])] = False
    return is_told


def _released(last_day: date) -> list[tuple[int, int]]:
    """Year and half of the latest half-years that ended so long ago that they are released, oldest first."""
    after = last_day - timedelta(days=DAYS_TO_RELEASE - 1)
    ended = after.year * 2 + (after.month - 1) // 6 - 1
    return [(n // 2, n % 2 + 1) for n in range(ended - HALF_YEARS + 1, ended + 1)]
