"""Contract of tasks: facts that somebody should ask about, first in, first out."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.welfare.benefit_cases import PSEUDONYM
from groningen_data.contracts.welfare.statutory_signals import SIGNAL_SOURCES, SIGNAL_TYPES


class WelfareSignalTasks(Contract):
    """Open signals that a rule in force asks to look at: the fact, its source, its age and why. The first step is contact.

    The queue is that of receipt; there is no score, no rank and no property of the person. A signal makes one task, also where several
    rules ask for it. A task is no suspicion and stops nothing: an employee decides, with reasons of their own.
    """

    signal_pseudonym: str = column("Signaal (pseudoniem)", "Signal (pseudonym)", personal_data="pseudonym", **PSEUDONYM)
    case_pseudonym: str = column("Zaak (pseudoniem)", "Case (pseudonym)", personal_data="pseudonym", **PSEUDONYM)
    rule_id: str = column("Regel", "Rule")
    rule_version: int = column("Versie van de regel", "Version of the rule", ge=1)
    queue_number: int = column("Volgnummer op datum van ontvangst", "Number in the queue, by date of receipt", ge=1)
    signal_type_code: str = column("Soort signaal", "Kind of signal", isin=SIGNAL_TYPES)
    source_code: str = column("Register waar het feit uit komt", "Register that the fact is from", isin=SIGNAL_SOURCES)
    fact_on: pl.Date = column("Datum van het feit", "Date of the fact")
    received_on: pl.Date = column("Ontvangen op", "Received on")
    fact_age_days: int = column("Ouderdom van het feit", "Age of the fact", unit="days", ge=0)
    waiting_days: int = column("Wacht al", "Waiting for", unit="days", ge=0)
    reason_nl: str = column("Uitleg voor de inwoner", "Explanation for the person (Dutch)")

    class Config(Contract.Config):
        metadata = table(
            name="core.welfare_signal_tasks",
            title_nl="Te bespreken feiten (gepseudonimiseerd)",
            title_en="Facts to ask about (pseudonymised)",
            grain="one open signal",
            key=("signal_pseudonym",),
            owner="Werk en Inkomen",
            purpose="To ask people about a fact that may not fit their benefit, in the order in which facts came in.",
            legal_basis="Participatiewet art. 17 and 53a; AVG art. 5, 22 and 25",
            classification="confidential",
            reason_not_public="rows about persons, under pseudonyms",
            retention="as long as the signal is open and the rule in force",
            freshness_days=8,
            load_mode="snapshot",
            period_column="received_on",
            tolerance=0.0,
        )
