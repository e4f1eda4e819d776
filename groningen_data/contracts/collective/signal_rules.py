"""Contract of the register of signal rules: what each asks, on what ground, and whether it is in force. No persons."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

IN_FORCE, ON_TRIAL = "in_force", "on_trial"
ACTIVE = (IN_FORCE, ON_TRIAL)
"""Rules of these statuses make tasks; no other does."""
STATUSES = [*ACTIVE, "suspended", "expired", "not_yet_in_force", "refused"]


class SignalRules(Contract):
    """Every signal rule with its legal basis, its condition and its status, for everybody to read.

    `on_trial` is a rule with too few outcomes to hold it against chance. A rule that was refused says why, and shows no
    more of what it asked than the words that it may not use.
    """

    rule_id: str = column("Regel", "Rule")
    rule_version: int = column("Versie (0: onleesbaar)", "Version (0: not readable)", ge=0)
    title_nl: str = column("Waar de regel over gaat", "What it is about", nullable=True)
    status_code: str = column("Status", "Status", isin=STATUSES)
    status_reason: str = column("Reden van de status", "Reason of the status", nullable=True)
    suspended_on: pl.Date = column("Geschorst sinds", "Suspended since", nullable=True)
    legal_basis: str = column("Wettelijke grondslag", "Legal basis", nullable=True)
    purpose: str = column("Doel", "Purpose", nullable=True)
    processing_activity: str = column("Verwerking in het register", "Entry in the register of processing", nullable=True)
    allowed_fields: str = column("Gegevens die de regel gebruikt", "Fields that it looks at", nullable=True)
    condition: str = column("Voorwaarde", "Condition", nullable=True)
    reason_nl: str = column("Uitleg voor de inwoner", "Explanation for the person (Dutch)", nullable=True)
    valid_from: pl.Date = column("Geldig vanaf", "In force from", nullable=True)
    valid_to: pl.Date = column("Geldig tot en met", "In force up to and including", nullable=True)
    owner: str = column("Eigenaar", "Owner", nullable=True)
    approved_by: str = column(
        "Akkoord functionaris gegevensbescherming", "Approved by the data protection officer", nullable=True
    )
    approved_on: pl.Date = column("Datum akkoord", "Approved on", nullable=True)
    dpia: str = column("DPIA", "Data protection impact assessment", nullable=True)
    algorithm_register: str = column("Vermelding in het algoritmeregister", "Entry in the algorithm register", nullable=True)

    class Config(Contract.Config):
        metadata = table(
            name="collective.signal_rules",
            title_nl="Register van signaalregels",
            title_en="Register of signal rules",
            grain="one version of a rule",
            key=("rule_id", "rule_version"),
            owner="Werk en Inkomen",
            purpose="To let everybody see which rules are used, on what ground, and whether they are worth it.",
            legal_basis="AVG art. 5(1)(a), 12 and 30; Woo art. 3.1",
            classification="public",
            retention="10 years",
            freshness_days=35,
            load_mode="snapshot",
            tolerance=0.0,
            served=True,
        )
