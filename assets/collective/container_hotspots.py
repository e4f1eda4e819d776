"""Where waste lies beside containers more often than chance would have it."""

from checks.collective.container_hotspots import SUITE
from groningen_data.contracts.collective.container_hotspots import ContainerHotspots
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import container_hotspots

RECIPE = Recipe(
    contract=ContainerHotspots,
    suite=SUITE,
    analysis=Analysis(container_hotspots.compute),
    uses_if_there=(
        "collective.container_day",
        "core.waste_containers",
        "core.waste_inspections",
        "core.waste_reports",
        "core.traffic_events",
    ),
    may_be_empty=True,
    months_from=("collective.container_day",),
    looks_back={
        "collective.container_day": 3,
        "core.waste_inspections": 1,
        "core.waste_reports": 3,
        "core.traffic_events": 12,
    },
)
