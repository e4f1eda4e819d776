"""Contract of early signals of payment arrears, one row per signal, under pseudonyms."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.welfare.benefit_cases import LEFT_OUT_BEFORE_LANDING, PSEUDONYM

PARTNERS = [
    "landlord",
    "energy_supplier",
    "water_company",
    "health_insurer",
    "mortgage_lender",
    "municipal_taxes",
    "other",
    "unlisted",
]
STATUSES = ["open", "in_progress", "closed", "not_taken_up", "unlisted"]
RESULTS = ["help_accepted", "solved_by_household", "referred", "help_declined", "not_reached", "other", "unlisted"]


class WelfareEarlySignals(Contract):
    """Signals of arrears that landlords, energy and water suppliers and health insurers send, and what help came of each.

    Data minimisation: signal and contract holder are pseudonyms made before landing; the contract holder's is of a kind of its
    own, so a signal cannot be joined to a benefit case. The amount owed, the address and the contract do not enter.
    """

    signal_pseudonym: str = column("Signaal (pseudoniem)", "Signal (pseudonym)", personal_data="pseudonym", **PSEUDONYM)
    person_pseudonym: str = column(
        "Contractant (pseudoniem; staat voor het huishouden)",
        "Contract holder (pseudonym; stands for the household)",
        personal_data="pseudonym",
        **PSEUDONYM,
    )
    signalled_on: pl.Date = column("Signaaldatum", "Date of the signal")
    partner_code: str = column("Signaalpartner", "Partner who signalled", isin=PARTNERS)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    status_code: str = column("Status", "Status", isin=STATUSES)
    picked_up_on: pl.Date = column("Datum opgepakt", "Picked up on", nullable=True)
    is_reached: bool = column(
        "Contact bereikt (leeg: nog niet geprobeerd)", "Contact was made (empty: not tried yet)", nullable=True
    )
    result_code: str = column("Resultaat", "Result", nullable=True, isin=RESULTS)

    class Config(Contract.Config):
        metadata = table(
            name="core.welfare_early_signals",
            title_nl="Vroegsignalen (gepseudonimiseerd)",
            title_en="Early signals (pseudonymised)",
            grain="one signal of one partner",
            key=("signal_pseudonym",),
            owner="Werk en Inkomen",
            purpose="To see per area whether households in arrears are reached and helped in time.",
            legal_basis="Wet gemeentelijke schuldhulpverlening art. 3(1)(b); AVG art. 25 and 89",
            classification="confidential",
            reason_not_public="rows about persons in arrears, under pseudonyms",
            retention="until the next delivery leaves the signal out; at most 5 years",
            freshness_days=8,
            load_mode="snapshot",
            period_column="signalled_on",
            tolerance=0.02,
            source_rules=(
                *LEFT_OUT_BEFORE_LANDING,
                ("picked_up_on.before_signalled_on", "a signal is not picked up before it was sent"),
            ),
        )
