"""The random sample: what a draw is a function of, that it treats all alike, and that whoever checks it finds tampering."""

import hashlib
from datetime import date

import numpy as np
import pytest
from scipy import stats

from groningen_data.signals.draws import commitment_of, drawn, hash_of_list, number_of, problems_of_draw, seed_of

KEY, MARCH = b"k" * 32, date(2026, 3, 1)
CASES = [f"case{n:03}" for n in range(100)]
SEED = seed_of(KEY, "GM0014", MARCH)


def test_a_seed_is_of_its_key_its_month_and_its_municipality():
    others = [
        seed_of(b"x" * 32, "GM0014", MARCH),
        seed_of(KEY, "GM0014", date(2026, 4, 1)),
        seed_of(KEY, "GM0363", MARCH),
    ]
    assert len({SEED, *others}) == 4
    assert seed_of(KEY, "GM0014", MARCH) == SEED and len(SEED) == 64


def test_commitment_and_list_can_be_checked_with_sha256sum():
    assert commitment_of(SEED) == hashlib.sha256(SEED.encode()).hexdigest()
    assert hash_of_list(["b", "a"]) == hashlib.sha256(b"a\nb").hexdigest()


def test_a_draw_is_a_function_of_seed_and_list_and_not_of_their_order():
    assert drawn(SEED, CASES, 10) == drawn(SEED, CASES[::-1] + CASES[:5], 10)
    assert len(set(drawn(SEED, CASES, 10))) == 10 and set(drawn(SEED, CASES, 500)) == set(CASES)
    assert drawn(SEED, CASES, 5) == drawn(SEED, CASES, 10)[:5]


def test_who_knows_the_seed_cannot_say_who_is_drawn_before_the_list_is_complete():
    with_another = [drawn(SEED, [*CASES, f"new{n}"], 10) for n in range(20)]
    assert all(len(set(draw) & set(drawn(SEED, CASES, 10))) < 8 for draw in with_another)


def test_every_case_has_the_same_chance():
    draws = 2_000
    counts = dict.fromkeys(CASES, 0)
    for n in range(draws):
        for case in drawn(seed_of(KEY, f"GM{n}", MARCH), CASES, 10):
            counts[case] += 1
    # Without replacement within a draw, counts vary by (1 - 10/100) less than Poisson's.
    spread = np.sum((np.array(list(counts.values())) - draws / 10) ** 2) / (draws / 10 * 0.9)
    assert stats.chi2.sf(spread, len(CASES) - 1) > 0.001


@pytest.mark.parametrize(("checks", "share", "expected"), [(150, 20, 30), (151, 20, 31), (1, 20, 1), (100, 33.3, 34)])
def test_chance_gets_at_least_its_share(checks, share, expected):
    assert number_of(checks, share) == expected


class TestWhoChecksADraw:
    CLAIMED = drawn(SEED, CASES, 10)

    def problems(self, seed=SEED, cases=CASES, claimed=CLAIMED):
        return problems_of_draw(commitment_of(SEED), seed, cases, hash_of_list(CASES), claimed)

    def test_finds_nothing_wrong_with_an_honest_one(self):
        assert self.problems() == [] == self.problems(claimed=self.CLAIMED[::-1])

    def test_finds_another_seed(self):
        assert "the seed is not the one that was committed to" in self.problems(seed=seed_of(KEY, "GM0014", date(2026, 4, 1)))

    def test_finds_a_list_that_was_changed(self):
        assert "the list is not the one that was drawn from" in self.problems(cases=CASES[1:])

    def test_finds_a_case_that_was_put_in_the_place_of_another(self):
        swapped = [*self.CLAIMED[:-1], next(case for case in CASES if case not in self.CLAIMED)]
        assert self.problems(claimed=swapped) == ["the seed and the list give other cases"]
