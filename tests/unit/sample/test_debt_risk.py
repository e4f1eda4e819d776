from datetime import date
from zoneinfo import ZoneInfo

import pytest

from groningen_data.sample import debt_risk, facts
from groningen_data.sample.facts import City


@pytest.fixture(scope="module")
def data() -> bytes:
    city = City(14, (date(2026, 3, 15),), ZoneInfo("Europe/Amsterdam"), facts.neighbourhoods(), facts.sites())
    ((path, data),) = debt_risk.payloads(city)
    assert path == "cbs/cbs_schulden_Kaart_risico_GM.csv"
    return data


def test_the_file_is_in_the_encoding_of_cbs_with_both_line_ends(data: bytes) -> None:
    assert "Súdwest-Fryslân".encode("iso-8859-1") in data
    assert 0 < data.count(b"\r\n") < data.count(b"\n")
    with pytest.raises(UnicodeDecodeError):
        data.decode("utf-8")


def test_years_are_partly_quoted_and_numbers_have_a_comma(data: bytes) -> None:
    lines = data.decode("iso-8859-1").replace("\r\n", "\n").splitlines()[1:]
    assert {line.split(";")[0] for line in lines} == {"2020", '"2024"'}
    assert all("." not in line for line in lines)
    assert any(line.endswith(";") for line in lines)


def test_municipalities_are_those_of_the_year(data: bytes) -> None:
    lines = data.decode("iso-8859-1").splitlines()
    years = {
        year: {line.split(";")[1].strip('"') for line in lines if line.strip('"').startswith(year)} for year in ("2020", "2024")
    }
    assert {"GM0003", "GM0010", "GM0024"} <= years["2020"]
    assert not {"GM0003", "GM0010", "GM0024"} & years["2024"]
    assert "GM1979" in years["2024"] - years["2020"]
    assert all("GM0014" in codes for codes in years.values())
