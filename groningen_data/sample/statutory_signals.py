"""Statutory signals of the Inlichtingenbureau and the outcomes of checks. All of it is made up.

The persons are test numbers (`persons.py`), the cases those of `welfare.py`. What is planted here is listed in `docs/sample-city.md`.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from groningen_data.privacy.service_numbers import service_number
from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City
from groningen_data.sample.persons import Texts, everybody
from groningen_data.sample.welfare import benefit_cases, csv, days_after, one_of, spoilt
from groningen_data.sample.wire import Payloads

WEEKS = 104
SIGNALS_A_WEEK = {
    "start_inkomstenverhouding": 22,
    "einde_inkomstenverhouding": 6,
    "voertuigen": 12,
    "studiefinanciering": 4,
    "kostendelers": 5,
    "uitkering_andere_gemeente": 2,
    "vermogen": 3,
    "detentie": 1,
}
SAMPLE_A_WEEK = 8
BASE_SHARE = 0.05
"""Of the cases that chance picks: the share that is paid unlawfully."""
WRONG_SHARE = 0.1
"""Of the signals that a rule has checked: the share whose fact is wrong."""
UNHEARD = 3
"""Adverse decisions that were taken without hearing the person."""

_ALREADY_KNOWN = 0.4
_ADVERSE_SHARE = 0.7
_REGISTERS = {
    "start_inkomstenverhouding": "UWV",
    "einde_inkomstenverhouding": "UWV",
    "voertuigen": "RDW",
    "studiefinanciering": "DUO",
    "kostendelers": "BRP",
    "uitkering_andere_gemeente": "gemeente",
    "vermogen": "Belastingdienst",
    "detentie": "anders",
}


@dataclass(frozen=True)
class Found:
    """What a rule finds: in signals of one kind that are not known already, received so many weeks before the last day."""

    signal_type: str
    unlawful_share: float
    first_week: int
    last_week: int = 0


FOUND = {
    "income_started": Found("start_inkomstenverhouding", 0.35, 40),
    "vehicle": Found("voertuigen", BASE_SHARE, 40, 4),
    "study_finance": Found("studiefinanciering", 0.25, 20),
}
"""Per rule: one that beats chance clearly, one that does not, and one that is too young to say."""

Chance = np.random.Generator


def payloads(city: City) -> Payloads:
    """Signals and outcomes of two years as they stand at the end of the last day."""
    day = city.days[-1]
    numbers, neighbourhoods = everybody(city)
    cases = _running_cases(city, day, numbers, neighbourhoods)
    monday = day - timedelta(days=day.weekday())
    mondays = [monday - timedelta(weeks=n) for n in range(WEEKS - 1, -1, -1)]
    signals = pl.concat([_signals_of(city, first, day, cases) for first in mondays])
    checks = pl.concat([_rule_checks(city, day, signals), *(_sample_checks(city, first, day, cases) for first in mondays)])
    signals = _with_status(signals, checks, day).select(
        "signaalnummer", "bsn", "zaaknummer", "signaalsoort", "register", "feitdatum", "ontvangen_op", "al_bekend", "status"
    )
    spoilt_signals = spoilt(signals, "feitdatum", generator(city, "faults of statutory signals", day))
    yield f"welfare/samenloopsignalen_{day}.csv", csv(spoilt_signals)
    yield f"welfare/controleuitkomsten_{day}.csv", csv(_with_care(city, day, checks.sort("uitkomstdatum", "onderzoeksnummer")))


def _running_cases(city: City, day: date, numbers: Texts, neighbourhoods: Texts) -> pl.DataFrame:
    """Cases with a number and dates that can be read; an end that is not there yet lies far ahead."""
    frame = benefit_cases(city, day, numbers, neighbourhoods).unique("zaaknummer", keep="first", maintain_order=True)
    dates = frame.with_columns(pl.col("ingangsdatum", "einddatum").str.to_date(strict=False))
    lasting = dates.with_columns(pl.col("einddatum").fill_null(date(9999, 12, 31)))
    return lasting.filter(pl.col("ingangsdatum").is_not_null(), service_number(pl.col("bsn")).is_not_null())


def _some_running(random: Chance, cases: pl.DataFrame, on: date, count: int) -> pl.DataFrame:
    running = cases.filter(pl.col("ingangsdatum") <= on, pl.col("einddatum") > on)
    return running.select("zaaknummer", "bsn")[random.integers(0, running.height, count)]


def _signals_of(city: City, monday: date, day: date, cases: pl.DataFrame) -> pl.DataFrame:
    """Signals received in a week: the fact lies one to nine weeks back."""
    random = generator(city, "statutory signals", monday)
    kinds = np.repeat(list(SIGNALS_A_WEEK), [int(random.poisson(count)) for count in SIGNALS_A_WEEK.values()])
    count = len(kinds)
    picked = _some_running(random, cases, monday - timedelta(weeks=9), count)
    received = random.integers(0, 5, count)
    return picked.with_columns(
        pl.Series("signaalnummer", [f"S{monday:%y%m%d}.{n:04}" for n in range(count)]),
        pl.Series("signaalsoort", kinds),
        pl.Series("register", [_REGISTERS[kind] for kind in kinds]),
        pl.Series("feitdatum", days_after(monday, received - random.integers(5, 60, count))),
        pl.Series("ontvangen_op", days_after(monday, received)),
        pl.Series("al_bekend", np.where(random.random(count) < _ALREADY_KNOWN, "ja", "nee")),
    ).filter(pl.col("ontvangen_op") <= str(day))


def _rule_checks(city: City, day: date, signals: pl.DataFrame) -> pl.DataFrame:
    """One to five weeks after a rule made a task of a signal, an employee has looked."""
    checks = []
    for rule, found in FOUND.items():
        random = generator(city, "checks of a rule", rule)
        first, last = (str(day - timedelta(weeks=weeks)) for weeks in (found.first_week, found.last_week))
        asked = signals.filter(
            pl.col("signaalsoort") == found.signal_type,
            pl.col("al_bekend") == "nee",
            pl.col("ontvangen_op").is_between(pl.lit(first), pl.lit(last)),
        )
        drawn = random.random(asked.height)
        lawful = np.where(drawn < found.unlawful_share + WRONG_SHARE, "feit_onjuist", "feit_juist_rechtmatig")
        outcome = np.where(drawn < found.unlawful_share, "feit_juist_onrechtmatig", lawful)
        waited = pl.lit(pl.Series("waited", random.integers(7, 36, asked.height)))
        checks.append(
            asked.select(
                pl.format("C{}", "signaalnummer").alias("onderzoeksnummer"),
                "zaaknummer",
                "signaalnummer",
                pl.lit(rule).alias("regel"),
                pl.lit("1").alias("regelversie"),
                (pl.col("ontvangen_op").str.to_date() + pl.duration(days=waited)).cast(pl.String).alias("uitkomstdatum"),
                pl.Series("uitkomst", outcome, pl.String),
            )
        )
    return pl.concat(checks).filter(pl.col("uitkomstdatum") <= str(day))


def _sample_checks(city: City, monday: date, day: date, cases: pl.DataFrame) -> pl.DataFrame:
    random = generator(city, "checks of the random sample", monday)
    count = int(random.poisson(SAMPLE_A_WEEK))
    picked = _some_running(random, cases, monday - timedelta(weeks=4), count)
    return picked.select(
        pl.Series("onderzoeksnummer", [f"A{monday:%y%m%d}.{n:03}" for n in range(count)], pl.String),
        "zaaknummer",
        pl.lit("").alias("signaalnummer"),
        pl.lit("random_sample").alias("regel"),
        pl.lit("0").alias("regelversie"),
        pl.Series("uitkomstdatum", days_after(monday, random.integers(0, 5, count)), pl.String),
        pl.Series(
            "uitkomst",
            one_of(random, {"feit_juist_onrechtmatig": BASE_SHARE, "niets_gevonden": 1 - BASE_SHARE}, count),
            pl.String,
        ),
    ).filter(pl.col("uitkomstdatum") <= str(day))


def _with_status(signals: pl.DataFrame, checks: pl.DataFrame, day: date) -> pl.DataFrame:
    """What was checked is handled, or went back to its register; what nobody was asked about is handled within eight weeks."""
    outcomes = checks.filter(pl.col("signaalnummer") != "").select("signaalnummer", "uitkomst")
    weeks_ago = pl.lit(day) - pl.col("ontvangen_op").str.to_date()
    status = (
        pl.when(pl.col("uitkomst") == "feit_onjuist")
        .then(pl.lit("terug_naar_bron"))
        .when(pl.col("uitkomst").is_not_null() | (weeks_ago > pl.duration(weeks=8)) | (pl.col("al_bekend") == "ja"))
        .then(pl.lit("afgehandeld"))
        .when(weeks_ago > pl.duration(weeks=3))
        .then(pl.lit("in_behandeling"))
        .otherwise(pl.lit("open"))
    )
    return signals.join(outcomes, on="signaalnummer", how="left", maintain_order="left").with_columns(status=status)


def _with_care(city: City, day: date, checks: pl.DataFrame) -> pl.DataFrame:
    """With what was done before an adverse decision: nearly always all that the law asks for."""
    random = generator(city, "care in decisions", day)
    is_adverse = (checks["uitkomst"] == "feit_juist_onrechtmatig").to_numpy() & (random.random(checks.height) < _ADVERSE_SHARE)
    is_heard = is_adverse | (random.random(checks.height) < 0.5)
    is_heard[random.choice(np.flatnonzero(is_adverse), UNHEARD, replace=False)] = False

    def told(name: str, values: object) -> pl.Series:
        return pl.Series(name, np.where(values, "ja", "nee"), pl.String)  # type: ignore[call-overload]

    return checks.with_columns(
        told("nadelig_besluit", is_adverse),
        pl.lit("ja").alias("gemotiveerd"),
        told("gehoord", is_heard),
        told("vier_ogen", is_adverse),
    )
