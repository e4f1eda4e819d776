"""Extracts of the benefit administration: benefit cases, closed cases per quarter, and early signals. All of it is made up.

The persons are test numbers (`persons.py`). The patterns and faults planted here are listed in `docs/sample-city.md`.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City
from groningen_data.sample.persons import RECIPIENTS, Texts, everybody, misread
from groningen_data.sample.wire import Payloads

CASES_A_YEAR = 1_100
YEARS = 10
QUARTERS = 12
CLOSED_A_QUARTER = 420
LIFTED = ("inkomen", "wijziging_doorgeven", "post")
"""Cause, step and channel that occur together twice as often as their shares let expect."""
SIGNALS_A_WEEK = 150
WEEKS = 104
PICKED_UP_SHARE = 0.8
REACHED_SHARE = {"verhuurder": 0.62, "energieleverancier": 0.41, "waterbedrijf": 0.48, "zorgverzekeraar": 0.33}
"""Of the signals that were picked up, per partner: the share of households with whom contact was made."""

INVALID_NUMBERS, BAD_DATES, DOUBLED_ROWS, BACKWARD_CASES = 9, 8, 12, 3
"""Rows spoilt in the extracts of cases and signals; backward cases end before they start."""

_PARTNERS = {"verhuurder": 0.2, "energieleverancier": 0.25, "waterbedrijf": 0.15, "zorgverzekeraar": 0.4}
_RESULTS = {"hulp_aanvaard": 0.45, "zelf_opgelost": 0.3, "doorverwezen": 0.15, "hulp_afgewezen": 0.1}
_SCHEMES = {"PW": 0.72, "IOAW": 0.03, "IOAZ": 0.01, "BBZ": 0.04, "bijzondere bijstand": 0.14, "IIT": 0.06}
_INFLOW = {"11": 0.38, "14": 0.16, "1": 0.1, "2": 0.12, "13": 0.06, "34": 0.05, "41": 0.06, "39": 0.07}
_OUTFLOW = {
    "werk": 0.42,
    "verhuizing": 0.16,
    "relatie": 0.11,
    "pensioen": 0.1,
    "studie": 0.07,
    "ander inkomen": 0.07,
    "anders": 0.07,
}
_CAUSES = {"inkomen": 0.35, "samenwoning": 0.2, "verblijf": 0.15, "vermogen": 0.1, "kostendeler": 0.1, "anders": 0.1}
_STEPS = {"wijziging_doorgeven": 0.25, "inkomstenopgave": 0.25, "aanvraag": 0.2, "heronderzoek": 0.2, "beeindiging": 0.1}
_CHANNELS = {"online": 0.45, "post": 0.25, "balie": 0.1, "telefoon": 0.1, "e-mail": 0.1}
# Added to the probability of `LIFTED`, before all are made to add up to one: then its share is twice the product of the three.
_LIFT = 0.03775
_OPEN_STILL = 0.02
_OPEN_STILL_LATELY = 0.15
_BAD_DATES = np.array(["31-02-2024", "2025-13-01", "onbekend", "0000-00-00"])

Chance = np.random.Generator


def payloads(city: City) -> Payloads:
    """Cases and signals as they stand at the end of the last day, and the closed cases of each quarter that has ended by then."""
    day = city.days[-1]
    numbers, neighbourhoods = everybody(city)
    yield f"welfare/uitkeringen_{day}.csv", csv(benefit_cases(city, day, numbers, neighbourhoods))
    for year, quarter in _quarters_before(day):
        yield f"welfare/afgesloten_zaken_{year}K{quarter}.csv", csv(_closed(city, day, year, quarter, numbers))
    yield f"welfare/vroegsignalen_{day}.csv", csv(_signals(city, day, numbers, neighbourhoods))


def csv(frame: pl.DataFrame) -> bytes:
    """An extract as the benefit administration writes it: `;` between the fields, nothing where a value is blank."""
    blanks_empty = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    return blanks_empty.write_csv(separator=";").encode()


def benefit_cases(city: City, day: date, numbers: Texts, neighbourhoods: Texts) -> pl.DataFrame:
    """All cases since ten years before the first of January; each recipient has one before somebody has a second."""
    first = date(day.year - YEARS, 1, 1)
    random = generator(city, "benefit cases", first)
    count = CASES_A_YEAR * (YEARS + 1)
    started = np.sort(random.integers(0, (date(day.year + 1, 1, 1) - first).days, count))
    ended = started + np.ceil(random.lognormal(6.4, 1.1, count)).astype(np.int64)
    person = np.arange(count) % RECIPIENTS
    today = (day - first).days
    has_ended = ended <= today
    frame = pl.DataFrame(
        {
            "zaaknummer": [f"U{first.year % 100:02}.{n:06}" for n in range(count)],
            "bsn": numbers[person],
            "regeling": one_of(random, _SCHEMES, count),
            "ingangsdatum": days_after(first, started),
            "einddatum": np.where(has_ended, days_after(first, ended), ""),
            "buurtcode": np.where(random.random(count) < 0.01, "", neighbourhoods[person]),
            "reden_instroom": one_of(random, _INFLOW, count),
            "reden_uitstroom": np.where(has_ended, one_of(random, _OUTFLOW, count), ""),
        }
    ).filter(started <= today)
    chance = generator(city, "faults of benefit cases", day)
    ended_rows = np.flatnonzero(frame["einddatum"].to_numpy() != "")
    backward = dict.fromkeys(chance.choice(ended_rows, BACKWARD_CASES, replace=False).tolist(), f"{first - timedelta(days=30)}")
    return spoilt(_replaced(frame, "einddatum", backward), "ingangsdatum", chance, spare=set(backward))


def _closed(city: City, day: date, year: int, quarter: int, numbers: Texts) -> pl.DataFrame:
    """Cases of unlawful payment closed in a quarter; of the last two quarters more can still be overturned."""
    first, after = _quarter(year, quarter), _quarter(year + quarter // 4, quarter % 4 + 1)
    random = generator(city, "closed cases", year, quarter)
    count = CLOSED_A_QUARTER
    kinds = [(cause, step, channel) for cause in _CAUSES for step in _STEPS for channel in _CHANNELS]
    chances = np.array([_CAUSES[a] * _STEPS[b] * _CHANNELS[c] + _LIFT * ((a, b, c) == LIFTED) for a, b, c in kinds])
    drawn = np.array(kinds)[random.choice(len(kinds), count, p=chances / chances.sum())]
    is_late = (day - after).days < 180
    return pl.DataFrame(
        {
            "zaaknummer": [f"T{year}.{quarter}.{n:04}" for n in range(count)],
            "bsn": random.choice(numbers[:RECIPIENTS], count),
            "afgesloten_op": np.sort(days_after(first, random.integers(0, (after - first).days, count))),
            "oorzaak": drawn[:, 0],
            "processtap": drawn[:, 1],
            "kanaal": drawn[:, 2],
            "bedrag_eur": [f"{amount:.2f}".replace(".", ",") for amount in random.lognormal(6.5, 0.9, count)],
            "onherroepelijk": np.where(random.random(count) < (_OPEN_STILL_LATELY if is_late else _OPEN_STILL), "nee", "ja"),
        }
    )


def _signals(city: City, day: date, numbers: Texts, neighbourhoods: Texts) -> pl.DataFrame:
    """Signals of two years, week by week: picked up within four weeks or not at all, and contact made or not."""
    monday = day - timedelta(days=day.weekday())
    weeks = [_signals_of(city, monday - timedelta(weeks=n), day, numbers, neighbourhoods) for n in range(WEEKS - 1, -1, -1)]
    return spoilt(pl.concat(weeks), "signaaldatum", generator(city, "faults of early signals", day))


def _signals_of(city: City, monday: date, day: date, numbers: Texts, neighbourhoods: Texts) -> pl.DataFrame:
    random = generator(city, "early signals", monday)
    count = int(random.poisson(SIGNALS_A_WEEK))
    person = random.integers(0, len(numbers), count)
    sent = np.sort(random.integers(0, 5, count))
    picked_up = sent + random.integers(1, 29, count)
    closed = picked_up + random.integers(7, 90, count)
    today = (day - monday).days
    partner = one_of(random, _PARTNERS, count)
    is_taken = random.random(count) < PICKED_UP_SHARE
    is_reached = random.random(count) < np.array([REACHED_SHARE[p] for p in partner])
    result = np.where(is_reached, one_of(random, _RESULTS, count), "niet_bereikt")
    is_picked_up, is_closed = is_taken & (picked_up <= today), is_taken & (closed <= today)
    status = np.select(
        [is_closed, is_picked_up, ~is_taken & (sent + 28 < today)], ["afgesloten", "in_behandeling", "niet_opgepakt"], "open"
    )
    return pl.DataFrame(
        {
            "signaalnummer": [f"V{monday:%y%m%d}.{n:04}" for n in range(count)],
            "bsn": numbers[person],
            "signaaldatum": days_after(monday, sent),
            "partner": partner,
            "buurtcode": neighbourhoods[person],
            "status": status,
            "datum_opgepakt": np.where(is_picked_up, days_after(monday, picked_up), ""),
            "contact_bereikt": np.where(is_picked_up, np.where(is_reached, "ja", "nee"), ""),
            "resultaat": np.where(is_closed, result, ""),
        }
    ).filter(sent <= today)


def spoilt(frame: pl.DataFrame, dated: str, random: Chance, spare: frozenset[int] | set[int] = frozenset()) -> pl.DataFrame:
    """The extract with invalid numbers, bad dates and doubled rows, each in rows of their own."""
    rows = [int(n) for n in random.permutation(frame.height) if int(n) not in spare]
    invalid, undated = rows[:INVALID_NUMBERS], rows[INVALID_NUMBERS : INVALID_NUMBERS + BAD_DATES]
    doubled = rows[INVALID_NUMBERS + BAD_DATES :][:DOUBLED_ROWS]
    misread_numbers = misread(frame["bsn"].gather(invalid).to_numpy())
    frame = _replaced(frame, "bsn", dict(zip(invalid, misread_numbers.tolist(), strict=True)))
    frame = _replaced(frame, dated, dict(zip(undated, random.choice(_BAD_DATES, BAD_DATES).tolist(), strict=True)))
    return pl.concat([frame, frame[doubled]])


def _replaced(frame: pl.DataFrame, column: str, values: Mapping[int, str]) -> pl.DataFrame:
    series = frame[column].to_list()
    for row, value in values.items():
        series[row] = value
    return frame.with_columns(pl.Series(column, series))


def one_of(random: Chance, shares: Mapping[str, float], count: int) -> Texts:
    """So many words, each as often as its share says."""
    return random.choice(np.array(list(shares)), count, p=np.array(list(shares.values())))


def days_after(first: date, after: NDArray[np.int64]) -> Texts:
    """ISO dates so many days after the first."""
    return (np.datetime64(first) + after).astype(str)


def _quarters_before(day: date) -> list[tuple[int, int]]:
    """Year and number of the last quarters that ended on or before a day, in order."""
    tomorrow = day + timedelta(days=1)
    last = tomorrow.year * 4 + (tomorrow.month - 1) // 3 - 1
    return [(n // 4, n % 4 + 1) for n in range(last - QUARTERS + 1, last + 1)]


def _quarter(year: int, quarter: int) -> date:
    return date(year, 3 * quarter - 2, 1)
