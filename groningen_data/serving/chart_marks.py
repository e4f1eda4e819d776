"""Lines, bars and points: from an answer to an Altair chart that people without training in statistics can read.

Missing values stay missing: a gap in a line, a word instead of a bar. What is left out is said in the notes.
"""

import json
import math
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import altair as alt

from groningen_data.serving.chart_columns import Answer, Column, Language, distinguishing, independent
from groningen_data.serving.query import QueryError

MOST_SERIES, MOST_PANELS, MOST_BARS, MOST_NAMED = 8, 4, 30, 5
MOST_GROUPED_BARS = 48
WIDTH = 720
INK, EDGE = "#333333", "#8a8a8a"
NEEDS = (
    "select a date and numbers for lines, a name and a number for bars, two numbers for points, "
    "neighbourhood_code and a number for a map, or longitude and latitude for a map of places"
)
_FORMAT = ",.2~f"
# Okabe and Ito: eight colours that people with any colour blindness tell apart; grey for their yellow, too pale on white.
SERIES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c8c8c"]
# Numbers of one unit share a panel as long as the smallest is not a mere line along its bottom.
_COMPARABLE = 20
_MOST_DOTS = 40
# Of the names of points, in pixels: the width of a letter, and the distance to the point; and half the size of a point.
_NAME_PX, _NAME_AWAY, _DOT = 6, 7, 4
# Dates are a regular series, in which a missing one is a gap, when this share of the steps is the same.
_REGULAR = 0.6
_WEEKDAYS: dict[Language, list[str]] = {
    "nl": ["ma", "di", "wo", "do", "vr", "za", "zo"],
    "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
}
WORDS: dict[Language, dict[str, str]] = {
    "nl": {
        "missing": "geen cijfer",
        "suppressed": "weggelaten (privacy)",
        "unknown": "onbekend",
        "yes": "ja",
        "no": "nee",
        "per": "{0} per {1}",
        "and": " en ",
        "against": "{0} tegenover {1}",
        "largest": "Getoond: de grootste {0} van {1}.",
        "not_shown": "Niet getoond: {0}.",
        "without_figure": "Niet getoond, want zonder cijfer: {0}.",
        "without_date": "Niet getoond, want zonder {0}: {1}.",
    },
    "en": {
        "missing": "no figure",
        "suppressed": "left out (privacy)",
        "unknown": "unknown",
        "yes": "yes",
        "no": "no",
        "per": "{0} per {1}",
        "and": " and ",
        "against": "{0} against {1}",
        "largest": "Shown: the largest {0} of {1}.",
        "not_shown": "Not shown: {0}.",
        "without_figure": "Not shown, because without a figure: {0}.",
        "without_date": "Not shown, because without {0}: {1}.",
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


def lines(answer: Answer) -> Picture:
    """Numbers along a date, or along an hour, weekday or year; a name column makes a line per name.

    Numbers that cannot share an axis get a panel each.

    Raises:
        QueryError: There is no date or number, or there are several rows for one point of a line.
    """
    along, numbers = _along(answer), answer.having("number")
    if along is None or not numbers:
        raise unfit("lines", "a column with dates (or hours, weekdays, years) and one with numbers", answer)
    words = WORDS[answer.language]
    names = independent(answer.having("name", "neighbourhood"))
    series = [" · ".join(shown(v, answer.language) for v in row) for row in zip(*(n.values for n in names), strict=True)]
    series = series or [""] * answer.rows
    dated = [i for i, x in enumerate(along.values) if x is not None]
    require_single(((along.values[i], series[i]) for i in dated), along, "a column of names", "point of a line")
    notes = [words["without_date"].format(thing(along, answer.language), answer.rows - len(dated))] * (len(dated) < answer.rows)
    lines_shown: list[str] = []
    if names:
        told = {series[i] for i in dated if any(n.values[i] is not None for n in numbers)}
        lines_shown = _largest([(series[i], numbers[0].values[i]) for i in dated if series[i] in told])
        if silent := sorted(set(series) - told):
            notes.append(words["without_figure"].format(", ".join(silent[:5]) + (" …" if len(silent) > 5 else "")))
        if len(told) > len(lines_shown):
            notes.append(words["largest"].format(len(lines_shown), len(told)))
    panels = [[number] for number in numbers] if names else _panels(numbers)
    if len(panels) > MOST_PANELS:
        notes.append(words["not_shown"].format(joined([n.title for panel in panels[MOST_PANELS:] for n in panel])))
    charts = []
    for panel in panels[:MOST_PANELS]:
        rows = [
            {"x": along.values[i], "y": number.values[i], "series": number.title if len(panel) > 1 else series[i]}
            for number in panel
            for i in dated
            if not names or series[i] in lines_shown
        ]
        legend = [n.title for n in panel] if len(panel) > 1 else lines_shown
        title = replace(panel[0], title=joined([n.title for n in panel])).label
        told_by = " · ".join(n.title for n in names) or None
        charts.append(_line_panel(with_gaps(rows), along, title, legend, told_by, len(panels) > 1, answer.language))
    used = [n for panel in panels[:MOST_PANELS] for n in panel]
    title = joined([n.title for n in used])
    if names:
        title = words["per"].format(title, words["and"].join(thing(n, answer.language) for n in names))
    return Picture(charts[0] if len(charts) == 1 else alt.vconcat(*charts, spacing=24), title, (along, *used, *names), notes)


def bars(answer: Answer) -> Picture:
    """Horizontal bars, the largest on top (dates and the like in their own order); a second name column groups them.

    Raises:
        QueryError: There is no name or number, or there are several rows for one bar.
    """
    names = independent(answer.having("name", "neighbourhood", "time", "ordered"))
    names = names or answer.having("name", "neighbourhood", "time", "ordered")[:1]
    numbers = answer.having("number")
    if not names or not numbers:
        raise unfit("bars", "a column with names and one with numbers", answer)
    if len(names) > 2:
        raise unfit("bars", f"at most two columns of names, not {', '.join(n.name for n in names)}", answer)
    words, number = WORDS[answer.language], numbers[0]
    name, *grouping = names
    groups = grouping[0].values if grouping else ("",) * answer.rows
    require_single(zip(name.values, groups, strict=True), name, "a second column of names", "bar")
    notes = [words["not_shown"].format(joined([n.title for n in numbers[1:]]))] if len(numbers) > 1 else []
    rows = [
        {"name": shown(n, answer.language), "group": shown(g, answer.language), "value": value, "text": text}
        for n, g, value, text in zip(name.values, groups, number.values, figures(answer, number), strict=True)
    ]
    groups_shown = _largest([(row["group"], row["value"]) for row in rows])
    if grouping and grouping[0].distinct > len(groups_shown):
        notes.append(words["largest"].format(len(groups_shown), grouping[0].distinct))
    rows = [row for row in rows if row["group"] in groups_shown]
    order = _bar_order(name, rows, answer.language)
    most = max(3, MOST_GROUPED_BARS // len(groups_shown)) if grouping else MOST_BARS
    if len(order) > most:
        notes.append(words["largest"].format(most, len(order)))
    if blank := sum(row["value"] is None for row in rows if row["name"] in order[most:]):
        notes.append(words["without_figure"].format(blank))
    rows = [row for row in rows if row["name"] in order[:most]]
    chart = _bar_chart(rows, order[:most], name, number, grouping[0] if grouping else None, groups_shown)
    title = words["per"].format(number.title, words["and"].join(thing(n, answer.language) for n in (name, *grouping)))
    return Picture(chart, title, (number, name, *grouping), notes)


def points(answer: Answer) -> Picture:
    """One number against another; a name column names the points, one with few values colours them.

    Raises:
        QueryError: There are no two numbers, or no row has both.
    """
    numbers = answer.having("number")
    if len(numbers) < 2:
        raise unfit("points", "two columns with numbers", answer)
    words, (x, y) = WORDS[answer.language], numbers[:2]
    names = distinguishing(answer.having("name", "neighbourhood"))
    naming = max(names, key=lambda n: n.distinct, default=None)
    colouring = next((n for n in names if n is not naming and n.distinct <= MOST_SERIES), None)
    if naming is not None and colouring is None and naming.distinct <= MOST_SERIES < answer.rows:
        naming, colouring = None, naming
    nothing = ("",) * answer.rows
    rows = [
        {"x": a, "y": b, "name": shown(n, answer.language), "group": shown(g, answer.language)}
        for a, b, n, g in zip(
            x.values, y.values, naming.values if naming else nothing, colouring.values if colouring else nothing, strict=True
        )
        if a is not None and b is not None
    ]
    if not rows:
        raise QueryError("groningen chart", f"no row has both {x.name} and {y.name}", "choose other columns")
    notes = [words["not_shown"].format(joined([n.title for n in numbers[2:]]))] if len(numbers) > 2 else []
    if blank := answer.rows - len(rows):
        notes.append(words["without_figure"].format(blank))
    axes: dict[str, Any] = {
        "x": alt.X("x:Q", title=x.label, axis=alt.Axis(format=_FORMAT, tickCount=7), scale=_fitting(x)),
        "y": alt.Y("y:Q", title=y.label, axis=alt.Axis(format=_FORMAT, tickCount=6), scale=_fitting(y)),
    }
    tooltip = [alt.Tooltip("x:Q", title=x.label, format=_FORMAT), alt.Tooltip("y:Q", title=y.label, format=_FORMAT)]
    size = (WIDTH - 60, 440)
    colour: Any = alt.value(SERIES[0])
    if colouring is not None:
        colour = _colours("group", sorted({row["group"] for row in rows}), colouring.title)
        tooltip.insert(0, alt.Tooltip("group:N", title=colouring.title))
    chart: Any = alt.Chart(data_of(rows)).mark_circle(size=70, opacity=0.75)
    if naming is not None:
        tooltip.insert(0, alt.Tooltip("name:N", title=naming.title))
    chart = chart.encode(color=colour, tooltip=tooltip, **axes)
    if naming is not None:
        right, left = _named(rows, *size)
        at_the_right = alt.Chart(data_of(right)).mark_text(align="left", dx=_NAME_AWAY, dy=-6, fontSize=11, color=INK)
        at_the_left = alt.Chart(data_of(left)).mark_text(align="right", dx=-_NAME_AWAY, dy=-6, fontSize=11, color=INK)
        chart = chart + at_the_right.encode(text="name:N", **axes) + at_the_left.encode(text="name:N", **axes)
    title = words["against"].format(y.title, _continued(x.title))
    used = (x, y, *(n for n in (naming, colouring) if n))
    return Picture(chart.properties(width=size[0], height=size[1]), title, used, notes)


def with_gaps(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of lines in order, with an empty one wherever a line skips a step, so that no line runs across what is missing.

    Args:
        rows: `x` (a date, instant or number), `y` and `series`. Of dates that are all first days of months, a step is
            counted in months. Where no step is usual, nothing counts as skipped.
    """
    by_series: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_series[row["series"]].append(row)
    are_months = all(_is_first_of_month(row["x"]) for row in rows)
    places = sorted({_place(row["x"], are_months) for row in rows})
    (usual, times), *_ = Counter(b - a for a, b in pairwise(places)).most_common(1) or [(None, 0)]
    is_regular = times >= _REGULAR * (len(places) - 1)
    found: list[dict[str, Any]] = []
    for name, members in by_series.items():
        ordered = sorted(members, key=lambda row: row["x"])
        for row, following in zip(ordered, [*ordered[1:], None], strict=True):
            found.append(dict(row))
            step = _place(following["x"], are_months) - _place(row["x"], are_months) if following else None
            if is_regular and usual is not None and step is not None and step > usual:
                between = row["x"] + (timedelta(days=1) if are_months else usual)
                found.append({"x": between, "y": None, "series": name})
    return found


def figures(answer: Answer, number: Column) -> list[str]:
    """Per row, the number in words: where it is missing, whether it was left out to protect people or is simply not there."""
    words, nothing = WORDS[answer.language], (None,) * answer.rows
    suppressed = next((c.values for c in answer.having("reason") if c.name == f"{number.name}_suppressed"), nothing)
    return [
        number_text(value, answer.language) if value is not None else words["suppressed" if reason else "missing"]
        for value, reason in zip(number.values, suppressed, strict=True)
    ]


def require_single(keys: Iterable[tuple[Any, ...]], column: Column, remedy: str, what: str) -> None:
    """Fail where a chart would draw one thing several times.

    Raises:
        QueryError: Keys repeat; the first part of a key is a value of the column.
    """
    for key, times in Counter(keys).most_common(1):
        if times > 1:
            raise QueryError(
                "groningen chart",
                f"there are {times} rows for one {what} ({column.name} {shown(key[0], 'en')})",
                f"sum or average them (GROUP BY {column.name}), choose some of them (WHERE), or add {remedy} to tell them apart",
            )


def unfit(kind: str, needs: str, answer: Answer) -> QueryError:
    """The error of a kind of chart that the answer has no columns for."""
    return QueryError("groningen chart", f"{kind} need {needs}; the answer has {answer.described()}", NEEDS)


def thing(column: Column, language: Language) -> str:
    """What a column of names names: `wijk` for *Wijknaam*."""
    title = _continued(column.title)
    for ending in ("naam", "code") if language == "nl" else (" name", " code"):
        if title.endswith(ending) and title != ending:
            return title.removesuffix(ending)
    return title


def shown(value: Any, language: Language) -> str:
    """A name for people."""
    words = WORDS[language]
    if value is None:
        return words["unknown"]
    if isinstance(value, bool):
        return words["yes" if value else "no"]
    return value.isoformat() if isinstance(value, date) else str(value)


def number_text(value: float, language: Language) -> str:
    """A number for people: no more digits than they read, and separators of their language."""
    digits = 0 if float(value).is_integer() else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.translate(str.maketrans(",.", ".,")) if language == "nl" else text


def wrapped(text: str, width: int) -> Any:
    """A text as Vega takes it: in lines where it is longer than `width` characters."""
    parts = textwrap.wrap(text, width)
    return parts if len(parts) > 1 else text


def data_of(rows: Sequence[Mapping[str, Any]]) -> alt.Data:
    """Rows as data inside the chart."""
    return alt.Data(values=[dict(row) for row in rows])


def joined(titles: Sequence[str]) -> str:
    """Titles as one, at most three of them."""
    told = ", ".join([titles[0], *map(_continued, titles[1:3])])
    return f"{told} …" if len(titles) > 3 else told


def _continued(title: str) -> str:
    """A title within a sentence; abbreviations stay as they are."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


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
    title: str,
    series: Sequence[str],
    told_by: str | None,
    is_one_of_several: bool,
    language: Language,
) -> Any:
    values = [{**row, "x": row["x"].isoformat() if isinstance(row["x"], date) else row["x"]} for row in rows]
    lowest = min((row["y"] for row in rows if row["y"] is not None), default=0)
    x, tip = _x_axis(along, language)
    # One width for the numbers keeps panels under each other in line.
    axis = alt.Axis(format=_FORMAT, tickCount=4 if is_one_of_several else 6, minExtent=62 if is_one_of_several else 0)
    y_title = None if is_one_of_several else wrapped(title, 44)
    y = alt.Y("y:Q", title=y_title, axis=axis, scale=alt.Scale(zero=lowest >= 0))
    tooltip = [tip, alt.Tooltip("y:Q", title=title, format=_FORMAT)]
    colour: Any = alt.value(SERIES[0])
    if series:
        colour = _colours("series", series, told_by)
        tooltip.insert(0, alt.Tooltip("series:N", title=told_by or " "))
    drawn = alt.Chart(data_of(values)).mark_line(strokeWidth=2, invalid="break-paths-show-domains")
    # A point that stands alone between gaps would not show in a line.
    dots = values if along.distinct <= _MOST_DOTS else _alone(values)
    dotted = alt.Chart(data_of([row for row in dots if row["y"] is not None])).mark_circle(size=36, opacity=1)
    encoding: dict[str, Any] = {"x": x, "y": y, "color": colour, "tooltip": tooltip}
    chart: Any = alt.layer(drawn.encode(**encoding), dotted.encode(**encoding))
    if is_one_of_several:
        heading = alt.TitleParams(wrapped(title, 90), anchor="start", fontSize=13, fontWeight="normal", offset=8)
        chart = chart.properties(title=heading)
    return chart.properties(width=WIDTH - 60, height=150 if is_one_of_several else 340)


def _x_axis(along: Column, language: Language) -> tuple[alt.X, alt.Tooltip]:
    held = [v for v in along.values if v is not None]
    if along.role == "ordered":
        steps: dict[str, Any] = {"format": "d", "tickMinStep": 1, "grid": False}
        if along.name == "weekday":
            steps |= {"labelExpr": f"{json.dumps(_WEEKDAYS[language])}[datum.value - 1]", "values": list(range(1, 8))}
        scale = alt.Scale(zero=False, nice=False)
        return alt.X("x:Q", title=along.title, axis=alt.Axis(**steps), scale=scale), alt.Tooltip(
            "x:Q", title=along.title, format="d"
        )
    is_clock = any(isinstance(v, datetime) for v in held)
    if is_clock:
        text, title = "%-d %b %H:%M", f"{along.title} (UTC)"
    elif all(map(_is_first_of_month, held)) or (max(held) - min(held)).days > 400:
        text, title = "%b %Y", along.title
    else:
        years = sorted({v.year for v in held})
        text, title = "%-d %b", f"{along.title}, {' / '.join(map(str, years))}"
    ticks: dict[str, Any] = {"tickCount": 9}
    if not is_clock and len(set(held)) <= 12:
        ticks = {"values": sorted({v.isoformat() for v in held})}
    axis = alt.Axis(format=text, grid=False, labelOverlap=True, **ticks)
    tip = alt.Tooltip("x:T", title=along.title, format="%-d %b %Y %H:%M" if is_clock else "%-d %b %Y")
    return alt.X("x:T", title=title, axis=axis, scale=alt.Scale(type="utc")), tip


def _bar_order(name: Column, rows: Sequence[Mapping[str, Any]], language: Language) -> list[str]:
    """Names from top to bottom: by their largest value, those without one last; dates and the like by themselves."""
    if name.role in ("time", "ordered"):
        return [shown(v, language) for v in sorted({v for v in name.values if v is not None})]
    largest: dict[str, float] = {}
    for row in rows:
        value = -math.inf if row["value"] is None else row["value"]
        largest[row["name"]] = max(largest.get(row["name"], -math.inf), value)
    return sorted(largest, key=lambda n: (-largest[n], n))


def _bar_chart(
    rows: Sequence[Mapping[str, Any]],
    order: Sequence[str],
    name: Column,
    number: Column,
    grouping: Column | None,
    groups: Sequence[str],
) -> Any:
    tooltip = [alt.Tooltip("name:N", title=name.title), alt.Tooltip("text:N", title=number.label)]
    axis = alt.Axis(labelLimit=360, ticks=False, domain=False, labelPadding=6)
    padding = alt.Scale(paddingInner=0.15, paddingOuter=0.08) if grouping else alt.Scale()
    shared: dict[str, Any] = {"y": alt.Y("name:N", sort=list(order), title=None, axis=axis, scale=padding)}
    colour: Any = alt.value(SERIES[0])
    height: Any = alt.Step(20)
    if grouping:
        shared["yOffset"] = alt.YOffset("group:N", sort=list(groups))
        colour = _colours("group", groups, grouping.title, offset=50)
        tooltip.insert(1, alt.Tooltip("group:N", title=grouping.title))
        height = alt.Step(13, **{"for": "offset"})
    x = alt.X("value:Q", title=number.label, axis=alt.Axis(format=_FORMAT, tickCount=5), scale=alt.Scale(zero=True))
    base = alt.Chart(data_of(rows)).encode(**shared)
    told = base.transform_calculate(at="datum.value === null ? 0 : max(datum.value, 0)")
    grey = alt.when("datum.value === null").then(alt.value(EDGE)).otherwise(alt.value(INK))
    labels = told.mark_text(align="left", dx=4, fontSize=9 if grouping else 11)
    return alt.layer(
        base.mark_bar().encode(x=x, color=colour, tooltip=tooltip), labels.encode(x=alt.X("at:Q"), text="text:N", color=grey)
    ).properties(width=WIDTH - 160, height=height)


def _colours(field: str, names: Sequence[str], title: str | None, offset: float = 18) -> alt.Color:
    scale = alt.Scale(domain=list(names), range=SERIES[: len(names)])
    return alt.Color(f"{field}:N", title=title, scale=scale, sort=list(names), legend=alt.Legend(labelLimit=320, offset=offset))


def _largest(values: Iterable[tuple[str, float | None]]) -> list[str]:
    """The names with the largest sums, the largest first."""
    total: dict[str, float] = defaultdict(float)
    for name, value in values:
        total[name] += abs(value) if value is not None else 0
    return sorted(total, key=lambda name: -total[name])[:MOST_SERIES]


def _alone(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows with a value whose neighbours in the same line have none."""
    around = [None, *rows, None]
    return [
        row
        for before, row, after in zip(around, rows, around[2:], strict=False)
        if all(n is None or n["series"] != row["series"] or n["y"] is None for n in (before, after))
    ]


def _named(
    rows: Sequence[Mapping[str, Any]], width: float, height: float
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Points at the outer edge that get their name in the picture: those with it at their right, and those at their left.

    A name stands on the side where the picture has most room, or on the other, and is left out where it would cover a point
    or another name on both.
    """
    low, high = ({key: f(row[key] for row in rows) for key in "xy"} for f in (min, max))
    low = {key: 0 if _is_from_zero(low[key], high[key]) else low[key] for key in "xy"}
    places = [
        tuple((row[key] - low[key]) / max(high[key] - low[key], 1e-9) * size for key, size in (("x", width), ("y", height)))
        for row in rows
    ]
    far = [i for axis in (0, 1) for i in sorted(range(len(rows)), key=lambda i: -places[i][axis])[:MOST_NAMED]]
    named: dict[bool, list[Mapping[str, Any]]] = {True: [], False: []}
    taken: list[tuple[float, float, float, float]] = []
    for i in dict.fromkeys(far):
        x, y = places[i]
        length = _NAME_PX * len(rows[i]["name"])
        for is_right in (x < width / 2, x >= width / 2):
            left = x + _NAME_AWAY if is_right else x - _NAME_AWAY - length
            box = (left, y + 2, left + length, y + 16)
            points = [(a - _DOT, b - _DOT, a + _DOT, b + _DOT) for j, (a, b) in enumerate(places) if j != i]
            if 0 <= left <= width - length and not any(_overlap(box, other) for other in (*taken, *points)):
                taken.append(box)
                named[is_right].append(rows[i])
                break
    return named[True], named[False]


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Whether two boxes (left, bottom, right, top) cover each other somewhere."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _fitting(number: Column) -> alt.Scale:
    """From zero, unless the values lie so far from it that the points would crowd in a corner."""
    held = [v for v in number.values if v is not None]
    return alt.Scale(zero=_is_from_zero(min(held), max(held)), nice=True)


def _is_from_zero(low: float, high: float) -> bool:
    return low >= 0 and low < 0.4 * high


def _is_first_of_month(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime) and value.day == 1


def _place(value: Any, are_months: bool) -> Any:
    return value.year * 12 + value.month if are_months else value
