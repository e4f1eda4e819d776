"""How many planted hotspots are found, and how many that are not there: `python -m benchmarks.hotspots [CITIES] [SHUFFLES]`.

First on cities with another seed each, beside Getis and Ord's statistic of the same inspections; then on one city of which the
findings, places and days were shuffled, so that nothing is left to find. Prints Markdown.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import polars as pl

from groningen_data.marts import container_hotspots as hotspots
from groningen_data.marts import hotspot_statistics as statistics
from groningen_data.marts.container_hotspots import Seen
from groningen_data.sample import geography, inspections, reports, waste_world
from groningen_data.sample.city import city_of
from groningen_data.sample.containers import ALARM_PCT, OVERFULL_NEIGHBOURHOODS
from groningen_data.sample.events import events
from groningen_data.sample.facts import City
from groningen_data.settings import load_settings

DAYS = 60
_CAUSES = {"vol": "full", "grofvuil": "bulky", "bouwafval": "construction", "onbekend": "unknown", "": None}
_KINDS = {"container": "container_full", "dumping": "dumping"}


def seen_of(city: City) -> Seen:
    """What the mart would read of a city, straight from what its payloads say."""
    world = waste_world.world_of(city)
    containers = world.frame.filter("in_register").sort("container_code")
    full = []
    for day in city.days:
        hours = (world.fill_pct(day) >= ALARM_PCT).sum(axis=1) * world.frame["has_sensor"].to_numpy()
        frame = pl.DataFrame({"container_code": world.codes.astype(str), "alarm_hours": hours.astype(np.int64)})
        full.append(frame.filter(pl.col("alarm_hours") > 0).with_columns(local_date=pl.lit(day)))
    works = events(city).filter(pl.col("soort") != "evenement").drop_nulls("breedtegraad")
    return hotspots.seen(
        containers.select("container_code", "location_name", "fraction_code", "neighbourhood_code", "longitude", "latitude"),
        pl.DataFrame(list(_inspected(city)), infer_schema_length=None),
        pl.DataFrame(list(_reported(city)), infer_schema_length=None),
        pl.concat(full),
        works.select(
            starts_on=pl.col("begin").dt.date(),
            ends_on=(pl.col("eind") - timedelta(microseconds=1)).dt.date(),
            longitude="lengtegraad",
            latitude="breedtegraad",
        ),
        pl.Series(city.days),
    )


def _inspected(city: City) -> Iterator[dict[str, object]]:
    for _, data in inspections.payloads(city):
        for line in data.decode().splitlines()[1:]:
            number, code, _time, latitude, longitude, beside, bulky, cause, _remark = line.split(";")
            yield {
                "inspected_on": datetime.strptime(number[1:9], "%Y%m%d").date(),
                "container_code": code or None,
                "longitude": float(longitude),
                "latitude": float(latitude),
                "is_waste_beside": beside == "ja",
                "bulky_items": int(bulky),
                "cause_code": _CAUSES[cause],
            }


def _reported(city: City) -> Iterator[dict[str, object]]:
    for report in reports.everything(city, geography.outlines_of(city.neighbourhoods)):
        listed = report.listed
        if listed["category_slug"] == "afval" and listed["lng"] is not None and listed["wijk"] != "Buitengebied":
            yield {
                "created_on": report.created_at.astimezone(city.timezone).date(),
                "longitude": listed["lng"],
                "latitude": listed["lat"],
                "waste_kind": _KINDS.get(str(listed["subcategory_slug"]), "other_waste"),
            }


def found_in(city: City, known: Seen) -> pl.DataFrame:
    """Every hotspot of the last four periods."""
    sundays = [city.days[-1] - timedelta(weeks=n) for n in range(4)]
    return pl.concat([hotspots.rows_of(known, sunday, hotspots.compare(known, sunday)) for sunday in sundays])


def near_building_site() -> pl.Expr:
    """Whether a container is near the building site of the sample city."""
    (longitude, latitude) = inspections.BUILDING_SITE
    east, north = (pl.col("longitude") - longitude) * 66_650, (pl.col("latitude") - latitude) * 111_320
    return (east**2 + north**2).sqrt() <= inspections.BUILDING_REACH_M


def truths(city: City, found: pl.DataFrame) -> dict[str, float]:
    """Which planted truths the last period shows, and which share of what it lists lies near none of them."""
    last = found.filter(pl.col("period_end_on") == city.days[-1])
    full = last.filter(pl.col("test_code").is_in(["reports", "inspections"]), likely_cause_code="full_container")
    is_market = pl.col("neighbourhood_code") == waste_world.MARKET_NEIGHBOURHOOD
    market = last.filter(is_market, test_code="weekday")
    is_moving = pl.col("neighbourhood_code").str.starts_with(f"BU{inspections.BULKY_DISTRICT[2:]}")
    inspected = last.filter(test_code="inspections")
    weekend = found.filter(pl.col("period_end_on") == city.days[-1] - timedelta(weeks=1), test_code="inspections")
    answer = {f"overflow in {code}": float(code in full["neighbourhood_code"]) for code in OVERFULL_NEIGHBOURHOODS}
    answer["market, on its weekdays"] = float(market.filter(pl.col("weekday").is_in(waste_world.MARKET_WEEKDAYS)).height > 0)
    answer["bulky waste, the Sunday after"] = float(weekend.filter(is_moving, likely_cause_code="bulky_waste").height > 0)
    answer["bulky waste, a week later"] = float(inspected.filter(is_moving, likely_cause_code="bulky_waste").height > 0)
    answer["building site"] = float(inspected.filter(near_building_site(), likely_cause_code="construction").height > 0)
    return answer


def listed(city: City, known: Seen, found: pl.DataFrame) -> pl.DataFrame:
    """What the last period lists, with whether something that is planted, or a container that overflows, lies within reach."""
    world = waste_world.world_of(city)
    days = [day for day in city.days if day > city.days[-1] - timedelta(days=hotspots.PERIOD_DAYS)]
    hours = sum((world.fill_pct(day) >= waste_world.OVERFULL_PCT).sum(axis=1) for day in days)
    codes = [str(code) for code, n in zip(world.codes, hours, strict=True) if n >= 24]
    is_planted = (
        pl.col("neighbourhood_code").is_in([*OVERFULL_NEIGHBOURHOODS, waste_world.MARKET_NEIGHBOURHOOD])
        | pl.col("neighbourhood_code").str.starts_with(f"BU{inspections.BULKY_DISTRICT[2:]}")
        | near_building_site()
    )
    frame = world.frame.filter(is_planted | pl.col("container_code").is_in(codes))
    last = found.filter(pl.col("period_end_on") == city.days[-1])
    near = statistics.within(hotspots.metres(last), hotspots.metres(frame), hotspots.BAND_M)
    return last.with_columns(is_true=pl.Series(np.asarray(near.sum(axis=1)).ravel() > 0))


def by_getis_ord(city: City, known: Seen) -> dict[str, float]:
    """Which planted causes of the last period Gi* finds: shares of inspections with waste per container, 9,999 permutations.

    A container that was not inspected has the share of the city. Corrected like the tests of the mart.
    """
    from esda.getisord import G_Local
    from libpysal.weights import DistanceBand
    from statsmodels.stats.multitest import multipletests

    since = city.days[-1] - timedelta(days=hotspots.PERIOD_DAYS - 1)
    seen = known.inspections.filter(pl.col("inspected_on") >= since)
    shares = seen.group_by("container_code").agg(pl.col("is_waste_beside").mean())
    joined = known.containers.join(shares, "container_code", how="left", maintain_order="left")
    share = joined["is_waste_beside"].fill_null(seen["is_waste_beside"].mean()).to_numpy()
    band = DistanceBand(hotspots.metres(known.containers), hotspots.BAND_M, binary=True, silence_warnings=True)
    local = G_Local(share, band, transform="B", star=True, permutations=9_999, seed=1, n_jobs=1)
    one_sided = np.where(local.Zs > 0, local.p_sim, 1.0)
    is_out = multipletests(one_sided, method="fdr_bh")[0]
    out = known.containers.filter(pl.Series(is_out))
    is_moving = pl.col("neighbourhood_code").str.starts_with(f"BU{inspections.BULKY_DISTRICT[2:]}")
    return {
        "bulky waste, a week later": float(out.filter(is_moving).height > 0),
        "building site": float(out.filter(near_building_site()).height > 0),
        "containers": float(out.height),
    }


def shuffled(known: Seen, seed: int) -> Seen:
    """The same with nothing to find: findings dealt anew to the inspections of a weekday, reports moved, and days dealt anew."""
    chance = np.random.default_rng(seed)
    frame = known.inspections.with_columns(weekday=pl.col("inspected_on").dt.weekday())
    order = np.arange(frame.height)
    for weekday in range(1, 8):
        places = np.flatnonzero(frame["weekday"].to_numpy() == weekday)
        order[places] = chance.permutation(places)
    outcome = ("is_waste_beside", "bulky_items", "cause_code", "cause")
    dealt = frame.with_columns(frame[column].gather(order) for column in outcome)
    return replace(known, inspections=dealt, reports=_moved(known, chance))


def _moved(known: Seen, chance: np.random.Generator) -> pl.DataFrame:
    """Each report somewhere within 300 metres; as much oftener beside containers as reports are there, everywhere alike."""
    from scipy.spatial import cKDTree

    places = hotspots.metres(known.containers)
    tree, here = cKDTree(places), hotspots.metres(known.reports)
    ratio = 8.0
    moved = here.copy()
    waiting = np.arange(len(here))
    while waiting.size:
        angle, radius = chance.random(waiting.size) * 2 * np.pi, 300 * np.sqrt(chance.random(waiting.size))
        there = here[waiting] + np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None]
        is_beside = tree.query(there)[0] <= hotspots.BESIDE_M
        is_kept = is_beside | (chance.random(waiting.size) < 1 / ratio)
        moved[waiting[is_kept]] = there[is_kept]
        waiting = waiting[~is_kept]
    # How many metres a degree is, on the plane of the mart.
    ((east, north),) = hotspots.metres(pl.DataFrame({"longitude": [1.0], "latitude": [1.0]}))
    return known.reports.with_columns(
        created_on=known.reports["created_on"].gather(chance.permutation(len(here))),
        longitude=pl.Series(moved[:, 0] / east),
        latitude=pl.Series(moved[:, 1] / north),
    )


def _cities(count: int) -> None:
    rows, kinds, others = [], [], []
    for seed in range(1, count + 1):
        city = city_of(load_settings(sample_seed=seed, sample_days=DAYS))
        known = seen_of(city)
        found = found_in(city, known)
        rows.append(truths(city, found))
        others.append(by_getis_ord(city, known))
        kinds.append(listed(city, known, found).with_columns(seed=pl.lit(seed)))
    print(f"\n{count} cities of {DAYS} days, the period that ends on the last day\n\n| planted | found in |\n|---|---|")
    for name in rows[0]:
        print(f"| {name} | {sum(row[name] for row in rows):.0f} of {count} |")
    beside = ", ".join(f"{name} {np.mean([other[name] for other in others]):.2f}" for name in others[0])
    print(f"\nGi* of the inspections, mean per city: {beside}")
    print("\n| test | cause | containers, mean per city | hotspots | near something true |\n|---|---|---|---|---|")
    every = pl.concat(kinds)
    for (test, cause), group in every.group_by("test_code", "likely_cause_code", maintain_order=True):
        places = group.select("seed", "hotspot_code").unique().height
        print(f"| {test} | {cause} | {group.height / count:.1f} | {places / count:.1f} | {group['is_true'].mean():.0%} |")


def _nothing(count: int) -> None:
    city = city_of(load_settings(sample_seed=1, sample_days=DAYS))
    known, last = seen_of(city), city.days[-1]
    any_found: dict[str, list[int]] = {}
    for seed in range(count):
        for test, comparison in hotspots.compare(shuffled(known, seed), last).items():
            out = int(statistics.standing_out(comparison).sum())
            any_found.setdefault(test, []).append(out)
    print(
        f"\n{count} shuffles of one city\n\n| test | shuffles with any container listed | containers listed, mean |\n|---|---|---|"
    )
    for test, numbers in any_found.items():
        print(f"| {test} | {np.mean(np.array(numbers) > 0):.1%} | {np.mean(numbers):.2f} |")


if __name__ == "__main__":
    _cities(int(sys.argv[1]) if sys.argv[1:] else 5)
    _nothing(int(sys.argv[2]) if sys.argv[2:] else 200)
