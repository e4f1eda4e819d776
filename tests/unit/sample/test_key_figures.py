import json
from pathlib import Path
from typing import Any

import pytest

SUFFIX_OF_2020 = "_83"


@pytest.fixture(scope="module")
def values(folder: Path) -> list[dict[str, Any]]:
    return document(folder, "TypedDataSet")["value"]


@pytest.fixture(scope="module")
def topics(folder: Path) -> list[dict[str, Any]]:
    return [row for row in document(folder, "DataProperties")["value"] if row["Type"] == "Topic"]


def document(folder: Path, part: str) -> Any:
    return json.loads((folder / f"cbs/cbs.v3.85984NED_{part}.json").read_text(encoding="utf-8"))


def column(topics: list[dict[str, Any]], title: str) -> str:
    (found,) = [t["Key"] for t in topics if t["Title"].strip() == title]
    return str(found)


def of_kind(values: list[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    return [row for row in values if row["WijkenEnBuurten"].startswith(prefix)]


@pytest.mark.parametrize("part", ["TypedDataSet", "DataProperties", "WijkenEnBuurten"])
def test_a_document_names_what_it_is(folder: Path, part: str) -> None:
    found = document(folder, part)
    assert list(found) == ["odata.metadata", "value"]
    assert found["odata.metadata"].endswith(f"/85984NED/$metadata#Cbs.OData.WebAPI.{part}")


def test_the_table_says_its_name_year_and_release(folder: Path) -> None:
    facts = document(folder, "Metadata")
    assert (facts["Identifier"], facts["Title"]) == ("85984NED", "Kerncijfers wijken en buurten 2024")
    assert facts["Modified"] < "2026-03-02"


def test_regions_are_the_country_two_municipalities_and_all_areas_of_groningen(values: list[dict[str, Any]]) -> None:
    assert [len(of_kind(values, prefix)) for prefix in ("NL00", "GM0014", "GM0106", "WK0014", "BU0014")] == [1, 1, 1, 20, 151]
    assert len(values) == 174


def test_codes_and_names_are_padded_as_cbs_pads_them(values: list[dict[str, Any]]) -> None:
    assert {len(row["WijkenEnBuurten"]) for row in values} == {10}
    assert {len(row["Gemeentenaam_1"]) for row in values} == {40}


def test_every_column_of_the_values_is_a_measure_with_its_number(
    values: list[dict[str, Any]], topics: list[dict[str, Any]]
) -> None:
    assert set(values[0]) == {"ID", "WijkenEnBuurten"} | {t["Key"] for t in topics}
    assert all(t["Key"].endswith(f"_{t['Position']}") for t in topics)


def test_a_number_behind_a_column_name_is_not_that_of_another_year(topics: list[dict[str, Any]]) -> None:
    assert not column(topics, "Personen per soort uitkering; Bijstand").endswith(SUFFIX_OF_2020)
    assert not column(topics, "Aantal inwoners").endswith("_5")


def test_recipients_are_in_tens_and_partly_withheld(values: list[dict[str, Any]], topics: list[dict[str, Any]]) -> None:
    key = column(topics, "Personen per soort uitkering; Bijstand")
    recipients = [row[key] for row in of_kind(values, "BU0014")]
    assert 20 < sum(r is None for r in recipients) < 75
    assert all(r % 10 == 0 for r in recipients if r is not None)
    assert of_kind(values, "GM0014")[0][key] > sum(r or 0 for r in recipients)


def test_no_more_recipients_than_inhabitants_of_age(values: list[dict[str, Any]], topics: list[dict[str, Any]]) -> None:
    recipients = column(topics, "Personen per soort uitkering; Bijstand")
    inhabitants, children = column(topics, "Aantal inwoners"), column(topics, "0 tot 15 jaar")
    known = [row for row in of_kind(values, "BU0014") if row[recipients] is not None]
    assert all(row[recipients] <= 0.12 * (row[inhabitants] - row[children]) + 10 for row in known)


def test_ages_add_up_to_the_inhabitants(values: list[dict[str, Any]], topics: list[dict[str, Any]]) -> None:
    titles = ("0 tot 15 jaar", "15 tot 25 jaar", "25 tot 45 jaar", "45 tot 65 jaar", "65 jaar of ouder")
    ages = [column(topics, title) for title in titles]
    inhabitants = column(topics, "Aantal inwoners")
    known = [row for row in of_kind(values, "BU0014") if row[inhabitants] is not None]
    assert all(abs(sum(row[age] for age in ages) - row[inhabitants]) <= 15 for row in known)


@pytest.mark.parametrize("title", ["Aantal inkomensontvangers", "Huishoudens met een laag inkomen", "Wmo-cliënten"])
def test_a_measure_not_yet_released_is_empty_everywhere(
    values: list[dict[str, Any]], topics: list[dict[str, Any]], title: str
) -> None:
    key = column(topics, title)
    assert all(row[key] is None for row in values)


@pytest.fixture(scope="module")
def earlier(folder: Path) -> dict[str, Any]:
    """The parts of the table of 2023 by name; pages of observations under their number."""
    found = (folder / "cbs").glob("cbs.v4.85618NED_*.json")
    return {path.stem.split("_", 1)[1]: json.loads(path.read_text(encoding="utf-8")) for path in found}


def test_the_earlier_year_comes_in_version_4(earlier: dict[str, Any]) -> None:
    assert earlier["Properties"]["Title"] == "Kerncijfers wijken en buurten 2023"
    parts = {"Properties", "Dimensions", "MeasureCodes", "MeasureGroups", "WijkenEnBuurtenCodes"}
    assert parts | {"Observations_1", "Observations_2"} == set(earlier)
    assert all(
        answer["@odata.context"].startswith("https://datasets.cbs.nl/odata/v1/CBS/85618NED/") for answer in earlier.values()
    )


def test_observations_come_in_pages_that_link_to_the_next(earlier: dict[str, Any]) -> None:
    first, last = earlier["Observations_1"], earlier["Observations_2"]
    assert first["@odata.nextLink"].endswith("$skip=3000")
    assert "@odata.nextLink" not in last
    assert len(first["value"]) == 3000
    assert len(first["value"]) + len(last["value"]) == earlier["Properties"]["ObservationCount"]


def test_a_figure_that_is_missing_has_no_observation(earlier: dict[str, Any]) -> None:
    seen = [*earlier["Observations_1"]["value"], *earlier["Observations_2"]["value"]]
    assert all((row["Value"] is None) == (row["ValueAttribute"] != "None") for row in seen)
    assert 0 < sum(row["ValueAttribute"] == "Impossible" for row in seen) < 20
    (assistance,) = [m["Identifier"] for m in earlier["MeasureCodes"]["value"] if m["Title"].endswith("; Bijstand")]
    shown = {row["WijkenEnBuurten"] for row in seen if row["Measure"] == assistance and row["WijkenEnBuurten"].startswith("BU")}
    assert 75 < len(shown) < 130


def test_neighbourhoods_of_the_earlier_year_have_their_codes_of_then(earlier: dict[str, Any]) -> None:
    codes = {row["Identifier"]: row["Title"] for row in earlier["WijkenEnBuurtenCodes"]["value"]}
    assert (codes["BU00140808"], codes["BU00140807"]) == ("Peizerweg", "Suikerfabriekterrein")
    assert not {"BU00140110", "BU00140908", "BU00140909"} & set(codes)
