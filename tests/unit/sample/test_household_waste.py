import csv
import io
import zipfile
from collections import Counter

import pytest

from groningen_data.sample import household_waste
from tests.unit.sample.cities import city_of


@pytest.fixture(scope="module")
def parts() -> dict[str, list[dict[str, str]]]:
    ((path, data),) = household_waste.payloads(city_of(2))
    assert path == "cbs/83452NED.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        texts = {name.removesuffix(".csv"): archive.read(name) for name in archive.namelist()}
    assert all(text.startswith(b"\xef\xbb\xbf") and text.endswith(b"\r\n") for text in texts.values())
    return {name: list(csv.DictReader(io.StringIO(text.decode("utf-8-sig")), delimiter=";")) for name, text in texts.items()}


def test_the_table_announces_what_it_holds(parts):
    assert parts["Properties"][0]["Title"] == "Huishoudelijk afval per gemeente per inwoner"
    assert int(parts["Properties"][0]["ObservationCount"]) == len(parts["Observations"]) == 907
    assert {len(row["RegioS"]) for row in parts["Observations"]} == {6}
    assert [p["Status"] for p in parts["PeriodenCodes"]] == ["Definitief"] * 23 + ["Voorlopig"]


def test_cells_without_a_figure_are_left_out(parts):
    cells = Counter((row["RegioS"], row["Perioden"]) for row in parts["Observations"])
    assert ("GM1783", "2019JJ00") not in cells
    assert cells["GM0014", "2009JJ00"] == 7 and cells["GM0014", "2010JJ00"] == 8


def test_the_total_is_that_of_its_kinds(parts):
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in parts["Observations"]:
        found.setdefault((row["RegioS"], row["Perioden"]), {})[row["Afvalsoort"]] = float(row["Value"].replace(",", "."))
    for cell in found.values():
        assert cell.pop("T001616") == pytest.approx(sum(cell.values()))


def test_the_table_made_twice_is_the_same_to_the_byte():
    assert list(household_waste.payloads(city_of(2))) == list(household_waste.payloads(city_of(2)))
