"""How each kind of chart is drawn: from an answer to an Altair chart that people without training in statistics can read.

Missing values stay missing: a gap in a line, a word instead of a bar, grey on a map. What is left out is said in the notes.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median, quantiles
from typing import Any

import altair as alt

from groningen_data.serving.chart_columns import Answer, Column, Language, distinguishing
from groningen_data.serving.query import QueryError

MOST_SERIES, MOST_PANELS, MOST_BARS, MOST_NAMED = 8, 4, 30, 5
_WIDTH = 720
_GREY, _INK, _EDGE = "#c4c4c4", "#333333", "#8a8a8a"
# Okabe and Ito: eight colours that people with any colour blindness tell apart; the yellow is too pale for a line on white.
_SERIES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c8c8c"]
_BLUES = ["#d6e6f4", "#9cc9e2", "#5ba3d0", "#2272b4", "#08306b"]
_DIVERGING = ["#b35806", "#f1a340", "#92c5de", "#0571b0"]
_CLASSES = 5
# Numbers of one unit share a panel as long as the smallest is not a mere line along its bottom.
_COMPARABLE = 20
_MOST_DOTS = 40
_WEEKDAYS: dict[Language, list[str]] = {
    "nl": ["ma", "di", "wo", "do", "vr", "za", "zo"],
    "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
}
WORDS: dict[Language, dict[str, str]] = {
    "nl": {
        "missing": "geen cijfer",
        "suppressed": "weggelaten (privacy)",
        "absent": "niet in het antwoord",
        "below": "minder dan {0}",
        "between": "{0} tot {1}",
        "from": "{0} en meer",
        "above_zero": "meer dan 0 tot {0}",
        "per": "{0} per {1}",
        "against": "{0} tegenover {1}",
        "neighbourhood": "buurt",
        "series_cut": "Getoond: de {0} grootste van {1} ({2}).",
        "panels_cut": "Niet getoond: {0}.",
        "bars_cut": "Getoond: {0} van {1}.",
        "without": "Zonder cijfer: {0}.",
        "unplaced": "Zonder omtrek: {0}.",
    },
    "en": {
        "missing": "no figure",
        "suppressed": "left out (privacy)",
        "absent": "not in the answer",
        "below": "less than {0}",
        "between": "{0} to {1}",
        "from": "{0} or more",
        "above_zero": "more than 0 to {0}",
        "per": "{0} per {1}",
        "against": "{0} against {1}",
        "neighbourhood": "neighbourhood",
        "series_cut": "Shown: the {0} largest of {1} ({2}).",
        "panels_cut": "Not shown: {0}.",
        "bars_cut": "Shown: {0} of {1}.",
        "without": "Without a figure: {0}.",
        "unplaced": "Without an outline: {0}.",
    },
}


@dataclass(frozen=True)
class Picture:
    """A drawn answer.

    Args:
        chart: The chart, without its title.
        title: What it shows.
        used: The columns that are drawn.
        notes: What a reader must know: what is left out.
    """

    chart: Any
    title: str
    used: tuple[Column, ...]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outline:
    """A neighbourhood's name, centre and outline (GeoJSON, degrees)."""

    name: str
    centre: tuple[float, float]
    shape: dict[str, Any]


def lines(answer: Answer) -> Picture:
    """Numbers along a date, or along an hour, weekday or year; a name column makes a line per name.

    Raises:
        QueryError: There is no date or number, or there are several rows for one point of a line.
    """
    along = _along(answer)
    numbers = answer.having("number")
    if along is None or not numbers:
        raise _unfit("lines", "a column with dates (or hours, weekdays, years) and one with numbers", answer)
    words = WORDS[answer.language]
    names = distinguishing(answer.having("name", "neighbourhood"))
    series = [" · ".join(map(_shown, row)) for row in zip(*(n.values for n in names), strict=True)] or [""] * answer.rows
    _require_single(zip(along.values, series, strict=True), along, "column of names", "line")
    notes: list[str] = []
    panels = [[number] for number in numbers] if names else _panels(numbers)
    if len(panels) > MOST_PANELS:
        notes.append(words["panels_cut"].format(", ".join(n.title for panel in panels[MOST_PANELS:] for n in panel)))
    shown = _largest(series, numbers[0]) if names else []
    if len(set(series)) > len(shown) and names:
        notes.append(words["series_cut"].format(len(shown), len(set(series)), numbers[0].title))
    charts = []
    for panel in panels[:MOST_PANELS]:
        data: list[dict[str, Any]] = []
        for number in panel:
            whose = [number.title] * answer.rows if len(panel) > 1 else series
            data += [
                {"x": x, "y": y, "series": name}
                for x, y, name in zip(along.values, number.values, whose, strict=True)
                if x is not None and (not names or name in set(shown))
            ]
        legend = [n.title for n in panel] if len(panel) > 1 else shown
        label = " / ".join(dict.fromkeys(n.label for n in panel)) if len(panel) == 1 else panel[0].unit or ""
        told = " · ".join(n.title for n in names) if names else None
        charts.append(_line_panel(with_gaps(data), along, label, legend, told, len(panels) == 1, answer.language))
    used = [n for panel in panels[:MOST_PANELS] for n in panel]
    title = ", ".join(n.title for n in used[:3]) + (" …" if len(used) > 3 else "")
    if names:
        title = words["per"].format(title, " · ".join(_thing(n, answer.language) for n in names))
    return Picture(charts[0] if len(charts) == 1 else alt.vconcat(*charts, spacing=24), title, (along, *used, *names), notes)


def bars(answer: Answer) -> Picture:
    """Horizontal bars, the largest on top; a second name column gives each name several bars.

    Raises:
        QueryError: There is no name or number, or there are several rows for one bar.
    """
    names = distinguishing(answer.having("name", "neighbourhood", "time", "ordered")) or answer.having("name", "neighbourhood")
    numbers = answer.having("number")
    if not names or not numbers:
        raise _unfit("bars", "a column with names and one with numbers", answer)
    if len(names) > 2:
        raise _unfit("bars", f"at most two columns of names, not {', '.join(n.name for n in names)}", answer)
    words, number, name = WORDS[answer.language], numbers[0], names[0]
    if len(names) == 2 and names[1].distinct > names[0].distinct:
        names.reverse()
        name = names[0]
    groups = names[1].values if len(names) == 2 else ("",) * answer.rows
    _require_single(zip(name.values, groups, strict=True), name, "second column of names", "bar")
    notes = [words["panels_cut"].format(", ".join(n.title for n in numbers[1:]))] if len(numbers) > 1 else []
    missing = _missing_kinds(answer, number)
    rows = [
        {
            "name": _shown(n),
            "group": _shown(g),
            "value": v,
            "text": number_text(v, answer.language) if v is not None else words[m],
        }
        for n, g, v, m in zip(name.values, groups, number.values, missing, strict=True)
    ]
    total: dict[str, float] = defaultdict(lambda: -math.inf)
    for row in rows:
        if row["value"] is not None:
            total[row["name"]] = max(total[row["name"]], row["value"])
    order = sorted({row["name"] for row in rows}, key=lambda n: (-total[n], n))
    most = MOST_BARS if len(names) == 1 else MOST_BARS // 2
    if len(order) > most:
        notes.append(words["bars_cut"].format(most, len(order)))
    if blank := sum(row["value"] is None for row in rows if row["name"] in order[most:]):
        notes.append(words["without"].format(blank))
    order = order[:most]
    rows = [row for row in rows if row["name"] in order]
    shown_groups = _largest([row["group"] for row in rows], number, [row["value"] for row in rows]) if len(names) == 2 else [""]
    if len({row["group"] for row in rows}) > len(shown_groups):
        notes.append(words["series_cut"].format(len(shown_groups), len({row["group"] for row in rows}), number.title))
    rows = [row for row in rows if row["group"] in shown_groups]
    y = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False))
    offset: dict[str, Any] = {"yOffset": alt.YOffset("group:N", sort=shown_groups)} if len(names) == 2 else {}
    base = alt.Chart(_data(rows)).encode(y=y, **offset)
    x = alt.X("value:Q", title=number.label, axis=alt.Axis(format=_FORMAT, tickCount=5), scale=alt.Scale(zero=True))
    tooltip = [alt.Tooltip("name:N", title=name.title), alt.Tooltip("text:N", title=number.label)]
    colour: Any = alt.value(_SERIES[0])
    if len(names) == 2:
        scale = alt.Scale(domain=shown_groups, range=_SERIES[: len(shown_groups)])
        colour = alt.Color("group:N", title=names[1].title, scale=scale, legend=alt.Legend(labelLimit=220))
        tooltip.insert(1, alt.Tooltip("group:N", title=names[1].title))
    drawn = base.mark_bar().encode(x=x, color=colour, tooltip=tooltip)
    text = alt.X("at:Q")
    told = base.transform_calculate(at="datum.value === null ? 0 : max(datum.value, 0)")
    grey = alt.when("datum.value === null").then(alt.value(_EDGE)).otherwise(alt.value(_INK))
    labels = told.mark_text(align="left", dx=4, fontSize=11 if len(names) == 1 else 9).encode(x=text, text="text:N", color=grey)
    step = 20 if len(names) == 1 else max(11, 26 // len(shown_groups))
    chart = alt.layer(drawn, labels).properties(width=_WIDTH - 160, height=alt.Step(step) if len(names) == 1 else _grouped(step))
    title = words["per"].format(number.title, " · ".join(_thing(n, answer.language) for n in names))
    return Picture(chart, title, (number, *names), notes)


def points(answer: Answer) -> Picture:
    """One number against another; a name column names the points, one with few values colours them.

    Raises:
        QueryError: There are no two numbers, or no row has both.
    """
    numbers = answer.having("number")
    if len(numbers) < 2:
        raise _unfit("points", "two columns with numbers", answer)
    words, x, y = WORDS[answer.language], numbers[0], numbers[1]
    names = distinguishing(answer.having("name", "neighbourhood"))
    naming = max(names, key=lambda n: n.distinct, default=None)
    colouring = next((n for n in names if n is not naming and n.distinct <= MOST_SERIES), None)
    if naming is not None and colouring is None and naming.distinct <= MOST_SERIES < answer.rows:
        naming, colouring = None, naming
    whose = naming.values if naming else ("",) * answer.rows
    groups = colouring.values if colouring else ("",) * answer.rows
    rows = [
        {"x": a, "y": b, "name": _shown(n), "group": _shown(g)}
        for a, b, n, g in zip(x.values, y.values, whose, groups, strict=True)
        if a is not None and b is not None
    ]
    if not rows:
        raise QueryError("groningen chart", f"no row has both {x.name} and {y.name}", "choose other columns")
    notes = [words["panels_cut"].format(", ".join(n.title for n in numbers[2:]))] if len(numbers) > 2 else []
    if blank := answer.rows - len(rows):
        notes.append(words["without"].format(blank))
    axes: dict[str, Any] = {
        "x": alt.X("x:Q", title=x.label, axis=alt.Axis(format=_FORMAT, tickCount=7), scale=_fitting(x)),
        "y": alt.Y("y:Q", title=y.label, axis=alt.Axis(format=_FORMAT, tickCount=6), scale=_fitting(y)),
    }
    tooltip = [alt.Tooltip("x:Q", title=x.label, format=_FORMAT), alt.Tooltip("y:Q", title=y.label, format=_FORMAT)]
    colour: Any = alt.value(_SERIES[0])
    if colouring is not None:
        domain = sorted({row["group"] for row in rows})
        scale = alt.Scale(domain=domain, range=_SERIES[: len(domain)])
        colour = alt.Color("group:N", title=colouring.title, scale=scale, legend=alt.Legend(labelLimit=220))
        tooltip.insert(0, alt.Tooltip("group:N", title=colouring.title))
    if naming is not None:
        tooltip.insert(0, alt.Tooltip("name:N", title=naming.title))
    base = alt.Chart(_data(rows)).encode(**axes)
    chart: Any = base.mark_circle(size=70, opacity=0.75).encode(color=colour, tooltip=tooltip)
    if naming is not None:
        left, right = _named(rows)
        to_the_right = alt.Chart(_data(left)).mark_text(align="left", dx=7, dy=-6, fontSize=11, color=_INK)
        to_the_left = alt.Chart(_data(right)).mark_text(align="right", dx=-7, dy=-6, fontSize=11, color=_INK)
        chart = chart + to_the_right.encode(text="name:N", **axes) + to_the_left.encode(text="name:N", **axes)
    used = (x, y, *(n for n in (naming, colouring) if n))
    title = words["against"].format(y.title, x.title[:1].lower() + x.title[1:])
    return Picture(chart.properties(width=_WIDTH - 60, height=440), title, used, notes)


def neighbourhood_map(answer: Answer, outlines: Mapping[str, Outline]) -> Picture:
    """Neighbourhoods coloured by a number in five classes; those without a figure grey and hatched.

    Args:
        answer: The answer, with a column of neighbourhood codes.
        outlines: Every served neighbourhood by its code.

    Raises:
        QueryError: There is no number, there are several rows for a neighbourhood, or no code has an outline.
    """
    codes, numbers = answer.having("neighbourhood"), answer.having("number")
    if not codes or not numbers:
        raise _unfit("a map", "neighbourhood_code and a column with numbers", answer)
    words, code, number = WORDS[answer.language], codes[0], numbers[0]
    _require_single(((c,) for c in code.values), code, "filter, such as one month,", "neighbourhood")
    figures = dict(zip(code.values, zip(number.values, _missing_kinds(answer, number), strict=True), strict=True))
    known = {c: figure for c, figure in figures.items() if c in outlines}
    if not known:
        raise QueryError(
            "groningen chart",
            "none of the neighbourhoods in the answer has a published outline",
            'see `groningen sql "FROM reference_neighbourhoods"`; without outlines, ask for bars by `--kind bar`',
        )
    held = [v for v, _ in known.values() if v is not None]
    classes = classes_of(held, answer.language)
    squeeze = math.cos(math.radians(next(iter(outlines.values())).centre[1]))
    rows = []
    for c, outline in outlines.items():
        value, kind = known.get(c, (None, "absent"))
        label = words[kind] if value is None else next(k.label for k in classes if k.low <= value < k.high)
        text = words[kind] if value is None else number_text(value, answer.language)
        shape = {"type": outline.shape["type"], "coordinates": _flat(outline.shape["coordinates"], squeeze)}
        facts = {"name": outline.name, "class": label, "text": text, "value": value, "figure": kind}
        rows.append({"type": "Feature", "geometry": shape} | facts)
    present = {row["class"] for row in rows}
    colours = {k.label: k.colour for k in classes} | {
        words["missing"]: _GREY,
        words["suppressed"]: "#8f8f8f",
        words["absent"]: "#ffffff",
    }
    domain = [label for label in colours if label in present]
    scale = alt.Scale(domain=domain, range=[colours[label] for label in domain])
    legend = alt.Legend(labelLimit=260, symbolType="square", symbolSize=260, symbolStrokeWidth=0.6, symbolStrokeColor=_EDGE)
    flat = {"type": "identity", "reflectY": True}
    areas = (
        alt.Chart(_data(rows))
        .mark_geoshape(stroke="#ffffff", strokeWidth=0.6)
        .encode(
            color=alt.Color("class:N", title=_wrapped(number.label, 34), scale=scale, sort=domain, legend=legend),
            stroke=alt.when("datum.figure === 'absent'").then(alt.value("#d0d0d0")).otherwise(alt.value("#ffffff")),
            tooltip=[
                alt.Tooltip("name:N", title=words["neighbourhood"].capitalize()),
                alt.Tooltip("text:N", title=number.label),
            ],
        )
        .project(**flat)
    )
    chart = areas.properties(width=_WIDTH - 120, height=540)
    notes = []
    if unplaced := len(figures) - len(known):
        notes.append(words["unplaced"].format(unplaced))
    title = words["per"].format(number.title, words["neighbourhood"])
    return Picture(chart, title, (code, number), notes)


def with_gaps(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of lines in order, with an empty one wherever a line skips a step, so that no line runs across what is missing.

    Args:
        rows: `x` (a date, instant or number), `y` and `series`. The usual step is that between most points; of dates that
            are all first days of months it is the month.
    """
    found: list[dict[str, Any]] = []
    by_series: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_series[row["series"]].append(row)
    steps = Counter(b - a for a, b in pairwise(sorted({row["x"] for row in rows})))
    usual = steps.most_common(1)[0][0] if steps else None
    if rows and all(isinstance(row["x"], date) and row["x"].day == 1 for row in rows):
        usual = timedelta(days=31)
    for name, members in by_series.items():
        ordered = sorted(members, key=lambda row: row["x"])
        for row, following in zip(ordered, [*ordered[1:], None], strict=True):
            found.append(dict(row))
            if usual is not None and following is not None and following["x"] - row["x"] > usual * 1.01:
                found.append({"x": row["x"] + usual, "y": None, "series": name})
    return found


@dataclass(frozen=True)
class ValueClass:
    """A class of values: from `low` up to, and not including, `high`."""

    label: str
    low: float
    high: float
    colour: str


def classes_of(values: Sequence[float], language: Language) -> list[ValueClass]:
    """At most five classes of values, from the lowest up; about equally full, with limits that read easily.

    Zero is a class of its own where a tenth of the values or more are zero; values of both signs are split at zero.
    """
    words = WORDS[language]
    if not values:
        return []
    low, high = min(values), max(values)
    if low == high:
        return [ValueClass(number_text(low, language), -math.inf, math.inf, _BLUES[2])]
    if low < 0 < high:
        middle = [float(f"{median(v for v in values if v * sign > 0):.2g}") for sign in (-1, 1)]
        return _between([middle[0], 0.0, middle[1]], _DIVERGING, language, words["below"])
    has_zeros = low == 0 and sum(v == 0 for v in values) * 10 >= len(values)
    rest = [v for v in values if v != 0] if has_zeros else list(values)
    limits = _limits(rest, _CLASSES - has_zeros)
    ramp = _spread(_BLUES, len(limits) + 1 + has_zeros)
    if not has_zeros:
        return _between(limits, ramp, language, words["below"])
    above = _between(limits, ramp[1:], language, words["above_zero"] if limits else number_text(high, language))
    smallest = math.nextafter(0, 1)
    return [ValueClass("0", -math.inf, smallest, ramp[0]), replace(above[0], low=smallest), *above[1:]]


def _between(limits: Sequence[float], ramp: Sequence[str], language: Language, first: str) -> list[ValueClass]:
    words = WORDS[language]
    texts = [number_text(limit, language) for limit in limits]
    between = [words["between"].format(a, b) for a, b in pairwise(texts)]
    labels = [first.format(texts[0]), *between, words["from"].format(texts[-1])] if limits else [first]
    edges = pairwise([-math.inf, *limits, math.inf])
    return [ValueClass(label, low, high, colour) for label, (low, high), colour in zip(labels, edges, ramp, strict=True)]


_FORMAT = ",.2~f"


def _along(answer: Answer) -> Column | None:
    """What a line runs along: the first column of dates, or of parts of dates, that has more than one value."""
    candidates = [*answer.having("time"), *answer.having("ordered")]
    return next((c for c in candidates if c.distinct > 1), candidates[0] if candidates else None)


def _panels(numbers: Sequence[Column]) -> list[list[Column]]:
    panels: list[list[Column]] = []
    for number in numbers:
        for panel in panels:
            sizes = [max((abs(v) for v in n.values if v is not None), default=0) for n in (*panel, number)]
            if panel[0].unit == number.unit and max(sizes) <= _COMPARABLE * min(sizes) and len(panel) < MOST_SERIES:
                panel.append(number)
                break
        else:
            panels.append([number])
    return panels


def _line_panel(
    rows: Sequence[Mapping[str, Any]],
    along: Column,
    label: str,
    series: Sequence[str],
    told: str | None,
    is_only: bool,
    language: Language,
) -> Any:
    values = [{**row, "x": row["x"].isoformat() if isinstance(row["x"], date) else row["x"]} for row in rows]
    lowest = min((row["y"] for row in rows if row["y"] is not None), default=0)
    x, tip = _x_axis(along, language)
    y = alt.Y("y:Q", title=_wrapped(label, 44), axis=alt.Axis(format=_FORMAT, tickCount=6), scale=alt.Scale(zero=lowest >= 0))
    tooltip = [tip, alt.Tooltip("y:Q", title=label or None, format=_FORMAT)]
    colour: Any = alt.value(_SERIES[0])
    if series:
        scale = alt.Scale(domain=list(series), range=_SERIES[: len(series)])
        colour = alt.Color("series:N", title=told, scale=scale, sort=list(series), legend=alt.Legend(labelLimit=220))
        tooltip.insert(0, alt.Tooltip("series:N", title=told or None))
    drawn = alt.Chart(_data(values)).mark_line(strokeWidth=2, invalid="break-paths-show-domains")
    # A point that stands alone between gaps would not show in a line.
    dots = values if along.distinct <= _MOST_DOTS else _alone(values)
    dotted = alt.Chart(_data([row for row in dots if row["y"] is not None])).mark_circle(size=36, opacity=1)
    encoding: dict[str, Any] = {"x": x, "y": y, "color": colour, "tooltip": tooltip}
    layered = alt.layer(drawn.encode(**encoding), dotted.encode(**encoding))
    return layered.properties(width=_WIDTH - 60, height=340 if is_only else 170)


def _alone(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows with a value whose neighbours in the same line have none."""
    around = [None, *rows, None]
    return [
        row
        for before, row, after in zip(around, rows, around[2:], strict=False)
        if all(n is None or n["series"] != row["series"] or n["y"] is None for n in (before, after))
    ]


def _x_axis(along: Column, language: Language) -> tuple[alt.X, alt.Tooltip]:
    if along.role == "time":
        held = [v for v in along.values if v is not None]
        years = sorted({v.year for v in held})
        is_clock = any(isinstance(v, datetime) for v in held)
        if is_clock:
            text, title = "%-d %b %H:%M", f"{along.title} (UTC)"
        elif all(v.day == 1 for v in held) or (max(held) - min(held)).days > 400:
            text, title = "%b %Y", along.title
        else:
            text, title = "%-d %b", f"{along.title}, {' / '.join(map(str, years))}"
        months = sorted({v.isoformat() for v in held}) if text == "%b %Y" and len(set(held)) <= 12 else None
        axis = alt.Axis(format=text, grid=False, labelOverlap=True, **({"values": months} if months else {"tickCount": 9}))
        kind = alt.X("x:T", title=title, axis=axis, scale=alt.Scale(type="utc"))
        return kind, alt.Tooltip("x:T", title=along.title, format="%-d %b %Y %H:%M" if is_clock else "%-d %b %Y")
    steps: dict[str, Any] = {"format": "d", "tickMinStep": 1, "grid": False}
    if along.name == "weekday":
        steps |= {"labelExpr": f"{json.dumps(_WEEKDAYS[language])}[datum.value - 1]", "values": list(range(1, 8))}
    axis = alt.Axis(**steps)
    return alt.X("x:Q", title=along.title, axis=axis, scale=alt.Scale(zero=False, nice=False)), alt.Tooltip(
        "x:Q", title=along.title, format="d"
    )


def _named(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Points at the outer edge that get their name in the picture, those of the left half and of the right; far enough apart."""
    span = {key: (min(r[key] for r in rows), max(max(r[key] for r in rows) - min(r[key] for r in rows), 1e-9)) for key in "xy"}
    places = [tuple((row[key] - span[key][0]) / span[key][1] for key in "xy") for row in rows]
    far = [i for axis in (0, 1) for i in sorted(range(len(rows)), key=lambda i: -places[i][axis])[:MOST_NAMED]]
    chosen: list[int] = []
    for i in dict.fromkeys(far):
        if all(abs(places[i][0] - places[j][0]) > 0.3 or abs(places[i][1] - places[j][1]) > 0.06 for j in chosen):
            chosen.append(i)
    return [rows[i] for i in chosen if places[i][0] < 0.5], [rows[i] for i in chosen if places[i][0] >= 0.5]


def _largest(series: Sequence[str], number: Column, values: Sequence[Any] | None = None) -> list[str]:
    """The series with the largest sums, the largest first."""
    total: dict[str, float] = defaultdict(float)
    for name, value in zip(series, values or number.values, strict=True):
        total[name] += abs(value) if value is not None else 0
    return sorted(total, key=lambda name: -total[name])[:MOST_SERIES]


def _missing_kinds(answer: Answer, number: Column) -> list[str]:
    """Per row, what a missing value is to be called: left out to protect people, or simply not there."""
    suppressed = next((c for c in answer.reasons_of(number) if c.name.endswith("_suppressed")), None)
    if suppressed is None:
        return ["missing"] * answer.rows
    return ["suppressed" if reason else "missing" for reason in suppressed.values]


def _require_single(keys: Iterable[tuple[Any, ...]], column: Column, remedy: str, what: str) -> None:
    ((key, times),) = Counter(keys).most_common(1)
    if times > 1:
        raise QueryError(
            "groningen chart",
            f"several rows for one {what}: {times} with {column.name} {_shown(key[0])}",
            f"sum or average them (GROUP BY {column.name}), or add a {remedy} that tells them apart",
        )


def _unfit(kind: str, needs: str, answer: Answer) -> QueryError:
    return QueryError("groningen chart", f"{kind} need {needs}; the answer has {answer.described()}", NEEDS)


NEEDS = (
    "select a date and numbers for lines, a name and a number for bars, two numbers for points, "
    "or neighbourhood_code and a number for a map"
)


def _thing(column: Column, language: Language) -> str:
    """What a column of names names: `wijk` for *Wijknaam*."""
    title = column.title.lower()
    for ending in ("naam", "code") if language == "nl" else (" name", " code"):
        if title.endswith(ending) and title != ending:
            return title.removesuffix(ending)
    return title


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return value.isoformat() if isinstance(value, date) else str(value)


def number_text(value: float, language: Language) -> str:
    """A number for people: no more digits than they read, and separators of their language."""
    digits = 0 if float(value).is_integer() else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.translate(str.maketrans(",.", ".,")) if language == "nl" else text


def _limits(values: Sequence[float], parts: int) -> list[float]:
    """Limits between equally full classes, with as few digits as keep them apart."""
    low, high = min(values), max(values)
    if low == high:
        return []
    cuts = sorted({cut for cut in quantiles(values, n=parts, method="inclusive") if cut > low}) or [high]
    limits: list[float] = []
    for digits in range(2, 12):
        limits = sorted({limit for cut in cuts if low < (limit := float(f"{cut:.{digits}g}")) <= high})
        if len(limits) == len(cuts):
            break
    return limits


def _spread(ramp: Sequence[str], count: int) -> list[str]:
    if count == 1:
        return [ramp[2]]
    return [ramp[round(i * (len(ramp) - 1) / (count - 1))] for i in range(count)]


def _fitting(number: Column) -> alt.Scale:
    """From zero, unless the values lie so far from it that the points would crowd in a corner."""
    held = [v for v in number.values if v is not None]
    return alt.Scale(zero=min(held) >= 0 and min(held) < 0.4 * max(held), nice=True)


def _flat(coordinates: Any, squeeze: float) -> Any:
    """Coordinates in degrees, drawn as on a map: a degree of longitude is shorter than one of latitude."""
    if isinstance(coordinates[0], int | float):
        return [round(coordinates[0] * squeeze, 5), round(coordinates[1], 5)]
    return [_flat(part, squeeze) for part in coordinates]


def _wrapped(text: str, width: int) -> Any:
    import textwrap

    parts = textwrap.wrap(text, width)
    return parts if len(parts) > 1 else text


def _grouped(step: int) -> Any:
    return alt.Step(step, **{"for": "offset"})


def _data(rows: Sequence[Mapping[str, Any]]) -> alt.Data:
    return alt.Data(values=[dict(row) for row in rows])
