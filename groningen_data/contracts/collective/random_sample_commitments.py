"""Contract of the commitments to the seeds of the random sample: published before anything is drawn."""

from typing import Any

import polars as pl

from groningen_data.contracts.base import Contract, column, table

SHA256: dict[str, Any] = {"str_matches": r"^[0-9a-f]+$", "str_length": {"min_value": 64, "max_value": 64}}


class RandomSampleCommitments(Contract):
    """The SHA-256 of the seed of each month, published before the month begins (when the platform is new: before its draw).

    What was committed to is never changed; see `groningen_data/signals/draws.py`.
    """

    month_on: pl.Date = column("Eerste dag van de maand", "First day of the month")
    commitment_sha256: str = column("Vastlegging (SHA-256 van de seed)", "Commitment (SHA-256 of the seed)", **SHA256)
    committed_on: pl.Date = column("Vastgelegd op", "Committed on")

    class Config(Contract.Config):
        metadata = table(
            name="collective.random_sample_commitments",
            title_nl="Aselecte steekproef: vastleggingen vooraf",
            title_en="Random sample: commitments beforehand",
            grain="one month",
            key=("month_on",),
            owner="Werk en Inkomen",
            purpose="To prove afterwards that nobody chose who was drawn.",
            legal_basis="Participatiewet art. 53a; AVG art. 5(1)(a) and 5(2)",
            classification="public",
            retention="10 years",
            freshness_days=62,
            load_mode="snapshot",
            period_column="month_on",
            tolerance=0.0,
            served=True,
        )
