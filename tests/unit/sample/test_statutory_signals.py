import re
from datetime import date
from io import BytesIO
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from groningen_data.privacy.service_numbers import is_service_number, is_test_number
from groningen_data.sample import facts, welfare
from groningen_data.sample.facts import City
from groningen_data.sample.persons import everybody
from groningen_data.sample.statutory_signals import BASE_SHARE, FOUND, UNHEARD, WRONG_SHARE, payloads

LAST_DAY = date(2026, 3, 15)


def city(*days: date, seed: int = 14) -> City:
    return City(seed, days or (LAST_DAY,), ZoneInfo("Europe/Amsterdam"), facts.neighbourhoods(), facts.sites())


@pytest.fixture(scope="module")
def extracts() -> dict[str, bytes]:
    return dict(payloads(city()))


def read(data: bytes) -> pl.DataFrame:
    return pl.read_csv(BytesIO(data), separator=";", infer_schema=False)


@pytest.fixture(scope="module")
def signals(extracts) -> pl.DataFrame:
    return read(extracts["welfare/samenloopsignalen_2026-03-15.csv"])


@pytest.fixture(scope="module")
def checks(extracts) -> pl.DataFrame:
    return read(extracts["welfare/controleuitkomsten_2026-03-15.csv"])


def test_the_same_city_gives_the_same_bytes_whatever_its_days(extracts):
    assert dict(payloads(city())) == extracts == dict(payloads(city(date(2026, 3, 14), LAST_DAY)))
    assert dict(payloads(city(seed=15))) != extracts


def test_all_persons_are_of_the_test_range_and_a_few_numbers_are_misread(signals, checks):
    numbers = signals["bsn"].to_list()
    assert sum(not is_service_number(n) for n in numbers) == welfare.INVALID_NUMBERS
    assert all(is_test_number(n) for n in numbers if is_service_number(n))
    assert "bsn" not in checks.columns
    assert not [n for n in re.findall(r"[0-9]{9}", checks.write_csv()) if is_service_number(n)]


def test_a_signal_is_of_a_case_that_ran_and_of_its_person(signals):
    cases = welfare.benefit_cases(city(), LAST_DAY, *everybody(city())).unique("zaaknummer", keep="first")
    joined = signals.join(cases, on="zaaknummer", how="left", suffix="_case")
    assert joined["bsn_case"].null_count() == 0
    assert joined.filter(pl.col("bsn") != pl.col("bsn_case")).height <= welfare.INVALID_NUMBERS
    assert joined.filter(pl.col("feitdatum") < pl.col("ingangsdatum")).height <= welfare.BAD_DATES


def test_a_fact_comes_before_its_signal_and_nothing_is_of_tomorrow(signals, checks):
    dated = signals.filter(pl.col("feitdatum").str.contains(r"^20\d\d-(0[1-9]|1[0-2])-"))
    assert dated.filter(pl.col("feitdatum") >= pl.col("ontvangen_op")).is_empty()
    assert signals["ontvangen_op"].max() <= str(LAST_DAY) and checks["uitkomstdatum"].max() <= str(LAST_DAY)


def test_checks_of_rules_are_of_signals_that_were_not_known(signals, checks):
    asked = (
        checks.filter(pl.col("signaalnummer").is_not_null()).join(signals, on="signaalnummer", how="left").unique("signaalnummer")
    )
    kinds = {rule: found.signal_type for rule, found in FOUND.items()}
    assert asked.filter(pl.col("signaalsoort") != pl.col("regel").replace_strict(kinds)).is_empty()
    assert set(asked["al_bekend"]) == {"nee"}
    assert set(asked.filter(uitkomst="feit_onjuist")["status"]) == {"terug_naar_bron"}


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_rules_and_chance_find_what_was_planted(seed):
    found = read(dict(payloads(city(seed=seed)))["welfare/controleuitkomsten_2026-03-15.csv"])
    share = {
        rule: (checks, unlawful / checks)
        for rule, checks, unlawful in found.group_by("regel")
        .agg(pl.len(), (pl.col("uitkomst") == "feit_juist_onrechtmatig").sum().alias("unlawful"))
        .iter_rows()
    }
    planted = {rule: rule_found.unlawful_share for rule, rule_found in FOUND.items()} | {"random_sample": BASE_SHARE}
    for rule, expected in planted.items():
        checks, observed = share[rule]
        # Four standard errors of a share.
        assert observed == pytest.approx(expected, abs=4 * (expected * (1 - expected) / checks) ** 0.5), rule
    assert share["vehicle"][0] >= 200 > share["study_finance"][0]
    of_rules = found.filter(pl.col("regel") != "random_sample")
    assert (of_rules["uitkomst"] == "feit_onjuist").mean() == pytest.approx(WRONG_SHARE, abs=0.045)
    unheard = found.filter(nadelig_besluit="ja", gehoord="nee")
    assert unheard.height == UNHEARD and set(found.filter(nadelig_besluit="ja")["vier_ogen"]) == {"ja"}
