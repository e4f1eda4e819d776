"""The national feed of the sample city in DATEX II: the publication of any minute, and the site table, in version 2 or 3.

What passes is decided in `traffic_world`. Both versions say the same; the feed's known oddities are planted here and listed in
`docs/sample-city.md`. Element orders and namespaces follow the schemas of DATEX II v2.0 and v3.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City, Site
from groningen_data.sample.traffic_world import INTERVAL_S, Floats, Integers, world_of

FAST_LAG, SLOW_LAG = 1, 6
"""Minutes between measuring and publishing, of most sites and of every `SLOW_EVERY`-th."""
SLOW_EVERY = 5
TABLE_ID, EARLIER_TABLE_VERSION, TABLE_VERSION = "NDW01_MT", "2000", "2001"
TABLE_CHANGES = time(6, 0)
"""From this time (UTC) on the last day on, the feed names `TABLE_VERSION`."""
SITE_VERSION = 1
REORDERED_SITE = "PGR08_Europaweg_NW_v2_HTN2266"
"""A site that lists speeds before flows since its version 2, which comes with `TABLE_VERSION`; every other site lists flows first."""
UNLISTED_SITE = "PGR08_N860_hmp_2.6_Li_HTN2259"
"""A site that sends as version 2, while the table still lists version 1."""
DEAD_DETECTOR = "PGR08_Westersingel_N_HTN2244_1"
EXPECTED_FLOW = 9_999
"""A value that three sites send as what they would expect, in version 2; it is no measurement."""

# Per lane a site lists an index for each class and one for any vehicle, of flows and then of speeds.
_LENGTHS = (("1.85", "2.40"), ("2.40", "5.60"), ("5.60", "11.50"), ("11.50", "12.20"), ("12.20", None))
CLASSES = len(_LENGTHS)
INDEXES = CLASSES + 1
_CLASS_SHARES = np.array([0.02, 0.85, 0.09, 0.02, 0.02])
_EXTENDED_SITES = 3


@dataclass(frozen=True)
class Minute:
    """What is measured in a minute, per detector and class (the last: any vehicle): vehicles, and their mean speed (-1: none)."""

    vehicles: Integers
    speed: Integers


@lru_cache(maxsize=64)
def minute_of(city: City, at: datetime) -> Minute:
    """What is measured in the minute that starts at an instant."""
    world, local = world_of(city), at.astimezone(city.timezone)
    expected = _expected_at(city, at)
    chance = generator(city, "datex", f"{at.astimezone(UTC):%Y-%m-%dT%H:%M}")
    vehicles = chance.poisson(expected[:, None] / 60 * _CLASS_SHARES)
    vehicles[world.detectors.index(DEAD_DETECTOR)] = 0
    vehicles = np.concatenate([vehicles, vehicles.sum(axis=1, keepdims=True)], axis=1)
    speed = world.mean_speed(local.date(), np.array([local.hour]), expected[:, None]) + 4 * chance.standard_normal(vehicles.shape)
    return Minute(vehicles, np.where(vehicles > 0, np.maximum(np.rint(speed), 5), -1).astype(np.int64))


def measured_at(position: int, published_at: datetime) -> datetime:
    """The minute that a publication holds of the site at a position."""
    return published_at - timedelta(minutes=SLOW_LAG if position % SLOW_EVERY == SLOW_EVERY - 1 else FAST_LAG)


def publication(city: City, published_at: datetime, version: int = 2, *, says: datetime | None = None) -> str:
    """The publication of a minute as a message of DATEX II, on one line.

    Args:
        city: The city.
        published_at: The minute in which it is published (UTC).
        version: 2 or 3.
        says: The minute that it says it is published in, where its clock is wrong.
    """
    form, table = _FORMS[version], table_at(city, published_at)
    sites = "".join(form.measurements(measured) for measured in _measurements(city, published_at, table))
    return form.feed(f"{says or published_at:%Y-%m-%dT%H:%M}:40.004Z", table, sites)


def site_table(city: City, at: datetime, version: int = 2) -> str:
    """The table that says what each index of each site measures, as it is at an instant, on one line."""
    form, table = _FORMS[version], table_at(city, at)
    changed = datetime.combine(city.days[-1], TABLE_CHANGES if table == TABLE_VERSION else time(0, 15), UTC)
    records = "".join(form.record(site, _listed_version(site, table), _indexes(site, table)) for site in city.sites)
    return form.table(f"{changed:%Y-%m-%dT%H:%M}:00.000Z", table, records)


def table_at(city: City, at: datetime) -> str:
    """The version of the site table that counts at an instant."""
    return TABLE_VERSION if at >= datetime.combine(city.days[-1], TABLE_CHANGES, UTC) else EARLIER_TABLE_VERSION


def any_vehicle_indexes(site: Site, lane: int) -> tuple[int, int]:
    """Indexes of the speed and the flow of any vehicle on a lane, in `TABLE_VERSION`."""
    early, late = (2 * lane - 1) * INDEXES, 2 * lane * INDEXES
    return (late, early) if _flows_first(site, TABLE_VERSION) else (early, late)


def _expected_at(city: City, minute: datetime) -> Floats:
    """Vehicles per hour to be expected at each detector in a minute."""
    local = minute.astimezone(city.timezone)
    seconds, expected = _expected_on(city, local.date())
    now = local.hour * 3600 + local.minute * 60
    flows: Floats = expected[:, int(np.flatnonzero(seconds == now - now % INTERVAL_S)[0])]
    return flows


@lru_cache(maxsize=2)
def _expected_on(city: City, day: date) -> tuple[Integers, Floats]:
    return world_of(city).expected(day)


def _flows_first(site: Site, table: str) -> bool:
    return site.id != REORDERED_SITE or table != TABLE_VERSION


def _listed_version(site: Site, table: str) -> int:
    return SITE_VERSION + (not _flows_first(site, table))


@dataclass(frozen=True)
class _Reading:
    index: int
    is_flow: bool
    value: int
    vehicles: int
    is_error: bool
    is_extended: bool


@dataclass(frozen=True)
class _Measurements:
    site: Site
    version: int
    at: datetime
    readings: list[_Reading]


def _measurements(city: City, published_at: datetime, table: str) -> Iterator[_Measurements]:
    """What a publication holds of each site."""
    minutes = {at: minute_of(city, at) for at in {measured_at(position, published_at) for position in range(SLOW_EVERY)}}
    detector = 0
    for position, site in enumerate(city.sites):
        at = measured_at(position, published_at)
        minute, flows_first = minutes[at], _flows_first(site, table)
        readings = []
        for lane, name in enumerate(site.detectors):
            counts, speeds = minute.vehicles[detector].tolist(), minute.speed[detector].tolist()
            index, is_error = lane * 2 * INDEXES, name == DEAD_DETECTOR
            for is_flow in (flows_first, not flows_first):
                for n, (vehicles, speed) in enumerate(zip(counts, speeds, strict=True)):
                    index += 1
                    is_extended = is_flow and n == CLASSES and position < _EXTENDED_SITES and lane == 0
                    readings.append(
                        _Reading(index, is_flow, vehicles * 60 if is_flow else speed, vehicles, is_error, is_extended)
                    )
            detector += 1
        yield _Measurements(site, _listed_version(site, table) + (site.id == UNLISTED_SITE), at, readings)


@dataclass(frozen=True)
class _Index:
    index: int
    lane: int
    is_flow: bool
    length_class: int | None


def _indexes(site: Site, table: str) -> list[_Index]:
    """What each index of a site measures."""
    order = (True, False) if _flows_first(site, table) else (False, True)
    what = [(lane, f, c) for lane in range(1, site.lanes + 1) for f in order for c in (*range(CLASSES), None)]
    return [_Index(n, lane, is_flow, length) for n, (lane, is_flow, length) in enumerate(what, start=1)]


_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


class _Version2:
    """DATEX II version 2 in its SOAP envelope."""

    def feed(self, published_at: str, table: str, sites: str) -> str:
        reference = f'<measurementSiteTableReference id="{TABLE_ID}" version="{table}" targetClass="MeasurementSiteTable"/>'
        return self._envelope("MeasuredDataPublication", published_at, f"{reference}{self._HEADER}{sites}")

    def measurements(self, measured: _Measurements) -> str:
        values = "".join(
            f'<measuredValue index="{r.index}"><measuredValue>{self._flow(r) if r.is_flow else self._speed(r)}'
            f"{self._EXTENSION if r.is_extended else ''}</measuredValue></measuredValue>"
            for r in measured.readings
        )
        return (
            f"<siteMeasurements {_XSI}><measurementSiteReference id={quoteattr(measured.site.id)} "
            f'version="{measured.version}" targetClass="MeasurementSiteRecord"/>'
            f"<measurementTimeDefault>{measured.at:%Y-%m-%dT%H:%M}:00Z</measurementTimeDefault>{values}</siteMeasurements>"
        )

    def table(self, published_at: str, table: str, records: str) -> str:
        listed = f'<measurementSiteTable id="{TABLE_ID}" version="{table}">{records}</measurementSiteTable>'
        return self._envelope("MeasurementSiteTablePublication", published_at, f"{self._HEADER}{listed}")

    def record(self, site: Site, version: int, indexes: Sequence[_Index]) -> str:
        characteristics = "".join(
            f'<measurementSpecificCharacteristics index="{i.index}"><measurementSpecificCharacteristics><accuracy>95</accuracy>'
            f"<period>60</period><specificLane>lane{i.lane}</specificLane>"
            f"<specificMeasurementValueType>{_quantity(i)}</specificMeasurementValueType>"
            f"<specificVehicleCharacteristics>{_vehicles(i)}</specificVehicleCharacteristics>"
            "</measurementSpecificCharacteristics></measurementSpecificCharacteristics>"
            for i in indexes
        )
        place = f"<latitude>{site.latitude}</latitude><longitude>{site.longitude}</longitude>"
        return (
            f'<measurementSiteRecord id={quoteattr(site.id)} version="{version}">'
            "<measurementSiteRecordVersionTime>2025-01-06T09:00:00Z</measurementSiteRecordVersionTime>"
            "<computationMethod>arithmeticAverageOfSamplesInATimePeriod</computationMethod>"
            f"<measurementEquipmentTypeUsed>{_text('lus')}</measurementEquipmentTypeUsed>"
            f"<measurementSiteName>{_text(site.name)}</measurementSiteName>"
            f"<measurementSiteNumberOfLanes>{site.lanes}</measurementSiteNumberOfLanes>"
            f"<measurementSiteIdentification>{escape(site.id)}</measurementSiteIdentification>"
            f"<measurementSide>{escape(site.direction)}</measurementSide>{characteristics}"
            f'<measurementSiteLocation xsi:type="Point"><locationForDisplay>{place}</locationForDisplay></measurementSiteLocation>'
            "</measurementSiteRecord>"
        )

    def _flow(self, reading: _Reading) -> str:
        rate = f"<vehicleFlow>{self._error(reading)}<vehicleFlowRate>{reading.value}</vehicleFlowRate></vehicleFlow>"
        return f'<basicData xsi:type="TrafficFlow">{rate}</basicData>'

    def _speed(self, reading: _Reading) -> str:
        spread = ' standardDeviation="2.36"' if reading.vehicles > 1 else ""
        return (
            f'<basicData xsi:type="TrafficSpeed"><averageVehicleSpeed numberOfInputValuesUsed="{reading.vehicles}"{spread}>'
            f"{self._error(reading)}<speed>{reading.value}</speed></averageVehicleSpeed></basicData>"
        )

    def _error(self, reading: _Reading) -> str:
        return "<dataError>true</dataError>" if reading.is_error else ""

    # A second flow value that is an expectation, not a measurement: it must not be counted.
    _EXTENSION = (
        "<measuredValueExtension><measuredValueExtended><basicDataReferenceValue>"
        "<referenceValueType>normallyExpectedInCurrentPeriodOfDay</referenceValueType><trafficData xsi:type="
        f'"TrafficFlow"><vehicleFlow><vehicleFlowRate>{EXPECTED_FLOW}</vehicleFlowRate></vehicleFlow></trafficData>'
        "</basicDataReferenceValue></measuredValueExtended></measuredValueExtension>"
    )
    _HEADER = (
        "<headerInformation><confidentiality>noRestriction</confidentiality><informationStatus>real</informationStatus>"
        "</headerInformation>"
    )

    def _envelope(self, kind: str, published_at: str, content: str) -> str:
        supplier = "<country>nl</country><nationalIdentifier>NLNDW</nationalIdentifier>"
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<SOAP:Envelope xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/"><SOAP:Body>'
            f'<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" modelBaseVersion="2" {_XSI}>'
            f"<exchange><supplierIdentification>{supplier}</supplierIdentification></exchange>"
            f'<payloadPublication {_XSI} xsi:type="{kind}" lang="nl">'
            f"<publicationTime>{published_at}</publicationTime><publicationCreator>{supplier}</publicationCreator>"
            f"{content}</payloadPublication></d2LogicalModel></SOAP:Body></SOAP:Envelope>"
        )


class _Version3:
    """DATEX II version 3 in its message container."""

    def feed(self, published_at: str, table: str, sites: str) -> str:
        reference = (
            f'<roa:measurementSiteTableReference targetClass="roa:MeasurementSiteTable" id="{TABLE_ID}" version="{table}"/>'
        )
        return self._container("MeasuredDataPublication", published_at, f"{reference}{self._HEADER}{sites}")

    def measurements(self, measured: _Measurements) -> str:
        quantities = "".join(
            f'<roa:physicalQuantity index="{r.index}"><roa:physicalQuantity xsi:type="roa:SinglePhysicalQuantity">'
            f"{self._flow(r) if r.is_flow else self._speed(r)}</roa:physicalQuantity></roa:physicalQuantity>"
            for r in measured.readings
        )
        return (
            f'<roa:siteMeasurements><roa:measurementSiteReference targetClass="roa:MeasurementSite" '
            f'id={quoteattr(measured.site.id)} version="{measured.version}"/>{quantities}<roa:measurementTimeDefault>'
            f"<roa:timeValue>{measured.at:%Y-%m-%dT%H:%M}:00Z</roa:timeValue></roa:measurementTimeDefault></roa:siteMeasurements>"
        )

    def table(self, published_at: str, table: str, records: str) -> str:
        listed = f'<roa:measurementSiteTable id="{TABLE_ID}" version="{table}">{records}</roa:measurementSiteTable>'
        return self._container("MeasurementSiteTablePublication", published_at, f"{self._HEADER}{listed}")

    def record(self, site: Site, version: int, indexes: Sequence[_Index]) -> str:
        characteristics = "".join(
            f'<roa:measurementSpecificCharacteristics index="{i.index}"><roa:measurementSpecificCharacteristics>'
            "<roa:accuracy>95.0</roa:accuracy>"
            "<roa:computationMethod>arithmeticAverageOfSamplesInATimePeriod</roa:computationMethod>"
            f"<roa:measurementSide>{escape(site.direction)}</roa:measurementSide><roa:period>60.0</roa:period>"
            f"<roa:specificMeasurementValueType>{_quantity(i)}</roa:specificMeasurementValueType>"
            f"<roa:specificVehicleCharacteristics>{_vehicles(i, 'com:')}</roa:specificVehicleCharacteristics>"
            f"<roa:specificLane><loc:laneNumber>{i.lane}</loc:laneNumber></roa:specificLane>"
            "</roa:measurementSpecificCharacteristics></roa:measurementSpecificCharacteristics>"
            for i in indexes
        )
        place = f"<loc:latitude>{site.latitude}</loc:latitude><loc:longitude>{site.longitude}</loc:longitude>"
        return (
            f'<roa:measurementSite id={quoteattr(site.id)} version="{version}">'
            "<roa:measurementSiteRecordVersionTime>2025-01-06T09:00:00Z</roa:measurementSiteRecordVersionTime>"
            f"<roa:measurementEquipmentTypeUsed>{_text('lus', 'com:')}</roa:measurementEquipmentTypeUsed>"
            f"<roa:measurementSiteName>{_text(site.name, 'com:')}</roa:measurementSiteName>"
            f"<roa:measurementSiteNumberOfLanes>{site.lanes}</roa:measurementSiteNumberOfLanes>"
            f"<roa:measurementSiteIdentification>{escape(site.id)}</roa:measurementSiteIdentification>{characteristics}"
            '<roa:measurementSiteLocation xsi:type="loc:PointLocation"><loc:pointByCoordinates><loc:pointCoordinates>'
            f"{place}</loc:pointCoordinates></loc:pointByCoordinates></roa:measurementSiteLocation></roa:measurementSite>"
        )

    def _flow(self, reading: _Reading) -> str:
        rate = f"{self._error(reading)}<com:vehicleFlowRate>{reading.value}</com:vehicleFlowRate>"
        return (
            f'<roa:basicData xsi:type="roa:TrafficFlow"><roa:vehicleFlow accuracy="95.0">{rate}</roa:vehicleFlow></roa:basicData>'
        )

    def _speed(self, reading: _Reading) -> str:
        return (
            '<roa:basicData xsi:type="roa:TrafficSpeed">'
            f'<roa:averageVehicleSpeed accuracy="95.0" numberOfInputValuesUsed="{reading.vehicles}">'
            f"{self._error(reading)}<com:speed>{reading.value}.0</com:speed></roa:averageVehicleSpeed></roa:basicData>"
        )

    def _error(self, reading: _Reading) -> str:
        return "<com:dataError>true</com:dataError>" if reading.is_error else ""

    _HEADER = (
        "<roa:headerInformation><com:confidentiality>noRestriction</com:confidentiality>"
        "<com:informationStatus>real</com:informationStatus></roa:headerInformation>"
    )
    _NAMESPACES = " ".join(
        f'xmlns:{prefix}="http://datex2.eu/schema/3/{name}"'
        for prefix, name in (
            ("mc", "messageContainer"),
            ("roa", "roadTrafficData"),
            ("com", "common"),
            ("loc", "locationReferencing"),
        )
    )

    def _container(self, kind: str, published_at: str, content: str) -> str:
        creator = "<com:country>nl</com:country><com:nationalIdentifier>NLNDW</com:nationalIdentifier>"
        return (
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><mc:messageContainer {self._NAMESPACES} {_XSI} '
            f'modelBaseVersion="3"><mc:payload xsi:type="roa:{kind}" lang="nl" modelBaseVersion="3">'
            f"<com:publicationTime>{published_at}</com:publicationTime><com:publicationCreator>{creator}</com:publicationCreator>"
            f"{content}</mc:payload></mc:messageContainer>"
        )


_FORMS: dict[int, _Version2 | _Version3] = {2: _Version2(), 3: _Version3()}


def _quantity(index: _Index) -> str:
    return "trafficFlow" if index.is_flow else "trafficSpeed"


def _vehicles(index: _Index, prefix: str = "") -> str:
    if index.length_class is None:
        return f"<{prefix}vehicleType>anyVehicle</{prefix}vehicleType>"
    above, up_to = _LENGTHS[index.length_class]
    limits = [("greaterThan", above)] + ([("lessThanOrEqualTo", up_to)] if up_to else [])
    return "".join(
        f"<{prefix}lengthCharacteristic><{prefix}comparisonOperator>{operator}</{prefix}comparisonOperator>"
        f"<{prefix}vehicleLength>{metres}</{prefix}vehicleLength></{prefix}lengthCharacteristic>"
        for operator, metres in limits
    )


def _text(value: str, prefix: str = "") -> str:
    return f'<{prefix}values><{prefix}value lang="nl">{escape(value)}</{prefix}value></{prefix}values>'
