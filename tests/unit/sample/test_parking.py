import io

import polars as pl
import pytest

from groningen_data.sample import parking
from tests.unit.sample.cities import city_of

COLUMNS = {
    "traffic/parking.csv": "parkeernummer;naam;soort;capaciteit;breedtegraad;lengtegraad",
    "traffic/charge_points.csv": "laadpaalnummer;exploitant;aansluitingen;vermogen_kw;status;breedtegraad;lengtegraad",
}


@pytest.fixture(scope="module")
def files() -> dict[str, pl.DataFrame]:
    return {path: pl.read_csv(io.BytesIO(data), separator=";") for path, data in parking.payloads(city_of(2))}


def test_lists_have_the_form_of_the_contract(files: dict[str, pl.DataFrame]) -> None:
    assert {path: ";".join(frame.columns) for path, frame in files.items()} == COLUMNS
    for frame in files.values():
        assert not frame[:, 0].is_duplicated().any() and sum(frame.null_count().row(0)) == 0
        assert frame["breedtegraad"].is_between(53.1, 53.3).all() and frame["lengtegraad"].is_between(6.4, 6.8).all()


def test_car_parks_are_the_same_for_every_seed_and_charge_points_are_not() -> None:
    one, other = dict(parking.payloads(city_of(2))), dict(parking.payloads(city_of(30, seed=15)))
    assert one["traffic/parking.csv"] == other["traffic/parking.csv"]
    assert one["traffic/charge_points.csv"] != other["traffic/charge_points.csv"]
    assert one == dict(parking.payloads(city_of(30)))


def test_one_charge_point_in_twenty_is_out_of_order(files: dict[str, pl.DataFrame]) -> None:
    statuses = dict(files["traffic/charge_points.csv"]["status"].value_counts().iter_rows())
    broken = parking.CHARGE_POINTS // parking.BROKEN_EVERY
    assert statuses == {"storing": broken, "in bedrijf": parking.CHARGE_POINTS - broken}
