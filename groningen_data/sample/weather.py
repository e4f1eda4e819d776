"""The weather of the sample city: hour by hour, made up, and as payloads of KNMI's station Eelde (280).

Every hour follows from chance drawn per UT day, so it does not depend on how many days the sample has; other modules ask
`hourly` what the weather was like for their cyclists and containers. The climate is that of the north-east of the
Netherlands; `docs/sample-city.md` compares it with two real stations.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City
from groningen_data.sample.wire import Payloads

STATION = 280
MARGIN_BEFORE, MARGIN_AFTER = 35, 2
"""Days of weather before the first and after the last day of the city."""
SILENT_HOUR = (7, 13)
"""Day of every month, and hour (ending, UT), at which the station sends nothing."""
WINDLESS_HOURS = (20, (4, 5, 6))
"""Day of every month, and hours (ending, UT), of which wind is missing."""

Numbers = npt.NDArray[np.float64]

_LATITUDE, _LONGITUDE = 53.2, 6.57
# Days over which one day's chance is still felt.
_MEMORY = 21
_HOURS_OF_MEMORY = 24
# Per month: means of the day, spread of daily means, half the swing of a usual day, wet and drizzly hours, rain, sun, wind.
_TEMPERATURE = (2.9, 3.4, 5.6, 9.0, 12.8, 15.9, 17.8, 17.5, 14.7, 11.0, 6.8, 4.1)
_SPREAD = (4.4, 4.2, 3.5, 3.3, 3.4, 3.0, 2.9, 2.7, 2.8, 3.0, 3.5, 4.2)
_SWING = (1.1, 1.8, 3.3, 4.7, 4.7, 4.7, 4.7, 4.7, 3.9, 2.6, 1.4, 1.0)
_WET = (0.17, 0.145, 0.125, 0.1, 0.095, 0.085, 0.09, 0.09, 0.095, 0.13, 0.155, 0.17)
_DRIZZLE = (0.12, 0.11, 0.09, 0.08, 0.08, 0.07, 0.07, 0.07, 0.07, 0.08, 0.1, 0.12)
_RAIN_MM_DAY = (2.6, 2.0, 1.8, 1.5, 2.2, 2.4, 3.2, 2.9, 2.4, 2.5, 2.6, 2.5)
_SUNNY = (0.26, 0.33, 0.44, 0.53, 0.5, 0.46, 0.45, 0.47, 0.45, 0.37, 0.26, 0.24)
_WIND = (5.3, 5.1, 4.8, 4.2, 4.0, 3.6, 3.5, 3.6, 3.9, 4.4, 4.7, 5.1)
_HUMIDITY = (89, 86, 81, 76, 76, 78, 78, 79, 83, 87, 90, 90)
# Amounts of wet hours follow a Weibull law: many small ones, few large.
_SHAPE, _MEAN_OF_SHAPE = 0.8, 1.133
# The most rain of a day (UT) per month, in mm: the records of station 286 (Nieuw Beerta), 1990 to 2026, rounded up.
_RECORD_MM_DAY = (34, 30, 26, 27, 39, 42, 55, 52, 50, 48, 38, 32)

_HOUR_HEADER = "STN,YYYYMMDD,HH,DD,FH,FF,FX,T,T10N,TD,SQ,Q,DR,RH,P,VV,N,U,WW,IX,M,R,S,O,Y"
_DAY_HEADER = (
    "STN,YYYYMMDD,DDVEC,FHVEC,FG,FHX,FHXH,FHN,FHNH,FXX,FXXH,TG,TN,TNH,TX,TXH,T10N,T10NH,SQ,SP,Q,DR,RH,RHX,RHXH,"
    "PG,PX,PXH,PN,PNH,VVN,VVNH,VVX,VVXH,NG,UG,UX,UXH,UN,UNH,EV24"
)
_HOUR_COLUMNS, _DAY_COLUMNS = _HOUR_HEADER.split(","), _DAY_HEADER.split(",")
_PROSE = (
    "VOORBEELDSTAD: verzonnen gegevens in de vorm van de KNMI-bestanden, niet van het KNMI",
    "Opmerking: waarden zijn in tienden, -1 is minder dan 0.05, en een leeg veld is niet gemeten. Trek uit deze verzonnen ree",
    "ks geen conclusies over het weer in Groningen.",
)


@dataclass(frozen=True)
class _Weather:
    """All hours from midnight (UT) of `first_day`."""

    first_day: date
    temperature_c: Numbers
    dew_point_c: Numbers
    precipitation_mm: Numbers
    precipitation_h: Numbers
    wind_m_s: Numbers
    gust_m_s: Numbers
    direction_deg: Numbers
    sunshine_h: Numbers
    radiation_j_cm2: Numbers
    humidity_pct: Numbers
    pressure_hpa: Numbers
    cloud_octas: Numbers
    sun_height: Numbers


def hourly(city: City) -> pl.DataFrame:
    """The city's true weather, which no instrument rounds or misses.

    Returns:
        One row per hour from `MARGIN_BEFORE` days before the first day until `MARGIN_AFTER` days after the last (UT days):
        `hour_start_at` (UTC), `temperature_c`, `precipitation_mm`, `wind_speed_m_s`, `sunshine_h` (share of the hour).
    """
    weather = _weather(city, city.days[0] - timedelta(days=MARGIN_BEFORE), city.days[-1] + timedelta(days=MARGIN_AFTER))
    start = datetime.combine(weather.first_day, datetime.min.time(), UTC)
    hours = weather.temperature_c.size
    return pl.DataFrame(
        {
            "hour_start_at": pl.datetime_range(start, start + timedelta(hours=hours - 1), "1h", time_unit="us", eager=True),
            "temperature_c": weather.temperature_c,
            "precipitation_mm": weather.precipitation_mm,
            "wind_speed_m_s": weather.wind_m_s,
            "sunshine_h": weather.sunshine_h,
        }
    )


def payloads(city: City) -> Payloads:
    """KNMI's hourly and daily text of station Eelde, a file per year, from the day before the first until the last day."""
    first = city.days[0] - timedelta(days=1)
    weather = _weather(city, first, city.days[-1])
    days = [first + timedelta(days=n) for n in range((city.days[-1] - first).days + 1)]
    hours, daily = _hour_rows(days, weather), _day_rows(days, weather)
    for year in sorted({day.year for day in days}):
        of_year = [n for n, day in enumerate(days) if day.year == year]
        lines = [line for n in of_year for line in hours[n * 24 : n * 24 + 24]]
        yield f"weather/uurgeg_{STATION}_{year}.txt", _file(_HOUR_COLUMNS, lines)
        yield f"weather/etmgeg_{STATION}_{year}.txt", _file(_DAY_COLUMNS, [daily[n] for n in of_year])


def _weather(city: City, first: date, last: date) -> _Weather:
    """The weather from `first` until `last`, both whole UT days."""
    count = (last - first).days + 1
    # One day more at both ends, to go from noon to noon; before it, the days that are still felt.
    daily, hour_chance = _chance(city, first - timedelta(days=_MEMORY + 1), count + _MEMORY + 2)
    warm, wet, clear, windy, high, turn = (
        _between_noons(_remembered(daily[:, n], memory)) for n, memory in enumerate((0.7, 0.45, 0.55, 0.35, 0.7, 0.5))
    )
    gusts, showers, breaks, breeze = (
        _lingering(hour_chance[n], memory)[-(count + 1) * 24 : -24] for n, memory in enumerate((0.6, 0.8, 0.75, 0.85))
    )
    year_day = np.repeat([(first + timedelta(days=n)).timetuple().tm_yday for n in range(count)], 24) + 0.5
    hour = np.tile(np.arange(24.0), count)

    wetness = 0.67 * wet + 0.74 * showers
    clearness = 0.6 * clear + 0.5 * breaks - 0.62 * wetness
    of_day = 0.75 * clear - 0.5 * wet

    height = _sun_height(year_day, hour)
    sunny = np.clip(0.5 + 0.9 * (clearness - _threshold(_monthly(_SUNNY, year_day))), 0, 1)
    sunshine: Numbers = np.where(height > 0.05, sunny, 0.0)
    radiation = 385 * np.maximum(height, 0) ** 1.12 * (0.27 + 0.73 * sunny)

    winter = np.cos(2 * np.pi * (year_day - 15) / 365.25)
    swing = _monthly(_SWING, year_day) * np.clip(1 + 0.6 * of_day, 0.2, 2.2)
    course = np.cos(2 * np.pi * (hour - 13.2) / 24) + (0.12 + 0.15 * winter) * np.cos(4 * np.pi * (hour - 12.5) / 24)
    anomaly = _monthly(_SPREAD, year_day) * (0.95 * warm - 0.3 * winter * of_day)
    temperature = _monthly(_TEMPERATURE, year_day) + anomaly + swing * course + 0.6 * gusts

    dry_above = _threshold(_monthly(_WET, year_day))
    is_wet = wetness > dry_above
    is_drizzly = ~is_wet & (wetness > _threshold(_monthly(_WET, year_day) + _monthly(_DRIZZLE, year_day)))
    scale = _monthly(_RAIN_MM_DAY, year_day) / 24 / _monthly(_WET, year_day) / _MEAN_OF_SHAPE
    rest = np.clip(_above(wetness) / _above(dry_above), 1e-6, 1)
    amount = _believable(np.where(is_wet, scale * (-np.log(rest)) ** (1 / _SHAPE), 0.0), _monthly(_RECORD_MM_DAY, year_day))
    precipitation = np.where(is_wet, np.round(np.maximum(amount, 0.05), 2), np.where(is_drizzly, 0.02, 0.0))
    duration = np.where(is_wet, np.clip(0.35 + 0.35 * np.sqrt(amount) + 0.1 * gusts, 0.1, 1), np.where(is_drizzly, 0.1, 0))

    force = 0.75 * windy + 0.55 * breeze + 0.25 * wet
    by_day = 1 + (0.08 + 0.1 * (1 - winter)) * course
    wind = _monthly(_WIND, year_day) * by_day * np.exp(0.44 * force - 0.1)
    humidity = _monthly(_HUMIDITY, year_day) - 2.6 * swing * course - 4 * of_day + 7 * np.maximum(wetness - 0.8, 0) + 2 * gusts
    humidity = np.clip(humidity, 25, 100)
    return _Weather(
        first_day=first,
        temperature_c=np.round(temperature, 2),
        dew_point_c=np.round(_dew_point(temperature, humidity), 2),
        precipitation_mm=precipitation,
        precipitation_h=duration,
        wind_m_s=np.round(wind, 2),
        gust_m_s=np.round(wind * (1.65 + 0.12 * gusts) + 0.6, 2),
        direction_deg=np.mod(230 + 65 * turn - 25 * high + 12 * breeze, 360),
        sunshine_h=np.round(sunshine, 3),
        radiation_j_cm2=np.round(radiation, 1),
        humidity_pct=np.round(humidity, 1),
        pressure_hpa=np.round(1015 + 8 * high + 4 * clear - 4 * wet, 2),
        cloud_octas=np.clip(np.round(5.2 - 3.2 * clearness), 0, 8),
        sun_height=height,
    )


def _chance(city: City, first: date, count: int) -> tuple[Numbers, Numbers]:
    """Per day six values for what lasts for days, and per hour four values for what lasts for hours."""
    drawn = np.stack([generator(city, "weather", first + timedelta(days=n)).standard_normal(6 + 4 * 24) for n in range(count)])
    return drawn[:, :6], drawn[:, 6:].reshape(count, 4, 24).transpose(1, 0, 2).reshape(4, count * 24)


def _remembered(chance: Numbers, memory: float) -> Numbers:
    """Per day a value that resembles that of the day before; the first `_MEMORY` days are used up."""
    return _weighted(chance, memory, _MEMORY)


def _lingering(chance: Numbers, memory: float) -> Numbers:
    """The same per hour."""
    return _weighted(chance, memory, _HOURS_OF_MEMORY)


def _weighted(chance: Numbers, memory: float, length: int) -> Numbers:
    weights = memory ** np.arange(length + 1)
    weights /= np.sqrt((weights**2).sum())
    # Summed lag by lag: then the value of a day does not depend on where in the array it stands.
    total = np.zeros(chance.size - length)
    for lag, weight in enumerate(weights):
        total += weight * chance[length - lag : chance.size - lag]
    return total


def _between_noons(by_day: Numbers) -> Numbers:
    """Hourly values on the straight lines between the values at noon, without the first and the last day."""
    share = (np.arange(24) + 12.5) % 24 / 24
    is_morning = np.arange(24) < 12
    before, on, after = by_day[:-2, None], by_day[1:-1, None], by_day[2:, None]
    start, end = np.where(is_morning, before, on), np.where(is_morning, on, after)
    hourly_values: Numbers = (start + (end - start) * share).reshape(-1)
    return hourly_values


def _believable(rain: Numbers, record: Numbers) -> Numbers:
    """Rain per hour with the days scaled down of which the sum passes half the record: the closer to it, the more.

    Wet hours come in spells and the wettest hours of a spell together, so that chance alone gives days of 100 mm.
    """
    total = rain.reshape(-1, 24).sum(axis=1)
    half = record.reshape(-1, 24)[:, 12] / 2
    lowered = np.where(total > half, half + half * np.tanh((total - half) / half), total)
    share = np.divide(lowered, total, out=np.ones_like(total), where=total > 0)
    bounded: Numbers = rain * np.repeat(share, 24)
    return bounded


def _monthly(values: Sequence[float], year_day: Numbers) -> Numbers:
    """Values of mid-months, in straight lines between them."""
    middles = (np.arange(12) + 0.5) * 365.25 / 12
    return np.interp(year_day, middles, values, period=365.25)


def _above(level: Numbers) -> Numbers:
    """Chance that a standard normal value is above a level (logistic approximation)."""
    return 1 / (1 + np.exp(1.5976 * level + 0.07056 * level**3))


def _threshold(share: Numbers) -> Numbers:
    """The level that a standard normal value exceeds with this chance; undoes `_above`."""
    levels = np.linspace(-3.5, 3.5, 1401)
    return np.interp(-share, -_above(levels), levels)


def _sun_height(year_day: Numbers, hour: Numbers) -> Numbers:
    """Sine of the sun's height in the middle of an hour (UT)."""
    declination = np.radians(23.45) * np.sin(2 * np.pi * (year_day - 81) / 365.25)
    turn = 2 * np.pi * (year_day - 81) / 364
    minutes = 9.87 * np.sin(2 * turn) - 7.53 * np.cos(turn) - 1.5 * np.sin(turn)
    angle = np.radians(15 * (hour + 0.5 + _LONGITUDE / 15 + minutes / 60 - 12))
    latitude = np.radians(_LATITUDE)
    height: Numbers = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    return height


def _dew_point(temperature: Numbers, humidity: Numbers) -> Numbers:
    """Magnus formula, °C."""
    gamma = np.log(humidity / 100) + 17.62 * temperature / (243.12 + temperature)
    return 243.12 * gamma / (17.62 - gamma)


def _tenths(values: Numbers) -> list[str]:
    return [str(n) for n in np.round(values * 10).astype(np.int64).tolist()]


def _amounts(values: Numbers) -> list[str]:
    """Tenths, with -1 for something that is less than half a tenth."""
    tenths = np.where((values > 0) & (values < 0.05), -1, np.floor(values * 10 + 0.5))
    return [str(n) for n in tenths.astype(np.int64).tolist()]


def _whole(values: Numbers) -> list[str]:
    return [str(n) for n in np.round(values).astype(np.int64).tolist()]


def _marks(values: npt.NDArray[np.bool_]) -> list[str]:
    return [str(n) for n in values.astype(np.int64).tolist()]


def _hour_rows(days: Sequence[date], weather: _Weather) -> list[str]:
    count = len(days) * 24
    hours = [n % 24 + 1 for n in range(count)]
    on = [f"{day:%Y%m%d}" for day in days for _ in range(24)]
    # The meter gives wind in whole metres per second.
    wind, gust = np.round(weather.wind_m_s), np.round(weather.gust_m_s)
    direction = np.where(wind == 0, 0, np.where(weather.direction_deg < 5, 360, np.round(weather.direction_deg / 10) * 10))
    cold, is_wet = weather.temperature_c, weather.precipitation_mm > 0
    ground = [min(cold[max(0, n - 5) : n + 1]) - 1.5 if hours[n] % 6 == 0 else None for n in range(count)]
    columns = {
        "STN": [str(STATION)] * count,
        "YYYYMMDD": on,
        "HH": [str(h) for h in hours],
        "DD": _whole(direction),
        "FH": _tenths(wind),
        "FF": _tenths(wind),
        "FX": _tenths(gust),
        "T": _tenths(weather.temperature_c),
        "T10N": ["" if g is None else str(round(g * 10)) for g in ground],
        "TD": _tenths(weather.dew_point_c),
        "SQ": _amounts(weather.sunshine_h),
        "Q": _whole(weather.radiation_j_cm2),
        "DR": _tenths(weather.precipitation_h),
        "RH": _amounts(weather.precipitation_mm),
        "P": _tenths(weather.pressure_hpa),
        "VV": _whole(_sight(weather)),
        "N": _whole(weather.cloud_octas),
        "U": _whole(weather.humidity_pct),
        "WW": [""] * count,
        "IX": ["5"] * count,
        "M": _marks((weather.humidity_pct > 98.5) & (weather.wind_m_s < 2)),
        "R": _marks(is_wet & (cold >= 0.5)),
        "S": _marks(is_wet & (cold < 0.5)),
        "O": _marks((weather.precipitation_mm > 5) & (cold > 12)),
        "Y": _marks(is_wet & (cold < -0.5)),
    }
    for n, day in enumerate(day for day in days for _ in range(24)):
        if (day.day, hours[n]) == SILENT_HOUR:
            for c in _HOUR_COLUMNS[3:]:
                columns[c][n] = ""
        if day.day == WINDLESS_HOURS[0] and hours[n] in WINDLESS_HOURS[1]:
            for c in ("DD", "FH", "FF", "FX"):
                columns[c][n] = ""
    return list(_padded(columns, _HOUR_COLUMNS))


def _day_rows(days: Sequence[date], weather: _Weather) -> list[str]:
    temperature, rain, humidity, pressure, height = (
        v.reshape(-1, 24)
        for v in (
            weather.temperature_c,
            _measured(weather.precipitation_mm),
            weather.humidity_pct,
            weather.pressure_hpa,
            weather.sun_height,
        )
    )
    wind, gust = (np.round(v.reshape(-1, 24)) for v in (weather.wind_m_s, weather.gust_m_s))
    sight = _sight(weather).reshape(-1, 24)
    sunshine = weather.sunshine_h.reshape(-1, 24).sum(axis=1)
    radiation = weather.radiation_j_cm2.reshape(-1, 24).sum(axis=1)
    mean = temperature.mean(axis=1)
    # Makkink: some two thirds of the radiation evaporates, less when it is cold (245 J/cm² for a mm of water).
    evaporation = 0.65 * radiation / 245 * np.clip(0.4 + 0.015 * mean, 0.3, 0.8)
    columns = {
        "STN": [str(STATION)] * len(days),
        "YYYYMMDD": [f"{day:%Y%m%d}" for day in days],
        "DDVEC": _whole(np.maximum(weather.direction_deg.reshape(-1, 24)[:, 12], 1)),
        "FHVEC": _tenths(np.round(0.93 * wind.mean(axis=1), 1)),
        "FG": _tenths(wind.mean(axis=1)),
        "FHX": _tenths(wind.max(axis=1)),
        "FHXH": _hours(wind.argmax(axis=1)),
        "FHN": _tenths(wind.min(axis=1)),
        "FHNH": _hours(wind.argmin(axis=1)),
        "FXX": _tenths(gust.max(axis=1)),
        "FXXH": _hours(gust.argmax(axis=1)),
        "TG": _tenths(mean),
        "TN": _tenths(temperature.min(axis=1) - 0.2),
        "TNH": _hours(temperature.argmin(axis=1)),
        "TX": _tenths(temperature.max(axis=1) + 0.2),
        "TXH": _hours(temperature.argmax(axis=1)),
        "T10N": _tenths(temperature.min(axis=1) - 1.5),
        "T10NH": [str((n // 6 + 1) * 6) for n in temperature.argmin(axis=1).tolist()],
        "SQ": _amounts(sunshine),
        "SP": _whole(np.clip(100 * sunshine / (height > 0).sum(axis=1), 0, 100)),
        "Q": _whole(radiation),
        "DR": _tenths(weather.precipitation_h.reshape(-1, 24).sum(axis=1)),
        "RH": _amounts(rain.sum(axis=1)),
        "RHX": _amounts(rain.max(axis=1)),
        "RHXH": _hours(rain.argmax(axis=1)),
        "PG": _tenths(pressure.mean(axis=1)),
        "PX": _tenths(pressure.max(axis=1)),
        "PXH": _hours(pressure.argmax(axis=1)),
        "PN": _tenths(pressure.min(axis=1)),
        "PNH": _hours(pressure.argmin(axis=1)),
        "VVN": _whole(sight.min(axis=1)),
        "VVNH": _hours(sight.argmin(axis=1)),
        "VVX": _whole(sight.max(axis=1)),
        "VVXH": _hours(sight.argmax(axis=1)),
        "NG": _whole(weather.cloud_octas.reshape(-1, 24).mean(axis=1)),
        "UG": _whole(humidity.mean(axis=1)),
        "UX": _whole(humidity.max(axis=1)),
        "UXH": _hours(humidity.argmax(axis=1)),
        "UN": _whole(humidity.min(axis=1)),
        "UNH": _hours(humidity.argmin(axis=1)),
        "EV24": _tenths(evaporation),
    }
    return list(_padded(columns, _DAY_COLUMNS))


def _measured(rain: Numbers) -> Numbers:
    """Rain in whole tenths, as the meter counts it; a trace on a day without more stays a trace."""
    counted = np.where(rain >= 0.05, np.floor(rain * 10 + 0.5) / 10, 0.0)
    only_traces = ~(counted.reshape(-1, 24) > 0).any(axis=1).repeat(24)
    return np.where(only_traces & (rain > 0), 0.001, counted)


def _sight(weather: _Weather) -> Numbers:
    """Visibility in KNMI's code: 83 is 45 to 50 km."""
    sight: Numbers = np.clip(83 - 0.012 * weather.humidity_pct**1.8, 2, 83)
    return sight


def _hours(positions: npt.NDArray[np.intp]) -> list[str]:
    return [str(n + 1) for n in positions.tolist()]


def _padded(columns: dict[str, list[str]], order: Sequence[str]) -> Iterator[str]:
    for values in zip(*(columns[c] for c in order), strict=True):
        yield ",".join(v.rjust(8 if n == 1 else 5) for n, v in enumerate(values))


def _file(columns: Sequence[str], lines: Sequence[str]) -> bytes:
    head = "# STN,YYYYMMDD," + ",".join(c.rjust(5) for c in columns[2:])
    return ("\r\n".join([*_PROSE, "", head, "", *lines]) + "\r\n").encode()
