"""Contract of the mart of the usual course of a day at a traffic measurement site."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

DAY_KINDS = ["weekday", "saturday", "sunday_or_holiday"]


class SiteProfile(Contract):
    """The mean flow of one site at one hour of a kind of day in a month, with untrusted detector hours filled in.

    These are no counts: `imputed_share` is the share of detector hours that had none to be trusted, and for which the mean of
    the trusted hours of the same detector at the same hour of the same kind of day stands in. Where some detector of the site
    has no trusted hour at all there is no profile, with the reason. For counts, see `collective.site_hour`.
    """

    month: pl.Date = column("Maand (eerste dag)", "Month (first day)")
    site_id: str = column("Meetlocatie", "Site id", str_length={"min_value": 1})
    feed_code: str = column("Aanlevering", "Feed")
    day_kind: str = column("Soort dag", "Kind of day", isin=DAY_KINDS)
    local_hour: int = column("Lokaal uur", "Local hour", unit="h", ge=0, le=23)
    profile_veh_h: float = column(
        "Gebruikelijke intensiteit (deels geschat)", "Usual flow (in part imputed)", unit="veh/h", nullable=True, ge=0
    )
    profile_missing_reason: str = column(
        "Reden van ontbrekend profiel", "Reason when the profile is missing", nullable=True, isin=["detector_never_trusted"]
    )
    profile_speed_km_h: float = column(
        "Gebruikelijke snelheid (deels geschat)", "Usual speed (in part imputed)", unit="km/h", nullable=True, ge=0, le=250
    )
    detectors: int = column("Detectoren", "Detectors", ge=1)
    detector_hours: int = column("Detectoruren", "Detector hours", unit="h", ge=1)
    imputed_hours: int = column("Geschatte detectoruren", "Imputed detector hours", unit="h", ge=0)
    imputed_share: float = column("Aandeel geschat", "Share imputed", unit="share", ge=0, le=1)

    class Config(Contract.Config):
        metadata = table(
            name="collective.site_profile",
            title_nl="Dagverloop per meetlocatie",
            title_en="Profile of a day per measurement site",
            grain="one site at one hour of a kind of day in a month",
            key=("month", "site_id", "feed_code", "day_kind", "local_hour"),
            owner="Stadsontwikkeling",
            purpose="To see the usual course of a day at a site although detectors fail; never to count vehicles.",
            legal_basis="Task of public interest: road management (Wegenverkeerswet 1994 art. 2)",
            classification="public",
            retention="5 years",
            freshness_days=31,
            load_mode="partition",
            partition_columns=("month",),
            period_column="month",
            tolerance=0.0,
            served=True,
        )
