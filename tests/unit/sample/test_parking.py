import io

import polars as pl

from groningen_data.sample import parking
from tests.unit.sample.cities import city_of


def test_the_list_has_the_form_of_the_contract() -> None:
    [(path, data)] = parking.payloads(city_of(2))
    frame = pl.read_csv(io.BytesIO(data), separator=";")
    assert path == "traffic/parking.csv"
    assert frame.columns == ["parkeernummer", "naam", "soort", "capaciteit", "breedtegraad", "lengtegraad"]
    assert not frame["parkeernummer"].is_duplicated().any() and sum(frame.null_count().row(0)) == 0
    assert frame["breedtegraad"].is_between(53.1, 53.3).all() and frame["lengtegraad"].is_between(6.4, 6.8).all()


def test_car_parks_are_the_same_for_every_seed() -> None:
    assert dict(parking.payloads(city_of(2))) == dict(parking.payloads(city_of(30, seed=15)))
