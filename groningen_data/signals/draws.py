"""The random sample: a draw that leaves no choice, and that can be made again.

Before a month begins the SHA-256 of its seed is published (the commitment); in that month the running cases are frozen and drawn
from; when the month is over the seed is published, and who has the frozen list draws again and finds the same cases. The draw is a
function of the seed and the list, so it gives each case the same chance and leaves no choice to anybody.

The seed of a month is an HMAC-SHA256 of the month under a key of its own, which lies beside the pseudonym key: a seed needs no
person at night, and cannot be guessed by whoever lacks the key. The order of the cases hashes the list as well as the seed, so that
nobody who knows the key can say long before whether one case will be drawn. What this does not prevent stands in
`docs/cases/welfare.md`.
"""

import hashlib
import hmac
import math
from collections.abc import Collection, Sequence
from datetime import date


def seed_of(key: bytes, municipality_code: str, month: date) -> str:
    """The seed of a month: 64 hexadecimal digits."""
    return hmac.digest(key, f"random sample {municipality_code} {month:%Y-%m}".encode(), "sha256").hex()


def commitment_of(seed: str) -> str:
    """What is published of a seed beforehand: the SHA-256 of its text."""
    return hashlib.sha256(seed.encode()).hexdigest()


def hash_of_list(cases: Collection[str]) -> str:
    """The SHA-256 of a list of cases: in order, a line each, without a line end behind the last."""
    return hashlib.sha256("\n".join(sorted(cases)).encode()).hexdigest()


def drawn(seed: str, cases: Collection[str], number: int) -> list[str]:
    """The cases that are drawn: those whose SHA-256 of seed, hash of the list and case is lowest, in that order.

    Args:
        seed: Of the month.
        cases: The frozen list; each counts once.
        number: How many; all of them when there are fewer.
    """
    beginning = f"{seed}\n{hash_of_list(set(cases))}\n"
    return sorted(set(cases), key=lambda case: hashlib.sha256(f"{beginning}{case}".encode()).digest())[:number]


def number_of(checks_a_month: int, share_pct: float) -> int:
    """How many cases are drawn in a month: at least the share of all checks."""
    return math.ceil(checks_a_month * share_pct / 100)


def problems_of_draw(commitment: str, seed: str, cases: Collection[str], list_sha256: str, claimed: Sequence[str]) -> list[str]:
    """What is wrong with a draw that was published, for whoever checks it; nothing when it is as it should be.

    Args:
        commitment: As it was published before.
        seed: As it was published afterwards.
        cases: The frozen list.
        list_sha256: Its hash as it was published.
        claimed: The cases that are said to have been drawn, in any order.
    """
    problems = []
    if commitment_of(seed) != commitment:
        problems.append("the seed is not the one that was committed to")
    if hash_of_list(cases) != list_sha256:
        problems.append("the list is not the one that was drawn from")
    if set(drawn(seed, cases, len(claimed))) != set(claimed):
        problems.append("the seed and the list give other cases")
    return problems
