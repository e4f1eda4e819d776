"""The usual course of a day at each traffic measurement site, with what detectors missed filled in and marked as such."""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext
from groningen_data.marts.site_quality import detector_counts, is_plausible

LEAST_MINUTES = 30


def expression(context: MartContext) -> ibis.Table:
    """One row per site, kind of day and hour of the month being made.

    A detector's hour that cannot be trusted is given the mean of the trusted hours of that detector at the same hour of the same
    kind of day: historical imputation as Chen et al. (2003) use it where no neighbour helps. Nothing of it goes into counts.
    """
    hours = _detector_hours(context)
    per_detector = hours.group_by("site_id", "feed_code", "series_code", "day_kind", "local_hour").aggregate(
        all_hours=_.count(), measured_hours=_.vehicles.count(), vehicles=_.vehicles.mean(), speed=_.speed.mean()
    )
    weighted = per_detector.mutate(
        weight=per_detector.speed.notnull().ifelse(per_detector.vehicles, ibis.null("float64")),
        weighted_speed=per_detector.vehicles * per_detector.speed,
    )
    table = weighted.group_by("site_id", "feed_code", "day_kind", "local_hour").aggregate(
        detectors=_.count(),
        known_detectors=_.vehicles.count(),
        all_hours=_.all_hours.sum(),
        measured_hours=_.measured_hours.sum(),
        vehicles=_.vehicles.sum(),
        speed=_.weighted_speed.sum() / _.weight.sum().nullif(0),
    )
    is_known = table.known_detectors == table.detectors
    imputed = table.all_hours - table.measured_hours
    return table.select(
        month=context.month,
        site_id=_.site_id,
        feed_code=_.feed_code,
        day_kind=_.day_kind,
        local_hour=_.local_hour,
        profile_veh_h=is_known.ifelse(table.vehicles, ibis.null("float64")),
        profile_missing_reason=is_known.ifelse(ibis.null("string"), "detector_never_trusted"),
        profile_speed_km_h=_.speed,
        detectors=_.detectors,
        detector_hours=_.all_hours,
        imputed_hours=imputed,
        imputed_share=imputed / table.all_hours,
    )


def _detector_hours(context: MartContext) -> ibis.Table:
    """Per detector and hour: vehicles in a whole hour and mean speed; null where it cannot be trusted or half an hour is missing."""
    quality = context.during_month(context.table("collective.site_quality"), "local_date")
    trusted = quality.select("feed_code", "site_id", "series_code", "local_date", "is_trusted")
    counts = detector_counts(context).join(trusted, ["feed_code", "site_id", "series_code", "local_date"])
    is_good = (counts.is_trusted & is_plausible(counts)).fill_null(False)
    no_number = ibis.null("float64")
    counts = counts.mutate(
        good_vehicles=is_good.ifelse(counts.vehicles, no_number),
        good_minutes=is_good.ifelse(counts.measured_minutes, ibis.null("int64")),
        moving_vehicles=(is_good & counts.speed_km_h.notnull()).ifelse(counts.vehicles, no_number),
        distance=is_good.ifelse(counts.vehicles * counts.speed_km_h, no_number),
    )
    hours = counts.group_by("site_id", "feed_code", "series_code", "local_date", "weekday", "local_hour").aggregate(
        counted=_.good_vehicles.sum(),
        minutes=_.good_minutes.sum().fill_null(0),
        moving=_.moving_vehicles.sum(),
        distance=_.distance.sum(),
    )
    calendar = context.table("core.reference_calendar").select("is_public_holiday", local_date="calendar_on")
    table = hours.left_join(calendar, "local_date", rname="{name}_calendar")
    is_sunday = (table.weekday == 7) | table.is_public_holiday.fill_null(False)
    is_enough = table.minutes >= LEAST_MINUTES
    return table.select(
        "site_id",
        "feed_code",
        "series_code",
        "local_hour",
        day_kind=ibis.cases(
            (is_sunday, ibis.literal("sunday_or_holiday")),
            (table.weekday == 6, ibis.literal("saturday")),
            else_=ibis.literal("weekday"),
        ),
        vehicles=is_enough.ifelse(table.counted * 60 / table.minutes.nullif(0), no_number),
        speed=is_enough.ifelse(table.distance / table.moving.nullif(0), no_number),
    )
