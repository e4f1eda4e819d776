"""Maps: neighbourhoods coloured by a number in a few classes, those without a figure grey; or places as points, coloured by a name.

The outlines are those that are served; areas keep their shape and are drawn without a background that would need a network.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median, quantiles
from typing import Any

import altair as alt

from groningen_data.serving.chart_columns import Answer, Column, Language
from groningen_data.serving.chart_marks import (
    EDGE,
    INK,
    MOST_SERIES,
    SERIES,
    WIDTH,
    WORDS,
    Picture,
    data_of,
    figures,
    number_text,
    require_single,
    shown,
    unfit,
    wrapped,
)
from groningen_data.serving.query import QueryError

_CLASSES = 5
_BLUES = ["#d6e6f4", "#9cc9e2", "#5ba3d0", "#2272b4", "#08306b"]
_DIVERGING = ["#b35806", "#f1a340", "#92c5de", "#0571b0"]
_MISSING, _SUPPRESSED, _ABSENT = "#c4c4c4", "#8f8f8f", "#ffffff"
_HEIGHT = 540
_TOLD = 3
# Of a map of places: how many neighbourhoods are named, and how much is shown around the outermost places.
_NAMED, _MARGIN = 8, 0.08
_LINE_PX, _LETTER_PX = 18, 8
_GROUND, _BORDER = "#f4f4f2", "#cfcfcf"
_WORDS: dict[Language, dict[str, str]] = {
    "nl": {
        "absent": "niet in het antwoord",
        "below": "minder dan {0}",
        "between": "{0} tot {1}",
        "whole": "{0} – {1}",
        "from": "{0} en meer",
        "above_zero": "meer dan 0 tot {0}",
        "neighbourhood": "buurt",
        "unplaced": "Zonder buurt of omtrek: {0}.",
        "highest": "Hoogste: {0}.",
        "nowhere": "Zonder plaats: {0}.",
        "places": "plaatsen",
    },
    "en": {
        "absent": "not in the answer",
        "below": "less than {0}",
        "between": "{0} to {1}",
        "whole": "{0} – {1}",
        "from": "{0} or more",
        "above_zero": "more than 0 to {0}",
        "neighbourhood": "neighbourhood",
        "unplaced": "Without a neighbourhood or outline: {0}.",
        "highest": "Highest: {0}.",
        "nowhere": "Without a place: {0}.",
        "places": "places",
    },
}


@dataclass(frozen=True)
class Outline:
    """A neighbourhood's name, centre (longitude, latitude) and outline (GeoJSON, degrees)."""

    name: str
    centre: tuple[float, float]
    shape: Mapping[str, Any]


@dataclass(frozen=True)
class ValueClass:
    """A class of values: from `low` up to, and not including, `high`."""

    label: str
    low: float
    high: float
    colour: str


def neighbourhood_map(answer: Answer, outlines: Mapping[str, Outline]) -> Picture:
    """The first number of an answer on a map.

    Args:
        answer: The answer, with a column of neighbourhood codes.
        outlines: Every served neighbourhood by its code.

    Raises:
        QueryError: There is no number, there are several rows for a neighbourhood, or no code has an outline.
    """
    codes, numbers = answer.having("neighbourhood"), answer.having("number")
    if not codes or not numbers:
        raise unfit("maps", "neighbourhood_code and a column with numbers", answer)
    words, (code, number) = _WORDS[answer.language], (codes[0], numbers[0])
    require_single(((c,) for c in code.values if c is not None), code, "a month or the like to the WHERE", "neighbourhood")
    told = dict(zip(code.values, zip(number.values, figures(answer, number), strict=True), strict=True))
    known = {c: figure for c, figure in told.items() if c in outlines}
    if not known:
        raise QueryError(
            "groningen chart",
            "none of the neighbourhoods in the answer has a published outline",
            "see `FROM reference_neighbourhoods`; without outlines, ask for bars with --kind bar",
        )
    classes = classes_of([v for v, _ in known.values() if v is not None], answer.language)
    squeeze = math.cos(math.radians(next(iter(outlines.values())).centre[1]))
    rows = []
    for c, outline in outlines.items():
        value, text = known.get(c, (None, words["absent"]))
        label = text if value is None else next(k.label for k in classes if k.low <= value < k.high)
        shape = {"type": outline.shape["type"], "coordinates": _flat(outline.shape["coordinates"], squeeze)}
        rows.append({"type": "Feature", "geometry": shape, "name": outline.name, "class": label, "text": text})
    chart = _areas(rows, classes, number.label, answer.language)
    is_telling = len(known) > _TOLD and len(classes) > 1
    highest = _highest([(outlines[c].name, *figure) for c, figure in known.items()]) if is_telling else ""
    notes = [words["highest"].format(highest)] if highest else []
    if unplaced := len(told) - len(known):
        notes.append(words["unplaced"].format(unplaced))
    title = WORDS[answer.language]["per"].format(number.title, words["neighbourhood"])
    chart = chart.project(type="identity", reflectY=True).properties(width=WIDTH - 120, height=_HEIGHT)
    return Picture(chart, title, (code, number), notes)


def coordinates(answer: Answer) -> tuple[Column, Column] | None:
    """The columns `longitude` and `latitude` of an answer, if it has both."""
    found = {column.name: column for column in answer.having("number")}
    return (found["longitude"], found["latitude"]) if {"longitude", "latitude"} <= set(found) else None


def places_map(answer: Answer, outlines: Mapping[str, Outline]) -> Picture:
    """The places of an answer as points on the outlines around them; a name column with few values or a number colours them.

    The neighbourhoods with most points are named, where the answer has their codes.

    Args:
        answer: The answer, with columns `longitude` and `latitude` in degrees.
        outlines: Every served neighbourhood by its code.

    Raises:
        QueryError: No row has a place.
    """
    columns = coordinates(answer)
    placed = [i for i in range(answer.rows) if columns and all(c.values[i] is not None for c in columns)]
    if columns is None or not placed:
        raise unfit("maps of places", "columns longitude and latitude with values", answer)
    words = _WORDS[answer.language]
    colouring = next((c for c in answer.having("name") if c.distinct <= MOST_SERIES), None)
    naming = next((c for c in answer.having("name") if c is not colouring), colouring)
    number = None if colouring else next((c for c in answer.having("number") if c not in columns), None)
    if number:
        # The highest are drawn last, over the others.
        placed.sort(key=lambda i: (number.values[i] is not None, number.values[i]))
    texts = figures(answer, number) if number else []
    classes = classes_of([v for i in placed if (v := number.values[i]) is not None], answer.language) if number else []
    squeeze = math.cos(math.radians(columns[1].values[placed[0]]))
    rows = [
        {
            "x": round(columns[0].values[i] * squeeze, 6),
            "y": round(columns[1].values[i], 6),
            "group": shown(colouring.values[i], answer.language) if colouring else _class_label(classes, number, i, texts),
            "name": shown(naming.values[i], answer.language) if naming else "",
            "text": texts[i] if number else "",
        }
        for i in placed
    ]
    codes = [c.values[i] for c in answer.having("neighbourhood")[:1] for i in placed]
    shown_outlines = _around(rows, set(codes), outlines, squeeze)
    ground = (
        alt.Chart(data_of([{"type": "Feature", "geometry": o.shape, "name": o.name} for o in shown_outlines.values()]))
        .mark_geoshape(fill=_GROUND, stroke=_BORDER, strokeWidth=0.8)
        .encode(tooltip=[alt.Tooltip("name:N", title=words["neighbourhood"].capitalize())])
    )
    colour: Any = alt.value(SERIES[0])
    if colouring:
        names = [name for name, _ in Counter(row["group"] for row in rows).most_common()]
        scale = alt.Scale(domain=names, range=SERIES[: len(names)])
        colour = alt.Color("group:N", title=colouring.title, scale=scale, sort=names, legend=alt.Legend(labelLimit=220))
    elif number:
        names = [k.label for k in classes] + sorted({row["group"] for row in rows} - {k.label for k in classes})
        scale = alt.Scale(domain=names, range=[*(k.colour for k in classes), _MISSING, _SUPPRESSED][: len(names)])
        legend = alt.Legend(labelLimit=220, symbolStrokeColor=EDGE)
        colour = alt.Color("group:N", title=wrapped(number.label, 34), scale=scale, sort=names, legend=legend)
    named = [(c, c.title) for c in (naming, colouring) if c]
    points = (
        alt.Chart(data_of(rows))
        .mark_circle(size=80 if number else 46, opacity=0.9, stroke=EDGE if number else "white", strokeWidth=0.5)
        .encode(
            longitude="x:Q",
            latitude="y:Q",
            color=colour,
            tooltip=[
                *(alt.Tooltip("name:N" if c is naming else "group:N", title=title) for c, title in dict.fromkeys(named)),
                *([alt.Tooltip("text:N", title=number.label)] if number else []),
            ],
        )
    )
    labels = _labels([shown_outlines[code] for code, _ in Counter(codes).most_common() if code in shown_outlines], rows, squeeze)
    text = alt.Chart(data_of(labels)).mark_text(fontSize=11, color=INK, stroke="white", strokeWidth=2.5, strokeOpacity=0.9)
    front = alt.Chart(data_of(labels)).mark_text(fontSize=11, color=INK)
    layers = [layer.encode(longitude="x:Q", latitude="y:Q", text="name:N") for layer in (text, front)]
    chart = (
        alt.layer(ground, points, *layers).project(type="identity", reflectY=True).properties(width=WIDTH - 120, height=_HEIGHT)
    )
    is_telling = number is not None and naming is not None and len(placed) > _TOLD and len(classes) > 1
    highest = (
        _highest([(rows[n]["name"], number.values[i], texts[i]) for n, i in enumerate(placed)]) if is_telling and number else ""
    )
    notes = [words["highest"].format(highest)] if highest else []
    if len(placed) < answer.rows:
        notes.append(words["nowhere"].format(answer.rows - len(placed)))
    told = colouring or number
    title = WORDS[answer.language]["per"].format(words["places"].capitalize(), told.title) if told else words["places"]
    return Picture(chart, title, (*columns, *(c for c in (colouring, number, naming) if c)), notes)


def _class_label(classes: Sequence[ValueClass], number: Column | None, row: int, texts: Sequence[str]) -> str:
    """The class of a row's number, or in words why it has none."""
    if number is None:
        return ""
    value = number.values[row]
    return texts[row] if value is None else next(k.label for k in classes if k.low <= value < k.high)


def _around(
    rows: Sequence[Mapping[str, Any]], codes: Collection[str], outlines: Mapping[str, Outline], squeeze: float
) -> dict[str, Outline]:
    """The outlines with these codes and those whose centre lies between the places, drawn as on a map."""
    sides = _sides(rows)
    margin = _MARGIN * max(*(high - low for low, high in sides), 0.01)
    found = {}
    for code, outline in outlines.items():
        centre = (outline.centre[0] * squeeze, outline.centre[1])
        is_between = all(low - margin <= at <= high + margin for at, (low, high) in zip(centre, sides, strict=True))
        if code in codes or is_between:
            shape = {"type": outline.shape["type"], "coordinates": _flat(outline.shape["coordinates"], squeeze)}
            found[code] = replace(outline, shape=shape)
    return found


def _labels(ranked: Sequence[Outline], rows: Sequence[Mapping[str, Any]], squeeze: float) -> list[dict[str, Any]]:
    """Names at the centres of neighbourhoods, the first ones first; none that would lie across another."""
    (west, east), (south, north) = _sides(rows)
    pixel = max((east - west) / (WIDTH - 120), (north - south) / _HEIGHT, 1e-7)
    found: list[dict[str, Any]] = []
    for outline in ranked:
        label = {"x": outline.centre[0] * squeeze, "y": outline.centre[1], "name": outline.name}
        is_free = all(
            abs(label["y"] - other["y"]) > _LINE_PX * pixel
            or abs(label["x"] - other["x"]) > _LETTER_PX * pixel * (len(outline.name) + len(other["name"])) / 2
            for other in found
        )
        if is_free and len(found) < _NAMED:
            found.append(label)
    return found


def _sides(rows: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """From where to where the places lie, west to east and south to north."""
    return [(min(row[axis] for row in rows), max(row[axis] for row in rows)) for axis in ("x", "y")]


def _areas(rows: Sequence[Mapping[str, Any]], classes: Sequence[ValueClass], label: str, language: Language) -> Any:
    words = WORDS[language]
    absent = _WORDS[language]["absent"]
    colours = {k.label: k.colour for k in classes}
    colours |= {words["missing"]: _MISSING, words["suppressed"]: _SUPPRESSED, absent: _ABSENT}
    present = {row["class"] for row in rows}
    domain = [name for name in colours if name in present]
    scale = alt.Scale(domain=domain, range=[colours[name] for name in domain])
    legend = alt.Legend(labelLimit=260, symbolType="square", symbolSize=260, symbolStrokeWidth=0.6, symbolStrokeColor=EDGE)
    border = alt.when(f"datum.class === '{absent}'").then(alt.value("#d0d0d0")).otherwise(alt.value("#ffffff"))
    return (
        alt.Chart(data_of(rows))
        .mark_geoshape(strokeWidth=0.6)
        .encode(
            color=alt.Color("class:N", title=wrapped(label, 34), scale=scale, sort=domain, legend=legend),
            stroke=border,
            tooltip=[
                alt.Tooltip("name:N", title=_WORDS[language]["neighbourhood"].capitalize()),
                alt.Tooltip("text:N", title=label),
            ],
        )
    )


def _highest(told: Sequence[tuple[str, float | None, str]]) -> str:
    """The names with the highest figures in words: in a picture nobody can point at an area.

    None of several with the same figure is told where not all of them can be.

    Args:
        told: Names, figures and figures in words.
    """
    ranked = sorted(((name, value, text) for name, value, text in told if value is not None), key=lambda row: -row[1])
    rest = ranked[_TOLD][1] if len(ranked) > _TOLD else -math.inf
    return ", ".join(f"{name} ({text})" for name, value, text in ranked[:_TOLD] if value > rest)


def classes_of(values: Sequence[float], language: Language) -> list[ValueClass]:
    """At most five classes of values, from the lowest up; about equally full, with limits that read easily.

    Whole numbers of which there are no more than five are a class each.
    Zero is a class of its own where a tenth of the values or more are zero; values of both signs are split at zero.
    """
    words = _WORDS[language]
    if not values:
        return []
    low, high = min(values), max(values)
    is_whole = low >= 0 and all(float(v).is_integer() for v in values)
    if low == high:
        return [ValueClass(number_text(low, language), -math.inf, math.inf, _BLUES[2])]
    if low < 0 < high:
        middle = [float(f"{median(v for v in values if v * sign > 0):.2g}") for sign in (-1, 1)]
        return _between([middle[0], 0.0, middle[1]], _DIVERGING, language, words["below"], is_whole)
    distinct = sorted(set(values))
    if is_whole and len(distinct) <= _CLASSES:
        edges = pairwise([-math.inf, *distinct[1:], math.inf])
        ramp = _spread(_BLUES, len(distinct))
        return [
            ValueClass(number_text(v, language), *edge, colour) for v, edge, colour in zip(distinct, edges, ramp, strict=True)
        ]
    has_zeros = low == 0 and sum(v == 0 for v in values) * 10 >= len(values)
    rest = [v for v in values if v != 0] if has_zeros else list(values)
    limits = _limits(rest, _CLASSES - has_zeros, is_whole)
    ramp = _spread(_BLUES, len(limits) + 1 + has_zeros)
    if not has_zeros:
        return _between(limits, ramp, language, words["below"], is_whole)
    first = words["above_zero"] if limits else number_text(high, language)
    if is_whole and limits:
        first = number_text(1, language) if limits[0] == 2 else words["whole"].format(1, number_text(limits[0] - 1, language))
    above = _between(limits, ramp[1:], language, first, is_whole)
    smallest = math.nextafter(0, 1)
    return [ValueClass("0", -math.inf, smallest, ramp[0]), replace(above[0], low=smallest), *above[1:]]


def _between(limits: Sequence[float], ramp: Sequence[str], language: Language, first: str, is_whole: bool) -> list[ValueClass]:
    words = _WORDS[language]
    labels = [first.format(number_text(limits[0], language)) if limits else first]
    for a, b in pairwise(limits):
        end = b - 1 if is_whole else b
        form = words["whole" if is_whole else "between"]
        labels.append(number_text(a, language) if a == end else form.format(number_text(a, language), number_text(end, language)))
    if limits:
        labels.append(words["from"].format(number_text(limits[-1], language)))
    edges = pairwise([-math.inf, *limits, math.inf])
    return [ValueClass(label, low, high, colour) for label, (low, high), colour in zip(labels, edges, ramp, strict=True)]


def _limits(values: Sequence[float], parts: int, is_whole: bool) -> list[float]:
    """Limits between equally full classes, with as few digits as keep them apart."""
    low, high = min(values), max(values)
    if low == high:
        return []
    cuts = sorted({cut for cut in quantiles(values, n=parts, method="inclusive") if cut > low}) or [high]
    limits: list[float] = []
    for digits in range(2, 12):
        rounded = (float(f"{cut:.{digits}g}") for cut in cuts)
        limits = sorted({limit for cut in rounded if low < (limit := math.ceil(cut) if is_whole else cut) <= high})
        if len(limits) == len(cuts):
            break
    return [float(limit) for limit in limits]


def _spread(ramp: Sequence[str], count: int) -> list[str]:
    if count == 1:
        return [ramp[2]]
    return [ramp[round(i * (len(ramp) - 1) / (count - 1))] for i in range(count)]


def _flat(coordinates: Any, squeeze: float) -> Any:
    """Coordinates in degrees, drawn as on a map: a degree of longitude is shorter than one of latitude."""
    if isinstance(coordinates[0], int | float):
        return [round(coordinates[0] * squeeze, 5), round(coordinates[1], 5)]
    return [_flat(part, squeeze) for part in coordinates]
