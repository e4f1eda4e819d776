import re
from datetime import date
from io import BytesIO
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from groningen_data.privacy.service_numbers import is_service_number, is_test_number
from groningen_data.sample import facts, welfare
from groningen_data.sample.facts import City
from groningen_data.sample.persons import RECIPIENTS, everybody

LAST_DAY = date(2026, 3, 15)


def city(*days: date, seed: int = 14) -> City:
    return City(seed, days or (LAST_DAY,), ZoneInfo("Europe/Amsterdam"), facts.neighbourhoods(), facts.sites())


@pytest.fixture(scope="module")
def extracts() -> dict[str, bytes]:
    return dict(welfare.payloads(city()))


def read(extracts: dict[str, bytes], name: str) -> pl.DataFrame:
    found = [data for path, data in extracts.items() if path.startswith(f"welfare/{name}_")]
    return pl.concat(pl.read_csv(BytesIO(data), separator=";", infer_schema=False) for data in found)


def test_the_same_city_gives_the_same_bytes(extracts: dict[str, bytes]) -> None:
    assert dict(welfare.payloads(city())) == extracts
    assert dict(welfare.payloads(city(seed=15))) != extracts


def test_the_number_of_days_makes_no_difference(extracts: dict[str, bytes]) -> None:
    assert dict(welfare.payloads(city(date(2026, 3, 14), LAST_DAY))) == extracts


def test_extracts_are_named_after_their_day_or_quarter(extracts: dict[str, bytes]) -> None:
    quarters = [f"welfare/afgesloten_zaken_{year}K{quarter}.csv" for year in (2023, 2024, 2025) for quarter in (1, 2, 3, 4)]
    assert sorted(extracts) == [*quarters, "welfare/uitkeringen_2026-03-15.csv", "welfare/vroegsignalen_2026-03-15.csv"]


@pytest.mark.parametrize(
    ("day", "last_quarter"), [(date(2026, 3, 31), "2026K1"), (date(2026, 3, 30), "2025K4"), (date(2025, 12, 31), "2025K4")]
)
def test_a_quarter_is_delivered_once_it_has_ended(day: date, last_quarter: str) -> None:
    quarters = [path for path in dict(welfare.payloads(city(day))) if "afgesloten" in path]
    assert len(quarters) == welfare.QUARTERS
    assert quarters[-1].endswith(f"_{last_quarter}.csv")


def test_a_quarter_stays_as_it_is_on_a_later_day(extracts: dict[str, bytes]) -> None:
    later = dict(welfare.payloads(city(date(2026, 3, 29))))
    assert all(later[path] == data for path, data in extracts.items() if "2024K" in path)


def test_all_persons_are_of_the_test_range_and_a_few_numbers_are_misread(extracts: dict[str, bytes]) -> None:
    for name in ("uitkeringen", "vroegsignalen"):
        numbers = read(extracts, name)["bsn"].to_list()
        assert all(number.startswith("9999") for number in numbers)
        assert sum(not is_service_number(number) for number in numbers) == welfare.INVALID_NUMBERS
    assert all(map(is_test_number, read(extracts, "afgesloten_zaken")["bsn"]))


def test_nothing_but_the_number_of_a_person_looks_like_one(extracts: dict[str, bytes]) -> None:
    for data in extracts.values():
        rest = pl.read_csv(BytesIO(data), separator=";", infer_schema=False).drop("bsn").write_csv(separator=";")
        assert not [n for n in re.findall(r"[0-9]{9,}", rest) if len(n) == 9]


def test_each_person_has_a_number_of_its_own_and_a_known_neighbourhood() -> None:
    numbers, neighbourhoods = everybody(city())
    assert len(set(numbers)) == len(numbers) == 9_091
    assert set(neighbourhoods) <= {n.code for n in facts.neighbourhoods()}


def test_eight_thousand_persons_had_eleven_thousand_cases(extracts: dict[str, bytes]) -> None:
    cases = read(extracts, "uitkeringen")
    assert 10_500 < cases["zaaknummer"].n_unique() < 11_500
    assert RECIPIENTS - 20 < cases["bsn"].n_unique() <= RECIPIENTS + welfare.INVALID_NUMBERS
    assert cases["zaaknummer"].is_duplicated().sum() == 2 * welfare.DOUBLED_ROWS
    assert 0.15 < cases["einddatum"].is_null().mean() < 0.5
    days = cases["ingangsdatum"].str.to_date("%Y-%m-%d", strict=False)
    assert days.null_count() == welfare.BAD_DATES
    assert (days.min(), days.max()) == (date(2016, 1, 1), LAST_DAY)


def test_one_cause_step_and_channel_occur_together_twice_as_often_as_expected(extracts: dict[str, bytes]) -> None:
    cases = read(extracts, "afgesloten_zaken")
    columns = ("oorzaak", "processtap", "kanaal")
    is_lifted = [cases[column] == value for column, value in zip(columns, welfare.LIFTED, strict=True)]
    expected = is_lifted[0].mean() * is_lifted[1].mean() * is_lifted[2].mean()
    assert 1.8 < (is_lifted[0] & is_lifted[1] & is_lifted[2]).mean() / expected < 2.2


def test_more_of_the_latest_cases_can_still_be_overturned(extracts: dict[str, bytes]) -> None:
    cases = read(extracts, "afgesloten_zaken").with_columns(is_late=pl.col("afgesloten_op") >= "2025-10-01")
    shares = dict(cases.group_by("is_late").agg((pl.col("onherroepelijk") == "nee").mean()).iter_rows())
    assert shares[False] < 0.05 < 0.1 < shares[True] < 0.2


def test_signals_arrive_week_by_week_and_contact_is_made_as_planted(extracts: dict[str, bytes]) -> None:
    signals = read(extracts, "vroegsignalen")
    weeks = signals["signaaldatum"].str.to_date("%Y-%m-%d", strict=False).dt.truncate("1w").drop_nulls().value_counts()
    assert weeks.height == welfare.WEEKS
    assert 140 < weeks["count"].mean() < 160
    picked_up = signals.filter(pl.col("contact_bereikt").is_not_null())
    reached = picked_up.group_by("partner").agg((pl.col("contact_bereikt") == "ja").mean())
    assert {p: pytest.approx(share, abs=0.03) for p, share in reached.iter_rows()} == welfare.REACHED_SHARE


def test_a_signal_has_a_result_only_when_it_is_closed(extracts: dict[str, bytes]) -> None:
    signals = read(extracts, "vroegsignalen")
    assert signals.filter((pl.col("status") == "afgesloten") != pl.col("resultaat").is_not_null()).is_empty()
    assert signals.filter(pl.col("contact_bereikt").is_not_null() != pl.col("datum_opgepakt").is_not_null()).is_empty()
    assert signals["datum_opgepakt"].drop_nulls().max() <= str(LAST_DAY)
    assert set(signals["status"]) == {"open", "in_behandeling", "afgesloten", "niet_opgepakt"}
