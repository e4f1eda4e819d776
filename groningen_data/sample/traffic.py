"""Traffic payloads: the register of sites, loop counts per day, and a quarter of an hour of DATEX II with its site table.

What passes is decided in `traffic_world`; the faults of detectors and feeds are planted here. Both are listed in
`docs/sample-city.md`.
"""

import gzip
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import polars as pl

from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City, Site
from groningen_data.sample.traffic_world import (
    INTERVAL_S,
    MOST_VEHICLES,
    Floats,
    Integers,
    days_before_last,
    world_of,
)
from groningen_data.sample.wire import Payloads, json_bytes, packed

POISONED_BEFORE_LAST = 5
"""So many days before the last, a firmware fault spoiled the loops."""
FAULTY_EVERY = 3
"""On that day, every so many-th detector is faulty."""
BAD_ROWS = 40
INFINITE_ROWS = 3
DEAD_DETECTOR = "PGR08_Westersingel_N_HTN2244_1"

STUCK_DETECTOR = "PGR08_Stationsweg_W_HTN2250_2"
STUCK_BEFORE_LAST = range(6, 13)
"""On these days before the last, `STUCK_DETECTOR` repeats one and the same reading, day and night."""
STUCK_VEHICLES = 31
STUCK_SPEED = 41.5

PUBLICATIONS = 15
"""Publications of the feed, one a minute; the last is that of `LAST_PUBLICATION` (UTC), on the last day."""
LAST_PUBLICATION = time(7, 42)
FAST_LAG, SLOW_LAG = 1, 6
"""Minutes between measuring and publishing, of most sites and of every `SLOW_EVERY`-th."""
SLOW_EVERY = 5
TABLE_ID, TABLE_VERSION = "NDW01_MT", "2001"
SITE_VERSION = 1
REORDERED_SITE = "PGR08_Europaweg_NW_v2_HTN2266"
"""A site of version 2, which lists speeds before flows; every other site lists flows first."""
UNLISTED_SITE = "PGR08_N860_hmp_2.6_Li_HTN2259"
"""A site that sends as version 2, while the table still lists version 1."""
EXPECTED_FLOW = 9_999
"""A value that three sites send as what they would expect; it is no measurement."""

# Per lane a site lists an index for each class and one for any vehicle, of flows and then of speeds.
_LENGTHS = (("1.85", "2.40"), ("2.40", "5.60"), ("5.60", "11.50"), ("11.50", "12.20"), ("12.20", None))
_CLASSES = len(_LENGTHS)
_INDEXES = _CLASSES + 1
_CLASS_SHARES = np.array([0.02, 0.85, 0.09, 0.02, 0.02])
_EXTENDED_SITES = 3

_SCHEMA = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_SUPPLIER = "<country>nl</country><nationalIdentifier>NLNDW</nationalIdentifier>"


def payloads(city: City) -> Payloads:
    """Register, loop counts per day, and the site table and the publications of the last day."""
    yield "traffic/ndw_measurement_locations.json.gz", packed(json_bytes(_register(city.sites), compact=True))
    for day in city.days:
        yield f"traffic/loops_{day}.csv.gz", _packed_fast(loops(city, day).write_csv().encode())
    day = city.days[-1]
    yield f"traffic/measurement_{day}.xml.gz", _packed_fast(_site_table(city.sites, day).encode())
    minutes = _Minutes(city, day)
    for at in minutes.publications:
        name = f"traffic/ndw_trafficspeed_{at:%Y-%m-%dT%H%M}Z.xml.gz"
        yield name, _packed_fast(_publication(minutes, at).encode())


def _packed_fast(data: bytes) -> bytes:
    # The fastest level: the files of two months are packed while somebody waits for them.
    return gzip.compress(data, compresslevel=1, mtime=0)


def loops(city: City, day: date) -> pl.DataFrame:
    """The loops of a local day as they are delivered, faults and all.

    Returns:
        day, interval (seconds after local midnight), detid, flow (vehicles per hour, as text), occ, error, city, speed.
    """
    world = world_of(city)
    passing = world.passing(day)
    vehicles, speed = passing.vehicles.copy(), passing.speed.copy()
    dead, stuck = (world.detectors.index(detector) for detector in (DEAD_DETECTOR, STUCK_DETECTOR))
    before_last = days_before_last(city, day)
    if before_last in STUCK_BEFORE_LAST:
        vehicles[stuck], speed[stuck] = STUCK_VEHICLES, STUCK_SPEED
    flow = vehicles * 12.0
    with np.errstate(divide="ignore", invalid="ignore"):
        occupancy = np.where(vehicles > 0, np.round(flow / speed, 6), 0.0)
    error = np.zeros(vehicles.shape, dtype=bool)
    error[dead] = True

    chance = generator(city, "faults of loops", day)
    sound = np.ones(vehicles.shape, dtype=bool)
    sound[[dead, stuck]] = False
    bad = np.zeros(vehicles.shape, dtype=bool)
    if before_last == POISONED_BEFORE_LAST:
        bad[::FAULTY_EVERY] = True
        bad &= sound
    else:
        bad.ravel()[chance.choice(np.flatnonzero(sound), BAD_ROWS, replace=False)] = True
    infinite = chance.choice(np.flatnonzero(sound & ~bad & (vehicles > 0)), INFINITE_ROWS, replace=False)
    occupancy.ravel()[infinite], error.ravel()[infinite], speed.ravel()[infinite] = np.inf, True, 0.0

    detectors, intervals = vehicles.shape
    return pl.DataFrame(
        {
            "day": pl.repeat(str(day), vehicles.size, eager=True),
            "interval": np.tile(passing.seconds, detectors),
            "detid": pl.Series(world.detectors).gather(np.repeat(np.arange(detectors), intervals)),
            "flow": _FLOW_TEXTS.gather(_which_text(vehicles, bad, chance)),
            "occ": occupancy.ravel(),
            "error": pl.Series(error.ravel()).replace_strict({True: 1.0, False: None}, return_dtype=pl.Float64),
            "city": pl.repeat("groningen", vehicles.size, eager=True),
            "speed": speed.ravel(),
        }
    )


# Every text that column `flow` can hold: flows, then what a spoiled row says instead.
_BAD_TEXTS = [f"ERR-{code}" for code in range(1, 10)] + [f"-{12.0 * n}" for n in range(1, 21)]
_FLOW_TEXTS = pl.Series([str(12.0 * n) for n in range(MOST_VEHICLES + 1)] + _BAD_TEXTS)


def _which_text(
    vehicles: Integers, bad: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], chance: np.random.Generator
) -> Integers:
    which = vehicles.ravel().copy()
    which[bad.ravel()] = MOST_VEHICLES + 1 + chance.integers(0, len(_BAD_TEXTS), int(bad.sum()))
    return which


class _Minutes:
    """What the feed measures in the minutes around its publications, and which of them it publishes.

    Args:
        city: The city.
        day: The day of the publications.
    """

    def __init__(self, city: City, day: date) -> None:
        self.city = city
        last = datetime.combine(day, LAST_PUBLICATION, UTC)
        self.publications = [last - timedelta(minutes=n) for n in reversed(range(PUBLICATIONS))]
        first = self.publications[0] - timedelta(minutes=SLOW_LAG)
        self.minutes = [first + timedelta(minutes=n) for n in range(PUBLICATIONS + SLOW_LAG)]
        world = world_of(city)
        chance = generator(city, "datex", day)
        expected = np.stack([_expected_at(city, minute) for minute in self.minutes], axis=1)
        vehicles = chance.poisson(expected[:, :, None] / 60 * _CLASS_SHARES)
        vehicles[world.detectors.index(DEAD_DETECTOR)] = 0
        self.vehicles = np.concatenate([vehicles, vehicles.sum(axis=2, keepdims=True)], axis=2)
        speed = world.mean_speed(day, expected)[:, :, None] + 4 * chance.standard_normal(self.vehicles.shape)
        self.speed = np.where(self.vehicles > 0, np.maximum(np.rint(speed), 5), -1).astype(np.int64)

    def measured_at(self, position: int, published_at: datetime) -> datetime:
        """The minute that a publication holds of the site at a position."""
        return published_at - timedelta(minutes=SLOW_LAG if position % SLOW_EVERY == SLOW_EVERY - 1 else FAST_LAG)


def measured(city: City) -> pl.DataFrame:
    """What the publications of the last day say in all, read with the site table.

    Returns:
        One row per reading: site_id, lane (from 1), measured_at (UTC), length_class (1 to 5; null: any vehicle),
        flow_veh_h, speed_km_h (-1: no vehicle), and is_data_error.
    """
    minutes = _Minutes(city, city.days[-1])
    rows = []
    for published_at in minutes.publications:
        detector = 0
        for position, site in enumerate(city.sites):
            at = minutes.measured_at(position, published_at)
            for lane, name in enumerate(site.detectors, start=1):
                counts = minutes.vehicles[detector, minutes.minutes.index(at)].tolist()
                speeds = minutes.speed[detector, minutes.minutes.index(at)].tolist()
                for n, (vehicles, speed) in enumerate(zip(counts, speeds, strict=True)):
                    length_class = None if n == _CLASSES else n + 1
                    rows.append((site.id, lane, at, length_class, vehicles * 60, speed, name == DEAD_DETECTOR))
                detector += 1
    columns = ("site_id", "lane", "measured_at", "length_class", "flow_veh_h", "speed_km_h", "is_data_error")
    return pl.DataFrame(rows, schema=columns, orient="row")


def _expected_at(city: City, minute: datetime) -> Floats:
    """Vehicles per hour to be expected at each detector in a minute."""
    local = minute.astimezone(city.timezone)
    seconds, expected = world_of(city).expected(local.date())
    now = local.hour * 3600 + local.minute * 60
    flows: Floats = expected[:, int(np.flatnonzero(seconds == now - now % INTERVAL_S)[0])]
    return flows


def _flows_first(site: Site) -> bool:
    return site.id != REORDERED_SITE


def _listed_version(site: Site) -> int:
    return SITE_VERSION + (site.id == REORDERED_SITE)


def _sent_version(site: Site) -> int:
    return _listed_version(site) + (site.id == UNLISTED_SITE)


def _register(sites: Sequence[Site]) -> dict[str, object]:
    return {
        site.id: {
            "c": [site.longitude, site.latitude],
            "n": site.name,
            "side": site.direction,
            "lanes": site.lanes,
            "m": [[lane, *_any_vehicle_indexes(site, lane)] for lane in range(1, site.lanes + 1)],
        }
        for site in sites
    }


def _any_vehicle_indexes(site: Site, lane: int) -> tuple[int, int]:
    """Indexes of the speed and the flow of any vehicle on a lane."""
    early, late = (2 * lane - 1) * _INDEXES, 2 * lane * _INDEXES
    return (late, early) if _flows_first(site) else (early, late)


def _publication(minutes: _Minutes, published_at: datetime) -> str:
    """One DATEX II v2 publication in its SOAP envelope, on one line, with the feed's known oddities."""
    return _envelope(
        "MeasuredDataPublication",
        f"{published_at:%Y-%m-%dT%H:%M}:40.004Z",
        f'<measurementSiteTableReference id="{TABLE_ID}" version="{TABLE_VERSION}" targetClass="MeasurementSiteTable"/>{_HEADER}'
        + "".join(_site_measurements(minutes, published_at)),
    )


def _site_measurements(minutes: _Minutes, published_at: datetime) -> Iterator[str]:
    detector = 0
    for position, site in enumerate(minutes.city.sites):
        at = minutes.measured_at(position, published_at)
        minute = minutes.minutes.index(at)
        values: list[str] = []
        for lane, name in enumerate(site.detectors):
            counts, speeds = minutes.vehicles[detector, minute].tolist(), minutes.speed[detector, minute].tolist()
            error = "<dataError>true</dataError>" if name == DEAD_DETECTOR else ""
            flows = [_flow(vehicles * 60, error) for vehicles in counts]
            if position < _EXTENDED_SITES and lane == 0:
                flows[_CLASSES] += _EXTENSION
            readings = [flows, [_speed(vehicles, speed, error) for vehicles, speed in zip(counts, speeds, strict=True)]]
            ordered = readings[0] + readings[1] if _flows_first(site) else readings[1] + readings[0]
            first = lane * 2 * _INDEXES + 1
            values += [
                f'<measuredValue index="{index}"><measuredValue>{reading}</measuredValue></measuredValue>'
                for index, reading in enumerate(ordered, start=first)
            ]
            detector += 1
        yield (
            f"<siteMeasurements {_SCHEMA}>"
            f'<measurementSiteReference id={quoteattr(site.id)} version="{_sent_version(site)}" targetClass="MeasurementSiteRecord"/>'
            f"<measurementTimeDefault>{at:%Y-%m-%dT%H:%M}:00Z</measurementTimeDefault>{''.join(values)}</siteMeasurements>"
        )


def _flow(per_hour: int, error: str) -> str:
    rate = f"<vehicleFlow>{error}<vehicleFlowRate>{per_hour}</vehicleFlowRate></vehicleFlow>"
    return f'<basicData xsi:type="TrafficFlow">{rate}</basicData>'


def _speed(vehicles: int, speed: int, error: str) -> str:
    spread = ' standardDeviation="2.36"' if vehicles > 1 else ""
    reading = f"{error}<speed>{speed}</speed>"
    return (
        '<basicData xsi:type="TrafficSpeed">'
        f'<averageVehicleSpeed numberOfInputValuesUsed="{vehicles}"{spread}>{reading}</averageVehicleSpeed></basicData>'
    )


# A second flow value that is an expectation, not a measurement: it must not be counted.
_EXTENSION = (
    "<measuredValueExtension><measuredValueExtended><basicDataReferenceValue>"
    "<referenceValueType>normallyExpectedInCurrentPeriodOfDay</referenceValueType>"
    f'<trafficData xsi:type="TrafficFlow"><vehicleFlow><vehicleFlowRate>{EXPECTED_FLOW}</vehicleFlowRate></vehicleFlow></trafficData>'
    "</basicDataReferenceValue></measuredValueExtended></measuredValueExtension>"
)


def _site_table(sites: Sequence[Site], day: date) -> str:
    """The DATEX II v2 table that says what each index of each site measures, on one line."""
    records = "".join(_site_record(site) for site in sites)
    return _envelope(
        "MeasurementSiteTablePublication",
        f"{day}T00:15:00.000Z",
        f'{_HEADER}<measurementSiteTable id="{TABLE_ID}" version="{TABLE_VERSION}">{records}</measurementSiteTable>',
    )


def _site_record(site: Site) -> str:
    characteristics = []
    for lane in range(1, site.lanes + 1):
        quantities = ("trafficFlow", "trafficSpeed") if _flows_first(site) else ("trafficSpeed", "trafficFlow")
        characteristics += [
            f"<period>60</period><specificLane>lane{lane}</specificLane>"
            f"<specificMeasurementValueType>{quantity}</specificMeasurementValueType>"
            f"<specificVehicleCharacteristics>{vehicles}</specificVehicleCharacteristics>"
            for quantity in quantities
            for vehicles in (*_LENGTH_CLASSES, "<vehicleType>anyVehicle</vehicleType>")
        ]
    indexed = "".join(
        f'<measurementSpecificCharacteristics index="{index}"><measurementSpecificCharacteristics><accuracy>95</accuracy>'
        f"{what}</measurementSpecificCharacteristics></measurementSpecificCharacteristics>"
        for index, what in enumerate(characteristics, start=1)
    )
    place = f"<latitude>{site.latitude}</latitude><longitude>{site.longitude}</longitude>"
    return (
        f'<measurementSiteRecord id={quoteattr(site.id)} version="{_listed_version(site)}">'
        "<measurementSiteRecordVersionTime>2025-01-06T09:00:00Z</measurementSiteRecordVersionTime>"
        "<computationMethod>arithmeticAverageOfSamplesInATimePeriod</computationMethod>"
        f"<measurementEquipmentTypeUsed>{_text('lus')}</measurementEquipmentTypeUsed>"
        f"<measurementSiteName>{_text(site.name)}</measurementSiteName>"
        f"<measurementSiteNumberOfLanes>{site.lanes}</measurementSiteNumberOfLanes>"
        f"<measurementSiteIdentification>{escape(site.id)}</measurementSiteIdentification>"
        f"<measurementSide>{escape(site.direction)}</measurementSide>{indexed}"
        f'<measurementSiteLocation xsi:type="Point"><locationForDisplay>{place}</locationForDisplay></measurementSiteLocation>'
        "</measurementSiteRecord>"
    )


def _text(value: str) -> str:
    return f'<values><value lang="nl">{escape(value)}</value></values>'


def _length_class(above: str, up_to: str | None) -> str:
    limits = [("greaterThan", above)] + ([("lessThanOrEqualTo", up_to)] if up_to else [])
    return "".join(
        f"<lengthCharacteristic><comparisonOperator>{operator}</comparisonOperator><vehicleLength>{metres}</vehicleLength>"
        "</lengthCharacteristic>"
        for operator, metres in limits
    )


_LENGTH_CLASSES = [_length_class(above, up_to) for above, up_to in _LENGTHS]
_HEADER = (
    "<headerInformation><confidentiality>noRestriction</confidentiality><informationStatus>real</informationStatus>"
    "</headerInformation>"
)


def _envelope(kind: str, published_at: str, content: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<SOAP:Envelope xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/"><SOAP:Body>'
        f'<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" modelBaseVersion="2" {_SCHEMA}>'
        f"<exchange><supplierIdentification>{_SUPPLIER}</supplierIdentification></exchange>"
        f'<payloadPublication {_SCHEMA} xsi:type="{kind}" lang="nl">'
        f"<publicationTime>{published_at}</publicationTime><publicationCreator>{_SUPPLIER}</publicationCreator>"
        f"{content}</payloadPublication></d2LogicalModel></SOAP:Body></SOAP:Envelope>"
    )
