"""Chance for whole arrays at once: a numpy generator of its own for each purpose, the same for the same seed.

`City.random` is its counterpart for single values.
"""

from hashlib import sha256

import numpy as np

from groningen_data.sample.facts import City


def generator(city: City, *purpose: object) -> np.random.Generator:
    """A generator that depends on the city's seed and the purpose only, so that changing one payload leaves the others alone."""
    digest = sha256("/".join(map(str, (city.seed, *purpose))).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
