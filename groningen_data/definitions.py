"""Composition root of Dagster: settings in, definitions out. Nothing happens at import except building `defs`' factory."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets import all_recipes, all_sources
from assets.factory import WRITER_POOL, gated_asset, landing_asset, serving_asset
from assets.sensors import alert_sensors
from groningen_data.alerts import NIGHTLY
from groningen_data.settings import Settings, load_settings
from resources.lakehouse import LakehouseResource
from resources.landing import LandingResource

STORES = ("reference", "waste", "welfare", "traffic")


def build_defs(
    settings: Settings | None = None,
    pool: str | None = WRITER_POOL,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
    **overrides: Any,
) -> dg.Definitions:
    """All assets, checks, jobs, schedules, sensors and resources.

    Args:
        settings: What to run with; by default read from environment and profile.
        pool: Dagster's pool of writers, see `assets.factory.gated_asset`.
        loggers: Loggers besides Dagster's own, for whoever runs a job in this process and wants to follow its steps.
        overrides: Resources by name, to swap one in tests or in the command line (`tell=print`).
    """
    settings = settings or load_settings()
    # With a logical clock the days end with it; otherwise they grow with the real one, up to and with today.
    partitions = dg.DailyPartitionsDefinition(
        start_date=settings.first_local_day.isoformat(),
        end_date=settings.today().isoformat() if settings.as_of else None,
        timezone=settings.timezone,
        end_offset=0 if settings.as_of else 1,
    )
    assets: list[dg.AssetsDefinition] = [landing_asset(source, settings) for source in all_sources().values()]
    assets += [gated_asset(recipe, partitions, pool) for recipe in all_recipes().values()]
    assets.append(serving_asset())
    nightly = dg.define_asset_job(
        NIGHTLY,
        selection=dg.AssetSelection.all(),
        description="Everything: land what is new, gate it, rebuild the marts it concerns, swap in what analysts read.",
    )
    per_store = [
        dg.define_asset_job(
            f"refresh_{store}",
            selection=_store_selection(store),
            description=f"The store {store}: its sources and tables, and the marts that stand on them.",
        )
        for store in STORES
    ]
    schedule = dg.ScheduleDefinition(
        name="every_night",
        job=nightly,
        cron_schedule=settings.schedule_cron,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.schedule_enabled else dg.DefaultScheduleStatus.STOPPED,
    )
    resources: dict[str, Any] = {
        "settings": settings,
        "lakehouse": LakehouseResource(settings=settings),
        "landing": LandingResource(settings=settings),
        "tell": _silent,
    }
    return dg.Definitions(
        assets=assets,
        jobs=[nightly, *per_store],
        schedules=[schedule],
        sensors=alert_sensors(settings, nightly),
        resources=resources | overrides,
        executor=dg.in_process_executor,
        loggers=loggers,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `workspace.yaml` loads: Dagster calls it without arguments."""
    return build_defs()


def _silent(line: str) -> None:
    """Nobody listens; Dagster's own log has it all."""


def _store_selection(store: str) -> dg.AssetSelection:
    tables = dg.AssetSelection.groups(store)
    landing = tables.upstream(depth=1) & dg.AssetSelection.groups("landing")
    return landing | tables | dg.AssetSelection.groups("collective", "serving")
