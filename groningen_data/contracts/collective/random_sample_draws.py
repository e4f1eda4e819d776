"""Contract of the log of draws of the random sample: enough to check each, and no person."""

import polars as pl

from groningen_data.contracts.base import Contract, Protection, column, table
from groningen_data.contracts.collective.random_sample_commitments import SHA256

STATUSES = ["committed", "drawn", "revealed", "not_drawn", "seed_lost"]


class RandomSampleDraws(Contract):
    """Each month's draw: the commitment, the hash of the frozen list, how many were drawn, and afterwards the seed.

    `seed_lost`: the key was lost or replaced after the commitment, so the month's seed cannot be shown; before its draw, no draw is
    made. `not_drawn`: the month passed without one. Drawing again with seed and list finds the same cases.
    """

    month_on: pl.Date = column("Eerste dag van de maand", "First day of the month")
    status_code: str = column("Status", "Status", isin=STATUSES)
    commitment_sha256: str = column("Vastlegging (SHA-256 van de seed)", "Commitment (SHA-256 of the seed)", **SHA256)
    committed_on: pl.Date = column("Vastgelegd op", "Committed on")
    drawn_on: pl.Date = column("Datum van de trekking", "Date of the draw", nullable=True)
    eligible_cases: int = column(
        "Lopende zaken", "Running cases", nullable=True, ge=1, personal_data="statistic", protection=Protection()
    )
    drawn_cases: int = column(
        "Getrokken zaken", "Drawn cases", nullable=True, ge=1, personal_data="statistic", protection=Protection()
    )
    planned_checks: int = column("Geplande controles", "Checks planned", nullable=True, ge=1)
    list_sha256: str = column("SHA-256 van de lijst", "SHA-256 of the list", nullable=True, **SHA256)
    seed: str = column("Seed (na afloop van de maand)", "Seed (after the month)", nullable=True, **SHA256)

    class Config(Contract.Config):
        metadata = table(
            name="collective.random_sample_draws",
            title_nl="Aselecte steekproef: trekkingen",
            title_en="Random sample: draws",
            grain="one month",
            key=("month_on",),
            owner="Werk en Inkomen",
            purpose="To let everybody see that the seed was fixed beforehand, and whoever may see the lists draw again.",
            legal_basis="Participatiewet art. 53a; AVG art. 5(1)(a) and 5(2)",
            classification="public",
            retention="10 years",
            freshness_days=62,
            load_mode="snapshot",
            period_column="month_on",
            tolerance=0.0,
            served=True,
        )
