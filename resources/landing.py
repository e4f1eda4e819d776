"""The landing as a Dagster resource."""

from collections.abc import Iterable

import dagster as dg
from pydantic import PrivateAttr

from groningen_data.landing import Landing
from groningen_data.settings import Settings
from groningen_data.sources.base import FileSource
from groningen_data.sources.deliveries import SortedDeliveries


class LandingResource(dg.ConfigurableResource["LandingResource"]):
    """Where payloads are kept exactly as delivered, and which delivered files are whose; both for one run."""

    settings: dg.ResourceDependency[Settings]
    _landing: Landing = PrivateAttr()
    _deliveries: SortedDeliveries | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Begin a run: what earlier ones saw is looked at again."""
        self._landing = Landing.of(self.settings)
        self._deliveries = None

    @property
    def landing(self) -> Landing:
        return self._landing

    def deliveries(self, sources: Iterable[FileSource]) -> SortedDeliveries:
        """What is delivered, sorted by source; `sources` are all there are."""
        if self._deliveries is None:
            self._deliveries = SortedDeliveries(sources, self.settings, self._landing)
        return self._deliveries
