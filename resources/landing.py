"""The landing as a Dagster resource."""

import dagster as dg

from groningen_data.landing import Landing
from groningen_data.settings import Settings


class LandingResource(dg.ConfigurableResource["LandingResource"]):
    """Where payloads are kept exactly as delivered."""

    settings: dg.ResourceDependency[Settings]

    @property
    def landing(self) -> Landing:
        return Landing.of(self.settings)
