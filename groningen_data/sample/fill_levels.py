"""Fill-level telemetry of the sample: hourly readings per sensor, one file per local day in one of three forms.

What a sensor reads comes from `waste_world`; this module adds what telemetry does to it: noise, gaps, faults and late rows.
The patterns and faults planted here are listed in `docs/sample-city.md`. Days are planted by their distance to the last day,
so that a day stays the same however many days are made.
"""

import io
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City
from groningen_data.sample.waste_world import WasteWorld, world_of
from groningen_data.sample.wire import Payloads, packed

POISONED_BEFORE_LAST = (12, 20)
"""So many days before the last, a firmware fault spoils every `FAULTY_EVERY`-th sensor for the whole day."""
FAULTY_EVERY = 3
VANISHED_BEFORE_LAST = 16
"""So many days before the last, the column `vulgraad` is called `vullingsgraad`."""
CORRECTED_BEFORE_LAST = 4
"""The day that is delivered again: the sensors of `CORRECTED_DISTRICT` read `CORRECTED_ADDED_PCT` too high the first time."""
CORRECTED_DISTRICT = "WK001402"
CORRECTED_ADDED_PCT = 15
DEAD_SENSORS = 5
"""Sensors that send every hour, and never a fill level."""
SILENT_SENSORS = 30
"""Sensors that send nothing on a day: others every day."""
QUIET_SENSORS = 50
"""Sensors that send nothing for some hours of a day."""
EMPTY_ROWS = 200
SPIKE_ROWS = 40
SPIKE_PCT = 40
BAD_ROWS = 60
DOUBLED_ROWS = 100
LATE_SENSORS = 25
"""Sensors whose last hours of a day come in the next day's file."""
WITH_SCALE_EVERY = 10
"""Every so many-th sensor also weighs."""

_NOISE_PCT = 0.5
_HIGHEST_PCT = 150
_KG_PER_M3 = 80
_LATEST_SECONDS = 300
_LONGEST_QUIET_H = 10
_LONGEST_LATE_H = 3

# What a reading says instead of a number; all numbers delivered are above these.
_EMPTY, _ERROR = -1_000, -999
_NONSENSE = (-1, 300)
_FAULT = "ERR"

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_COLUMNS = ("containercode", "tijdstip", "vulgraad", "vullingGewicht")


def payloads(city: City) -> Payloads:
    """One file per day; the day that was corrected has a second one, in a folder that comes after the first in order of name.

    Rows that are late come in the file of the next day. The first day of the sample has none of the day before it.
    """
    late: pl.DataFrame | None = None
    for day in city.days:
        form = _form(day)
        rows = _delivered(city, day, numbers_only=form is _typed_parquet)
        sent = rows.filter(~pl.col("is_late"))
        sent = sent if late is None else pl.concat([sent, late])
        late = rows.filter("is_late")
        if form is _typed_parquet and (sent["vulgraad"] == _FAULT).any():
            form = _text_parquet
        frame = sent.select(_COLUMNS)
        if _before_last(city, day) == VANISHED_BEFORE_LAST:
            frame = frame.rename({"vulgraad": "vullingsgraad"})
        suffix, data = form(city, frame)
        yield f"waste/fill_levels_{day}{suffix}", data
        if _before_last(city, day) == CORRECTED_BEFORE_LAST:
            suffix, data = _typed_parquet(city, readings(city, day).select(_COLUMNS))
            yield f"waste/fill_levels_corrected/fill_levels_{day}{suffix}", data


def readings(city: City, day: date) -> pl.DataFrame:
    """What the sensors of a local day read, before anything goes wrong with it: in order of time.

    Returns:
        containercode, tijdstip (UTC), vulgraad (whole percent; null from sensors that are dead), vullingGewicht (kg, null
        from sensors without a scale), sensor and hour (positions), and is_late.
    """
    world = world_of(city)
    chance = generator(city, "telemetry", day)
    listed = np.flatnonzero(world.frame["has_sensor"].to_numpy())
    true = world.fill_pct(day)[listed]
    sensors, hours = true.shape
    fill = np.clip(np.rint(true + _NOISE_PCT * chance.standard_normal(true.shape)), 0, _HIGHEST_PCT).astype(np.int64)
    sends = _sends(chance, sensors, hours)
    late = np.zeros((sensors, hours), dtype=bool)
    # A day whose file cannot be read has no late rows either: they would be all that is known of it.
    late_sensors = 0 if _before_last(city, day) == VANISHED_BEFORE_LAST else LATE_SENSORS
    for late_sensor in chance.choice(sensors, late_sensors, replace=False).tolist():
        late[late_sensor, hours - int(chance.integers(1, _LONGEST_LATE_H + 1)) :] = True
    fill[_dead(city, sensors)] = _EMPTY
    # By hour first: a file grows as the readings come in.
    hour, sensor = np.nonzero(sends.T)
    capacity = world.frame["capacity_l"].to_numpy()[listed]
    value = fill[sensor, hour]
    weighs = (sensor % WITH_SCALE_EVERY == 0) & (value != _EMPTY)
    weight = np.rint(np.maximum(value, 0) / 100 * capacity[sensor] / 1000 * _KG_PER_M3).astype(np.int64)
    seconds: Ints = generator(city, "clocks").integers(0, _LATEST_SECONDS, len(listed))
    starts = np.array([int(start.timestamp()) for start in world.hours(day)])
    return pl.DataFrame(
        {
            "containercode": pl.Series(world.codes[listed].tolist()).gather(sensor),
            "tijdstip": pl.Series((starts[hour] + seconds[sensor]) * 1_000_000).cast(pl.Datetime("us", "UTC")),
            "vulgraad": value,
            "vullingGewicht": weight,
            "sensor": sensor,
            "hour": hour,
            "is_late": late[sensor, hour],
        }
    ).with_columns(
        pl.when(pl.col("vulgraad") != _EMPTY).then("vulgraad"),
        pl.when(pl.Series(weighs)).then("vullingGewicht"),
    )


def _delivered(city: City, day: date, *, numbers_only: bool) -> pl.DataFrame:
    """The readings of a day as they are sent the first time, with everything that is wrong with them; `vulgraad` is text."""
    world = world_of(city)
    frame = readings(city, day)
    chance = generator(city, "faults", day)
    sensor, fill = frame["sensor"].to_numpy(), frame["vulgraad"].fill_null(_EMPTY).to_numpy().copy()
    if _before_last(city, day) == CORRECTED_BEFORE_LAST:
        fill[_in_district(world, sensor) & (fill != _EMPTY)] += CORRECTED_ADDED_PCT
    if _before_last(city, day) in POISONED_BEFORE_LAST:
        fill[sensor % FAULTY_EVERY == 0] = _ERROR
    sound = np.flatnonzero((fill >= 0) & ~frame["is_late"].to_numpy())
    odd = chance.choice(sound, EMPTY_ROWS + SPIKE_ROWS + BAD_ROWS + DOUBLED_ROWS, replace=False)
    empty, spikes, bad, doubled = np.split(odd, np.cumsum((EMPTY_ROWS, SPIKE_ROWS, BAD_ROWS)))
    fill[empty] = _EMPTY
    fill[spikes] = np.minimum(fill[spikes] + SPIKE_PCT, _HIGHEST_PCT)
    kinds = _NONSENSE if numbers_only else (_ERROR, *_NONSENSE)
    fill[bad] = np.resize(kinds, BAD_ROWS)
    number = pl.col("vulgraad")
    text = pl.when(number == _ERROR).then(pl.lit(_FAULT)).when(number != _EMPTY).then(number.cast(pl.String))
    frame = frame.with_columns(pl.Series("vulgraad", fill)).with_columns(text.alias("vulgraad"))
    return pl.concat([frame, frame[np.sort(doubled)]])


def _sends(chance: np.random.Generator, sensors: int, hours: int) -> Flags:
    """Which sensors send at which hours."""
    sends = np.ones((sensors, hours), dtype=bool)
    silent = chance.choice(sensors, SILENT_SENSORS + QUIET_SENSORS, replace=False)
    sends[silent[:SILENT_SENSORS]] = False
    for sensor in silent[SILENT_SENSORS:].tolist():
        first = int(chance.integers(hours - _LONGEST_QUIET_H))
        sends[sensor, first : first + int(chance.integers(2, _LONGEST_QUIET_H + 1))] = False
    return sends


def _dead(city: City, sensors: int) -> Ints:
    return generator(city, "dead sensors").choice(sensors, DEAD_SENSORS, replace=False)


def _in_district(world: WasteWorld, sensor: Ints) -> Flags:
    districts = world.frame.filter("has_sensor")["district_code"]
    return (districts == CORRECTED_DISTRICT).to_numpy()[sensor]


def _before_last(city: City, day: date) -> int:
    return (city.days[-1] - day) // timedelta(days=1)


def _form(day: date) -> "_Form":
    """Every ten days have all forms."""
    forms: dict[int, _Form] = {3: _csv, 7: _json}
    return forms.get(day.toordinal() % 10, _typed_parquet if day.toordinal() % 2 else _text_parquet)


def _typed_parquet(city: City, frame: pl.DataFrame) -> tuple[str, bytes]:
    numbers = [pl.col(c).cast(pl.Int32) for c in frame.columns[2:]]
    return ".parquet", _parquet(frame.with_columns(numbers))


def _text_parquet(city: City, frame: pl.DataFrame) -> tuple[str, bytes]:
    return ".parquet", _parquet(_as_text(city, frame))


def _csv(city: City, frame: pl.DataFrame) -> tuple[str, bytes]:
    return ".csv.gz", packed(_as_text(city, frame).write_csv(separator=";").encode())


def _json(city: City, frame: pl.DataFrame) -> tuple[str, bytes]:
    code, at, *numbers = frame.columns
    fields = [pl.format(f'"{name}":"{{}}"', pl.col(name)) for name in (code, at)]
    fields += [pl.format(f'"{name}":{{}}', _json_value(pl.col(name))) for name in numbers]
    objects = (
        _as_text(city, frame).select(pl.concat_str(pl.lit("{"), pl.concat_str(fields, separator=","), pl.lit("}"))).to_series()
    )
    return ".json.gz", packed(('{"vulgraadmetingen":[' + ",".join(objects) + "]}").encode())


def _json_value(text: pl.Expr) -> pl.Expr:
    is_number = text.str.contains(r"^-?\d+$")
    return pl.when(is_number).then(text).when(text.is_not_null()).then(pl.format('"{}"', text)).otherwise(pl.lit("null"))


def _as_text(city: City, frame: pl.DataFrame) -> pl.DataFrame:
    local = pl.col("tijdstip").dt.convert_time_zone(str(city.timezone)).dt.to_string("%Y-%m-%dT%H:%M:%S%:z")
    return frame.with_columns(local.alias("tijdstip"), *[pl.col(c).cast(pl.String) for c in frame.columns[2:]])


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


_Form = Callable[[City, pl.DataFrame], tuple[str, bytes]]
