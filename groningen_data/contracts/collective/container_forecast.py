"""Contract of the forecast of how full each container will be in the coming week."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

HORIZON_DAYS = 7


class ContainerForecast(Contract):
    """One container at the end of one of the seven days to come, if it is not emptied before.

    Made from what was known at the end of the last day on which any container was measured or weighed. A container that was silent
    on that day is followed from its last reading, or from its emptying where a vehicle weighed it since. Only containers with enough history have rows; `container_outlook` says of the others why
    not. The level is what would be brought: above 100 % it is put beside the container. The interval holds the level on four of
    five days.
    """

    container_code: str = column("Containercode", "Container code", str_length={"min_value": 1})
    made_from_on: pl.Date = column("Laatste bekende dag", "Last known day")
    forecast_on: pl.Date = column("Voorspelde dag", "Day forecast")
    horizon_days: int = column("Dagen vooruit", "Days ahead", unit="days", ge=1, le=HORIZON_DAYS)
    inflow_pct: float = column("Verwachte instroom", "Expected inflow of the day", unit="%", ge=0)
    fill_low_pct: float = column("Vulgraad, laag", "Fill level, low (10 % chance of less)", unit="%", ge=0)
    fill_pct: float = column("Verwachte vulgraad", "Expected fill level", unit="%", ge=0)
    fill_high_pct: float = column("Vulgraad, hoog", "Fill level, high (10 % chance of more)", unit="%", ge=0)
    alarm_probability: float = column(
        "Kans op of boven de alarmgrens", "Chance to be at or over the alarm limit", unit="share", ge=0, le=1
    )
    overflow_probability: float = column("Kans op overvol", "Chance to be at or over 100 %", unit="share", ge=0, le=1)

    class Config(Contract.Config):
        metadata = table(
            name="collective.container_forecast",
            title_nl="Voorspelde vulgraad",
            title_en="Forecast of fill levels",
            grain="one container, one day ahead",
            key=("container_code", "horizon_days"),
            owner="Stadsbeheer",
            purpose="To send the truck where it will be needed, before waste is put beside a full container.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="public",
            retention="until the next forecast",
            freshness_days=2,
            load_mode="snapshot",
            period_column="forecast_on",
            tolerance=0.0,
            served=True,
        )
