"""The persons of the sample city: a test number and a neighbourhood each, and nothing else. No name, address or birth date exists."""

import numpy as np
from numpy.typing import NDArray

from groningen_data.privacy.service_numbers import test_numbers
from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City

RECIPIENTS = 8_000
"""Persons who have, or had, a benefit."""

Texts = NDArray[np.str_]


def everybody(city: City) -> tuple[Texts, Texts]:
    """Citizen service numbers of all 9,091 test persons, in an order of chance, and the neighbourhood of each; recipients first.

    More people live where CBS counts more, and more of them need a benefit where incomes are low.
    """
    random = generator(city, "persons")
    numbers = random.permutation(np.array(test_numbers()))
    weights = np.array([(n.inhabitants or 0) * (30 / (n.income_per_inhabitant_keur or 30)) ** 3 for n in city.neighbourhoods])
    codes = np.array([n.code for n in city.neighbourhoods])
    return numbers, random.choice(codes, len(numbers), p=weights / weights.sum())


def misread(numbers: Texts) -> Texts:
    """The same numbers with another last digit each: none of them passes the 11-test."""
    return np.array([f"{number[:-1]}{(int(number[-1]) + 1) % 10}" for number in numbers])
