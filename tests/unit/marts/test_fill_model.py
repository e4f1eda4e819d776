"""The fill model on made-up series with a known truth: better than simple forecasts, with intervals that hold, seed after seed."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from groningen_data.contracts.collective.forecast_scores import BASELINES, FILL_MODEL
from groningen_data.marts import fill_model
from groningen_data.marts.fill_model import History
from groningen_data.marts.forecast_scores import errors, scores

SEEDS = (1, 2, 3, 4, 5)
FIRST = date(2026, 1, 5)
WEEK = np.array([1.3, 0.8, 0.8, 0.9, 1.0, 1.4, 0.8])
CONTAINERS, DAYS = 150, 70


def series(seed: int, containers: int = CONTAINERS, days: int = DAYS, week=WEEK, own=(), misread: float = 0.0) -> History:
    """Containers with rates of their own and one week; those in `own` have its reverse. A container is never emptied."""
    chance = np.random.default_rng(seed)
    rate = chance.uniform(4, 25, containers)
    weeks = np.tile(week, (containers, 1))
    weeks[list(own)] = week[::-1] + 2 * (week[::-1] - 1)
    weekdays = (FIRST.weekday() + np.arange(days)) % 7
    came_in = chance.gamma(1 / 0.3**2, 0.3**2 * rate[:, None] * weeks[:, weekdays])
    wrong = misread * chance.standard_normal((containers, days + 1))
    inflow = came_in + np.diff(wrong, axis=1)
    inflow[chance.random(inflow.shape) < 0.03] = np.nan
    last_fill = np.tile(np.linspace(10, 60, containers)[:, None], (1, days))
    day_list = tuple(FIRST + timedelta(days=n) for n in range(days))
    codes = tuple(f"c{n:04}" for n in range(containers))
    groups = np.array(["residual"] * containers)
    return History(codes, groups, day_list, inflow, last_fill, np.zeros_like(inflow), np.zeros(inflow.shape, dtype=bool))


def held_back(history: History, weeks: int = 3) -> list[date]:
    return [day for day in history.days[-7 * weeks - 7 : -7] if day.toordinal() % 5 == 0]


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed {seed}")
def found(request) -> pl.DataFrame:
    history = series(request.param)
    return scores(errors(history, held_back(history)))


def column(found: pl.DataFrame, model: str, name: str) -> np.ndarray:
    return found.filter(model_code=model).sort("horizon_days")[name].to_numpy()


@pytest.mark.parametrize("baseline", BASELINES)
def test_it_beats_simpler_forecasts_at_every_horizon(found, baseline):
    assert (column(found, FILL_MODEL, "fill_mae_pct") < column(found, baseline, "fill_mae_pct")).all()
    assert (column(found, FILL_MODEL, "fill_crps_pct") < 0.8 * column(found, baseline, "fill_crps_pct")).all()
    # At the last day ahead the week is round, and only what weekdays add within it is won.
    assert column(found, FILL_MODEL, "inflow_mae_pct").mean() < 0.95 * column(found, baseline, "inflow_mae_pct").mean()


def test_its_interval_holds_and_it_is_not_off_to_one_side(found):
    coverage = column(found, FILL_MODEL, "coverage_80")
    assert coverage.min() > 0.74 and coverage.max() < 0.86
    assert np.abs(column(found, FILL_MODEL, "fill_bias_pct")).max() < 2.0


@pytest.mark.parametrize("seed", SEEDS)
def test_it_comes_near_to_who_knows_the_truth(seed):
    history = series(seed)
    chance = np.random.default_rng(seed)
    rate = chance.uniform(4, 25, CONTAINERS)
    known = fill_model.forecast(history, history.days[-8])
    truth = rate[:, None] * WEEK[[(known.made_from.weekday() + n) % 7 for n in range(1, 8)]]
    assert np.mean(np.abs(known.inflow - truth) / truth) < 0.08


@pytest.mark.parametrize("seed", SEEDS)
def test_a_container_with_a_week_of_its_own_keeps_it_and_the_others_are_not_led_astray(seed):
    own = range(0, CONTAINERS, 10)
    history = series(seed, own=own)
    added = fill_model.forecast(history)
    weekdays = [(added.made_from.weekday() + n) % 7 for n in range(1, 8)]
    shape = added.inflow / added.inflow.mean(axis=1, keepdims=True)
    like_city = np.array([np.corrcoef(row, WEEK[weekdays])[0, 1] for row in shape])
    is_own = np.isin(np.arange(CONTAINERS), list(own))
    assert np.median(like_city[is_own]) < 0 < 0.9 < np.median(like_city[~is_own])


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_sensor_misreads_does_not_add_up_over_days(seed):
    history = series(seed, misread=4.0)
    found = scores(errors(history, held_back(history)))
    coverage = column(found, FILL_MODEL, "coverage_80")
    # Taken for inflow, it would make the interval of a week ahead too wide.
    assert coverage.min() > 0.74 and coverage.max() < 0.91


def test_a_forecast_does_not_look_ahead():
    history = series(6)
    origin = history.days[-15]
    later = history.inflow.copy()
    later[:, -14:] = 90.0
    changed = History(*(later if value is history.inflow else value for value in vars_of(history)))
    before, after = fill_model.forecast(history, origin), fill_model.forecast(changed, origin)
    assert np.array_equal(before.fill, after.fill) and np.array_equal(before.quantile(0.9), after.quantile(0.9))


def vars_of(history: History):
    return (
        history.codes,
        history.groups,
        history.days,
        history.inflow,
        history.last_fill,
        history.rest_share,
        history.weighed,
    )


def flat(inflow: float = 10.0, days: int = 28) -> dict[str, np.ndarray]:
    one = np.full((1, days), inflow)
    return {
        "inflow": one,
        "last_fill": np.full((1, days), 50.0),
        "rest_share": np.zeros((1, days)),
        "weighed": np.zeros((1, days), dtype=bool),
    }


def made(parts: dict[str, np.ndarray]) -> fill_model.Forecast:
    days = tuple(FIRST + timedelta(days=n) for n in range(parts["inflow"].shape[1]))
    return fill_model.forecast(History(("a",), np.array(["glass"]), days, **parts))


def test_a_steady_container_rises_by_its_inflow():
    known = made(flat())
    assert known.fill.ravel() == pytest.approx([60, 70, 80, 90, 100, 110, 120], abs=0.1)
    assert known.reaches(100.0)[0, 3] < 0.01 and known.reaches(100.0)[0, 5] > 0.99


def test_what_comes_after_the_last_reading_of_a_day_is_added():
    parts = flat()
    parts["rest_share"][0, -1] = 0.25
    assert made(parts).start_fill[0] == pytest.approx(52.5, abs=0.1)


def test_a_silent_container_is_followed_from_its_last_reading_with_a_wider_interval():
    parts, loud = flat(), flat()
    for one in (parts, loud):
        one["inflow"][0] = np.random.default_rng(1).gamma(25, 0.4, 28)
    parts["inflow"][0, -2:] = parts["last_fill"][0, -2:] = parts["rest_share"][0, -2:] = np.nan
    silent, heard = made(parts), made(loud)
    assert silent.start_fill[0] == pytest.approx(70, abs=3)
    width = [known.quantile(0.9)[0, 0] - known.quantile(0.1)[0, 0] for known in (silent, heard)]
    assert width[0] > 1.3 * width[1]


def test_a_silent_container_that_a_vehicle_weighed_since_starts_empty():
    parts = flat()
    parts["inflow"][0, -2:] = parts["last_fill"][0, -2:] = parts["rest_share"][0, -2:] = np.nan
    parts["weighed"][0, -1] = True
    assert made(parts).start_fill[0] == pytest.approx(5, abs=0.2)


def test_a_weighing_on_a_day_with_readings_changes_nothing():
    parts = flat()
    parts["weighed"][0, -1] = True
    assert made(parts).start_fill[0] == pytest.approx(50)


@pytest.mark.parametrize("silent_days, is_forecast", [(7, True), (8, False)])
def test_after_a_week_of_silence_nothing_is_forecast(silent_days, is_forecast):
    parts = flat()
    parts["inflow"][0, -silent_days:] = parts["last_fill"][0, -silent_days:] = np.nan
    assert bool(made(parts).codes) is is_forecast


@pytest.mark.parametrize("known_days, is_forecast", [(7, True), (6, False)])
def test_without_a_week_of_inflow_nothing_is_forecast(known_days, is_forecast):
    parts = flat()
    parts["inflow"][0, :-known_days] = np.nan
    assert bool(made(parts).codes) is is_forecast


def test_one_day_that_stands_out_hardly_moves_the_forecast():
    parts = flat()
    parts["inflow"][0, 10] = 400.0
    assert made(parts).inflow.max() < 12


def test_the_score_of_the_distribution_is_what_drawing_from_it_gives():
    history = series(7, containers=3)
    known = fill_model.forecast(history)
    chance = np.random.default_rng(1)
    start, shape, scale = known._gamma
    drawn = start + scale * chance.gamma(shape, size=(20_000, *shape.shape))
    came = known.fill + 4.0
    by_hand = np.abs(drawn - came).mean(axis=0) - np.abs(drawn[:10_000] - drawn[10_000:]).mean(axis=0) / 2
    assert known.crps(came) == pytest.approx(by_hand, rel=0.03)
    assert np.quantile(drawn, 0.9, axis=0) == pytest.approx(known.quantile(0.9), rel=0.02)
    assert (drawn >= 60).mean(axis=0) == pytest.approx(known.reaches(60.0), abs=0.02)


def test_rows_of_the_table_become_a_history_with_its_gaps():
    rows = pl.DataFrame(
        {
            "container_code": ["b", "a", "a"],
            "group": [None, "paper", None],
            "local_date": [FIRST, FIRST + timedelta(days=2), FIRST],
            "inflow_pct": [1.0, None, 3.0],
            "last_fill_pct": [10.0, 20.0, 30.0],
            "rest_share": [0.1, 0.2, 0.3],
            "weighings": [0, 1, 0],
        }
    )
    history = fill_model.history_of(rows)
    assert history.codes == ("a", "b") and history.groups.tolist() == ["paper", "unknown"] and len(history.days) == 3
    assert history.inflow[0, 0] == 3.0 and np.isnan(history.inflow[0, 1:]).all() and history.inflow[1, 0] == 1.0
    assert history.weighed.tolist() == [[False, False, True], [False, False, False]]
    with pytest.raises(ValueError, match="without rows"):
        fill_model.history_of(rows.clear())
    with pytest.raises(ValueError, match="not in the history"):
        history.until(FIRST - timedelta(days=1))
