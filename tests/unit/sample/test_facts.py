import csv

import pytest

from groningen_data.sample.facts import REFERENCE, neighbourhoods, sites


def test_neighbourhoods_have_distinct_centres_with_three_decimals() -> None:
    centres = [n.centre for n in neighbourhoods()]
    assert len(set(centres)) == len(centres) == 151
    assert all(round(x, 3) == x and round(y, 3) == y for x, y in centres)


def test_a_missing_figure_is_none_and_not_zero() -> None:
    assert sum(n.inhabitants is None for n in neighbourhoods()) == 11


def test_detectors_are_named_after_their_site_and_lane() -> None:
    for site in sites():
        assert site.detectors == [f"{site.id}_{lane}" for lane in range(1, site.lanes + 1)]


@pytest.mark.parametrize("name", ["groningen_neighbourhoods.csv", "groningen_traffic_sites.csv"])
def test_every_row_of_the_reference_names_its_source(name: str) -> None:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as stream:
        assert all(row["source"] for row in csv.DictReader(stream))
