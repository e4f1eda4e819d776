"""How often a signal rule is judged wrongly: `python -m benchmarks.signal_rules`.

A rule is looked at as in the platform: at the end of each month with all outcomes so far, beside twelve months of the random sample;
once found no better than chance it is suspended. A year of each of many seeds, at once.
"""

import numpy as np

from groningen_data.contracts.collective.signal_rule_results import BEATS_CHANCE, NO_BETTER
from groningen_data.signals.evaluation import BASE_MONTHS, verdicts

MINIMUM = 200
RULE_A_MONTH, SAMPLE_A_MONTH = 40, 30
MONTHS = 12
SEEDS = 200


def share_kept(
    rule_share: float,
    base_share: float,
    seeds: int = SEEDS,
    minimum: int = MINIMUM,
    rule_a_month: int = RULE_A_MONTH,
    sample_a_month: int = SAMPLE_A_MONTH,
) -> float:
    """Of so many years: the share in which the rule was judged and never suspended.

    Args:
        rule_share: Share of the rule's checks that are unlawful, in truth.
        base_share: The same for the random sample, which has run for a year before the rule begins.
        seeds: Years, each of a seed of its own.
        minimum: Outcomes before anything is said.
        rule_a_month: Checks of the rule.
        sample_a_month: Checks of the sample.
    """
    chances = [np.random.default_rng(seed) for seed in range(seeds)]
    hits = np.array([chance.binomial(rule_a_month, rule_share, MONTHS) for chance in chances]).cumsum(axis=1)
    sample = np.array([chance.binomial(sample_a_month, base_share, BASE_MONTHS + MONTHS) for chance in chances])
    base_hits = np.lib.stride_tricks.sliding_window_view(sample, BASE_MONTHS, axis=1).sum(axis=2)[:, 1:]
    checks = np.broadcast_to(np.arange(1, MONTHS + 1) * rule_a_month, hits.shape)
    said = verdicts(hits, checks, base_hits, np.full(hits.shape, BASE_MONTHS * sample_a_month), minimum)
    return float(np.mean((said == BEATS_CHANCE).any(axis=1) & ~(said == NO_BETTER).any(axis=1)))


def main() -> None:
    """Print the tables of `docs/cases/welfare.md`."""
    base = 0.05
    print(
        "| the rule finds, times what chance does (5 %) | " + " | ".join(f"{seeds:,} years" for seeds in (SEEDS, 20_000)) + " |"
    )
    print("|---|---|---|")
    for times in (0.5, 1, 1.5, 2, 3, 4, 5, 7):
        kept = [share_kept(base * times, base, seeds) for seeds in (SEEDS, 20_000)]
        print(f"| {times:g} | " + " | ".join(f"{share:.1%}" for share in kept) + " |")
    print("\n| minimum of outcomes | " + " | ".join(f"kept at {times} times" for times in (1, 2, 3, 4)) + " |")
    print("|---|---|---|---|---|")
    for minimum in (50, 100, 200, 300):
        kept = [share_kept(base * times, base, SEEDS, minimum) for times in (1, 2, 3, 4)]
        print(f"| {minimum} | " + " | ".join(f"{share:.1%}" for share in kept) + " |")


if __name__ == "__main__":
    main()
