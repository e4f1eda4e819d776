"""Contract of the vehicles that collect waste."""

from groningen_data.contracts.base import Contract, column, table


class WasteVehicles(Contract):
    """Vehicles that collect waste, as the municipality lists them now. No licence plates, no crews."""

    vehicle_code: str = column("Voertuigcode", "Vehicle code", str_length={"min_value": 1})
    vehicle_kind: str = column("Soort voertuig", "Kind of vehicle", nullable=True)
    capacity_kg: float = column("Laadvermogen", "Load capacity", unit="kg", nullable=True, gt=0, le=60_000)
    fraction_codes: str = column("Fracties", "Fractions, comma-separated", nullable=True)
    depot_code: str = column("Depotcode", "Depot code", nullable=True)
    is_in_service: bool = column("In dienst", "Is in service")

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_vehicles",
            title_nl="Inzamelvoertuigen",
            title_en="Waste collection vehicles",
            grain="one vehicle",
            key=("vehicle_code",),
            owner="Stadsbeheer",
            purpose="To know which vehicle can collect what, and how much.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="public",
            retention="as long as emptyings refer to it",
            freshness_days=400,
            load_mode="snapshot",
            tolerance=0.0,
        )
