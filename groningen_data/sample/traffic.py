"""Traffic payloads: the register of sites, five-minute loop counts per day, and one DATEX II publication.

Flows and speeds are made up. The patterns and faults planted here are listed in `docs/sample-city.md`.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import sqrt
from random import Random
from xml.sax.saxutils import quoteattr
from zoneinfo import ZoneInfo

from groningen_data.sample.facts import City, Site
from groningen_data.sample.wire import Payloads, json_bytes, packed

POISONED_DAY = 8
"""Position of the day on which a firmware fault spoils the loops."""
FAULTY_EVERY = 3
"""On that day, every so many-th detector is faulty."""
BAD_ROWS = 40
INFINITE_ROWS = 3
DOUBLED_DAY = 4
"""Position of the day with a diversion over `DOUBLED_ROAD`."""
DOUBLED_ROAD = "Damsterdiep"
DEAD_DETECTOR = "PGR08_Westersingel_N_HTN2244_1"

_INTERVAL_S = 300
_DAY_S = 86_400
# Vehicles per hour and lane, per hour of the day.
_WEEKDAY = (14, 9, 9, 20, 60, 160, 330, 460, 480, 360, 350, 360, 385, 400, 420, 450, 510, 480, 340, 250, 200, 160, 105, 50)
_WEEKEND = (55, 40, 28, 20, 20, 32, 55, 90, 150, 215, 275, 310, 325, 330, 325, 305, 285, 250, 210, 165, 135, 110, 85, 60)
_SUNDAY_SHARE = 0.8
_BUSY_FLOW = 900

# Per lane the registry lists six flow indexes, then six speed indexes; the last of each six is "any vehicle".
_CLASSES = 5
_INDEXES_PER_LANE = 2 * (_CLASSES + 1)
_CLASS_WEIGHTS = (2, 85, 9, 2, 2)
_SLOW_EVERY = 5
_EXTENDED_SITES = 3


def payloads(city: City) -> Payloads:
    """Register, loop counts per day, and the publication of the last day."""
    yield "traffic/ndw_measurement_locations.json.gz", packed(json_bytes(_register(city.sites), compact=True))
    for position, day in enumerate(city.days):
        yield f"traffic/loops_{day}.csv.gz", packed(_loops(city, position, day).encode())
    day = city.days[-1]
    yield f"traffic/ndw_trafficspeed_{day}T0742Z.xml.gz", packed(_publication(city, day).encode())


def _register(sites: Sequence[Site]) -> dict[str, object]:
    return {
        site.id: {
            "c": [site.longitude, site.latitude],
            "n": site.name,
            "side": site.direction,
            "lanes": site.lanes,
            "m": [[n, n * _INDEXES_PER_LANE, n * _INDEXES_PER_LANE - _CLASSES - 1] for n in range(1, site.lanes + 1)],
        }
        for site in sites
    }


def _loops(city: City, position: int, day: date) -> str:
    random = city.random("loops", day)
    detectors = [detector for site in city.sites for detector in site.detectors]
    flows = [(seconds, _expected_flow(day, seconds)) for seconds in _seconds_of(day, city.timezone)]
    rows: list[list[str]] = []
    for detector in detectors:
        doubled = position == DOUBLED_DAY and DOUBLED_ROAD in detector
        strength, free_speed = _character(city, detector)
        rows.extend(_detector_rows(day, detector, flows, strength * (2 if doubled else 1), free_speed, random))
    sound = [n for n, row in enumerate(rows) if row[2] != DEAD_DETECTOR]
    if position == POISONED_DAY:
        faulty = {d for d in detectors[::FAULTY_EVERY] if d != DEAD_DETECTOR}
        _spoil(rows, [n for n in sound if rows[n][2] in faulty], random)
    else:
        _spoil(rows, random.sample(sound, BAD_ROWS), random)
    busy = [n for n in sound if rows[n][3][0].isdigit() and rows[n][3] != "0.0"]
    for n in random.sample(busy, INFINITE_ROWS):
        rows[n][4:8] = ["inf", "1.0", "groningen", "0.0"]
    return "day,interval,detid,flow,occ,error,city,speed\n" + "".join(",".join(row) + "\n" for row in rows)


def _detector_rows(
    day: date, detector: str, flows: Sequence[tuple[int, float]], strength: float, free_speed: float, random: Random
) -> Iterator[list[str]]:
    error = "1.0" if detector == DEAD_DETECTOR else ""
    chance, on = random.random, str(day)
    for seconds, flow in flows:
        mean = flow * strength / 12
        vehicles = max(0, int(mean + sqrt(mean) * (chance() + chance() - 1) * 2.4 + 0.5))
        speed = round(free_speed * (1 - 0.3 * min(1, flow * strength / _BUSY_FLOW)) + 6 * chance() - 3, 2) if vehicles else 0.0
        per_hour = vehicles * 12.0
        occupancy = round(per_hour / speed, 12) if vehicles else 0.0
        yield [on, str(seconds), detector, str(per_hour), str(occupancy), error, "groningen", str(speed)]


def _spoil(rows: list[list[str]], positions: Sequence[int], random: Random) -> None:
    for count, n in enumerate(positions):
        rows[n][3] = f"ERR-{random.randint(1, 9)}" if count % 2 else f"-{12.0 * random.randint(1, 20)}"


def _character(city: City, detector: str) -> tuple[float, float]:
    """How busy a detector's lane is (1 = usual), and how fast traffic moves there on an empty road (km/h)."""
    random = city.random("detector", detector)
    return 0.5 + random.random(), 38 + 14 * random.random()


def _expected_flow(day: date, seconds: int) -> float:
    """Vehicles per hour on a usual lane, between the hourly values in a straight line."""
    profile = _WEEKDAY if day.isoweekday() <= 5 else _WEEKEND
    hour, rest = divmod(seconds, 3600)
    flow = profile[hour] + (profile[(hour + 1) % 24] - profile[hour]) * rest / 3600
    return flow * (_SUNDAY_SHARE if day.isoweekday() == 7 else 1)


def _seconds_of(day: date, timezone: ZoneInfo) -> list[int]:
    """Starts of the intervals as local clock seconds; a clock that is put forward skips an hour of them."""
    midnight = datetime.combine(day, time())
    clock = [(seconds, midnight + timedelta(seconds=seconds)) for seconds in range(0, _DAY_S, _INTERVAL_S)]
    there_and_back = [local.replace(tzinfo=timezone).astimezone(UTC).astimezone(timezone) for _, local in clock]
    return [s for (s, local), back in zip(clock, there_and_back, strict=True) if back.replace(tzinfo=None) == local]


def _publication(city: City, day: date) -> str:
    """One DATEX II v2 publication in its SOAP envelope, on one line, with the feed's known oddities."""
    random = city.random("datex", day)
    sites = "".join(_site_measurements(city, day, position, site, random) for position, site in enumerate(city.sites))
    schema = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    supplier = "<country>nl</country><nationalIdentifier>NLNDW</nationalIdentifier>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<SOAP:Envelope xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/"><SOAP:Body>'
        f'<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" modelBaseVersion="2" {schema}>'
        f"<exchange><supplierIdentification>{supplier}</supplierIdentification></exchange>"
        f'<payloadPublication {schema} xsi:type="MeasuredDataPublication" lang="nl">'
        f"<publicationTime>{day}T07:42:40.004Z</publicationTime><publicationCreator>{supplier}</publicationCreator>"
        '<measurementSiteTableReference id="NDW01_MT" version="2001" targetClass="MeasurementSiteTable"/>'
        "<headerInformation><confidentiality>noRestriction</confidentiality><informationStatus>real</informationStatus>"
        f"</headerInformation>{sites}</payloadPublication></d2LogicalModel></SOAP:Body></SOAP:Envelope>"
    )


def _site_measurements(city: City, day: date, position: int, site: Site, random: Random) -> str:
    minute = "07:36" if position % _SLOW_EVERY == _SLOW_EVERY - 1 else "07:41"
    local = datetime.fromisoformat(f"{day}T{minute}:00+00:00").astimezone(city.timezone)
    flow = _expected_flow(local.date(), local.hour * 3600 + local.minute * 60)
    values = []
    for lane, detector in enumerate(site.detectors):
        strength, free_speed = _character(city, detector)
        broken = detector == DEAD_DETECTOR
        vehicles = [0] * _CLASSES
        for _ in range(0 if broken else int(flow * strength / 60 + random.random())):
            vehicles[random.choices(range(_CLASSES), _CLASS_WEIGHTS)[0]] += 1
        counts = [*vehicles, sum(vehicles)]
        extended = position < _EXTENDED_SITES and lane == 0
        readings = [_flow(n * 60, broken, extended and index == _CLASSES) for index, n in enumerate(counts)]
        readings += [_speed(n, round(free_speed * 0.9 + random.random() * 8 - 4), broken) for n in counts]
        values += [
            f'<measuredValue index="{lane * _INDEXES_PER_LANE + index}"><measuredValue>{reading}</measuredValue></measuredValue>'
            for index, reading in enumerate(readings, start=1)
        ]
    return (
        '<siteMeasurements xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<measurementSiteReference id={quoteattr(site.id)} version="1" targetClass="MeasurementSiteRecord"/>'
        f"<measurementTimeDefault>{day}T{minute}:00Z</measurementTimeDefault>{''.join(values)}</siteMeasurements>"
    )


def _flow(per_hour: int, broken: bool, extended: bool) -> str:
    error = "<dataError>true</dataError>" if broken else ""
    rate = f"<vehicleFlow>{error}<vehicleFlowRate>{per_hour}</vehicleFlowRate></vehicleFlow>"
    return f'<basicData xsi:type="TrafficFlow">{rate}</basicData>' + (_EXTENSION if extended else "")


def _speed(vehicles: int, speed: int, broken: bool) -> str:
    error = "<dataError>true</dataError>" if broken else ""
    spread = ' standardDeviation="2.36"' if vehicles > 1 else ""
    reading = f"{error}<speed>{speed if vehicles else -1}</speed>"
    return (
        '<basicData xsi:type="TrafficSpeed">'
        f'<averageVehicleSpeed numberOfInputValuesUsed="{vehicles}"{spread}>{reading}</averageVehicleSpeed></basicData>'
    )


# A second flow value that is an expectation, not a measurement: it must not be counted.
_EXTENSION = (
    "<measuredValueExtension><measuredValueExtended><basicDataReferenceValue>"
    "<referenceValueType>normallyExpectedInCurrentPeriodOfDay</referenceValueType>"
    '<trafficData xsi:type="TrafficFlow"><vehicleFlow><vehicleFlowRate>9999</vehicleFlowRate></vehicleFlow></trafficData>'
    "</basicDataReferenceValue></measuredValueExtended></measuredValueExtension>"
)
