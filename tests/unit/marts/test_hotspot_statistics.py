"""The tests of hotspots on made-up places: what is there is found with its cause, and chance alone is listed as rarely as promised."""

import numpy as np
import pytest

from groningen_data.marts import hotspot_statistics as statistics

ROWS, COLUMNS, STEP_M = 20, 20, 150.0
RADIUS_M, ELSEWHERE_M = 250.0, 1_000.0
USUAL = 0.13
PLACES = np.stack(np.meshgrid(np.arange(COLUMNS), np.arange(ROWS)), axis=-1).reshape(-1, 2) * STEP_M
CENTRE = np.array([5.0, 5.0]) * STEP_M
HOT = np.flatnonzero(np.hypot(*(PLACES - CENTRE).T) <= RADIUS_M)
SHUFFLES = 60
# Of so many shuffles, five in a hundred may list something, and twice as many by bad luck.
ALLOWED = 0.13


def inspected(chance, each=4):
    """So many inspections of each place, on weekdays that differ in how often anything is found."""
    at = np.repeat(np.arange(len(PLACES)), each)
    weekday = chance.integers(1, 8, len(at))
    found = chance.random(len(at)) < np.where(weekday == 1, 2.5, 0.8) * USUAL
    return at, weekday, found


def listed(comparison):
    return set(np.flatnonzero(statistics.standing_out(comparison)))


def of_inspections(at, weekday, found, causes=None, kinds=()):
    near, around = (statistics.within(PLACES, PLACES[at], radius) for radius in (RADIUS_M, ELSEWHERE_M))
    return statistics.compare_inspections(near, around, weekday, found, causes or {}, kinds)


class TestInspections:
    def test_a_place_where_more_is_found_is_listed_and_places_far_from_it_are_not(self):
        chance = np.random.default_rng(1)
        at, weekday, found = inspected(chance)
        found |= np.isin(at, HOT) & (chance.random(len(at)) < 0.5)
        comparison = of_inspections(at, weekday, found)
        out = listed(comparison)
        [centre] = np.flatnonzero((PLACES == CENTRE).all(axis=1))
        assert centre in out
        assert all(np.hypot(*(PLACES[place] - CENTRE)) <= 2 * RADIUS_M + 1 for place in out)
        assert comparison.expected[centre] == pytest.approx(comparison.trials[centre] * USUAL, rel=0.35)

    def test_a_place_inspected_on_the_worst_weekday_does_not_stand_out_by_that(self):
        chance = np.random.default_rng(2)
        at, weekday, found = inspected(chance)
        here = np.isin(at, HOT)
        weekday[here] = 1
        found[here] = chance.random(int(here.sum())) < 2.5 * USUAL
        assert listed(of_inspections(at, weekday, found)) == set()

    def test_chance_alone_is_rarely_listed(self):
        chance = np.random.default_rng(3)
        at, weekday, found = inspected(chance)
        kind = found & (chance.random(len(at)) < 0.4)
        hits = 0
        for _ in range(SHUFFLES):
            order = np.arange(len(at))
            for day in range(1, 8):
                order[weekday == day] = chance.permutation(order[weekday == day])
            hits += bool(listed(of_inspections(at, weekday, found[order], {"bulky": kind[order]}, ("bulky",))))
        assert hits <= ALLOWED * SHUFFLES

    def test_a_rare_kind_shows_where_all_waste_together_does_not_yet(self):
        chance = np.random.default_rng(4)
        at, weekday, found = inspected(chance)
        rubble = np.isin(at, HOT) & (chance.random(len(at)) < 0.15)
        causes = {"construction": rubble}
        together = of_inspections(at, weekday, found | rubble, causes)
        apart = of_inspections(at, weekday, found | rubble, causes, ("construction",))
        assert len(listed(together)) < len(listed(apart))
        names, observed, expected, p_value = statistics.likely_causes(apart)
        [centre] = np.flatnonzero((PLACES == CENTRE).all(axis=1))
        assert names[centre] == "construction"
        assert observed[centre] > 5 * expected[centre] and p_value[centre] < 0.001

    def test_without_anything_elsewhere_nothing_is_compared(self):
        near = statistics.within(PLACES[:2], PLACES[:2], RADIUS_M)
        comparison = statistics.compare_inspections(near, near, np.array([1, 2]), np.array([True, True]), {})
        assert comparison.comparisons == 0 and listed(comparison) == set()


def reported(chance, ratio, dense=()):
    """Reports over the city, so many times oftener beside a place than elsewhere; in dense places five times as many of all."""
    points = chance.random((12_000, 2)) * STEP_M * COLUMNS - STEP_M / 2
    away = np.hypot(*(points[:, None] - PLACES[None]).transpose(2, 0, 1))
    nearest, is_beside = away.argmin(axis=1), away.min(axis=1) <= 25
    usual = 0.03 * np.where(np.isin(nearest, list(dense)), 5.0, 1.0)
    kept = chance.random(len(points)) < usual * np.where(is_beside, ratio[nearest], 1.0)
    return points[kept], nearest[kept], is_beside[kept]


def of_reports(points, nearest, is_beside):
    ground = np.full(len(PLACES), np.pi * 25**2 / (STEP_M**2 - np.pi * 25**2))
    near = statistics.within(PLACES, points, RADIUS_M)
    return statistics.compare_reports(near, is_beside, ground, nearest, {"full": is_beside})


class TestReports:
    def test_a_place_where_reports_lie_beside_containers_is_listed(self):
        ratio = np.where(np.isin(np.arange(len(PLACES)), HOT), 25.0, 4.0)
        out = listed(of_reports(*reported(np.random.default_rng(5), ratio)))
        assert len(out & set(HOT)) >= 3
        assert all(np.hypot(*(PLACES[place] - CENTRE)) <= 2 * RADIUS_M + 1 for place in out)

    def test_a_place_where_people_report_more_of_everything_is_not(self):
        ratio = np.full(len(PLACES), 4.0)
        points, nearest, is_beside = reported(np.random.default_rng(6), ratio, dense=HOT)
        assert np.isin(nearest, HOT).mean() > 2 * len(HOT) / len(PLACES)
        assert listed(of_reports(points, nearest, is_beside)) == set()

    def test_chance_alone_is_rarely_listed(self):
        chance = np.random.default_rng(7)
        ratio = np.full(len(PLACES), 4.0)
        hits = sum(bool(listed(of_reports(*reported(chance, ratio)))) for _ in range(SHUFFLES // 6))
        assert hits <= 2

    @pytest.mark.parametrize("is_beside", [True, False])
    def test_reports_that_are_all_alike_say_nothing(self, is_beside):
        points, nearest, _ = reported(np.random.default_rng(8), np.full(len(PLACES), 4.0))
        assert listed(of_reports(points, nearest, np.full(len(points), is_beside))) == set()


WEEKS = 12


def by_day(chance, per_week=8):
    """Reports at places and the number of days before a Sunday, fewer at weekends."""
    shares = np.array([0.06, 0.07, 0.18, 0.17, 0.17, 0.17, 0.18])
    days = chance.choice(7, per_week * WEEKS * 40, p=shares) + 7 * chance.integers(0, WEEKS, per_week * WEEKS * 40)
    return chance.integers(0, len(PLACES), len(days)), days


def of_weekdays(at, days, causes=None):
    return statistics.compare_weekdays(statistics.within(PLACES, PLACES[at], RADIUS_M), days, causes or {})


class TestWeekdays:
    def test_a_market_day_that_comes_every_week_is_listed_with_its_weekday(self):
        chance = np.random.default_rng(9)
        at, days = by_day(chance)
        market = chance.choice(HOT, 5 * WEEKS)
        # Saturday is one day before Sunday.
        comparison = of_weekdays(np.append(at, market), np.append(days, 1 + 7 * np.repeat(np.arange(WEEKS), 5)))
        out = listed(comparison)
        assert set(HOT) & out
        assert {int(comparison.weekday[place]) for place in out} == {6}

    def test_one_day_with_many_reports_is_no_pattern(self):
        chance = np.random.default_rng(10)
        at, days = by_day(chance)
        comparison = of_weekdays(np.append(at, chance.choice(HOT, 60)), np.append(days, np.full(60, 8)))
        assert listed(comparison) & set(HOT) == set()

    def test_chance_alone_is_rarely_listed(self):
        chance = np.random.default_rng(11)
        at, days = by_day(chance)
        hits = sum(bool(listed(of_weekdays(at, chance.permutation(days)))) for _ in range(SHUFFLES))
        assert hits <= ALLOWED * SHUFFLES

    def test_places_with_few_reports_are_not_compared(self):
        chance = np.random.default_rng(12)
        at, days = by_day(chance)
        assert of_weekdays(at[:300], days[:300]).comparisons == 0

    def test_a_weekday_that_the_days_do_not_hold_yet_stops_the_comparison(self):
        at, days = by_day(np.random.default_rng(13))
        assert of_weekdays(at[days < 5], days[days < 5]).comparisons == 0


def test_a_group_is_known_by_its_surest_place_and_reaches_as_far_as_its_links():
    places = np.array([[0.0, 0], [80, 0], [160, 0], [500, 0]])
    assert statistics.groups_of(places, np.array([0.03, 0.01, 0.02, 0.001]), 100.0).tolist() == [1, 1, 1, 3]


def test_a_cause_must_explain_half_of_the_excess():
    trials, observed, expected = np.array([100]), np.array([40]), np.array([20.0])
    for with_cause, told in ((13, "full"), (8, None)):
        causes = {"full": (np.array([with_cause]), np.array([2.0]))}
        comparison = statistics.Comparison(trials, observed, expected, np.array([0.001]), causes)
        assert statistics.likely_causes(comparison)[0] == [told]
