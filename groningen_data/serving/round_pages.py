"""A page to print and a GeoJSON file for each proposed collection round, from the served tables.

A page is one sheet of A4 for the crew: the stops in order, and a sketch of the way. It loads nothing from elsewhere, and has no
address: containers are known by their code and neighbourhood. The lines between stops are straight: they show the order, not the
road.
"""

import html
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from string import Template
from typing import TYPE_CHECKING, Any

import vl_convert

from groningen_data.serving.query import query

if TYPE_CHECKING:
    from groningen_data.settings import Settings

Row = Mapping[str, Any]

_CALLS_SQL = """
SELECT p.*, n.neighbourhood_name
FROM collection_plan p LEFT JOIN reference_neighbourhoods n USING (neighbourhood_code)
ORDER BY round_code, call_number
"""
_OUTLINES_SQL = "SELECT outline_geojson FROM reference_neighbourhoods ORDER BY neighbourhood_code"
_FRACTIONS = {
    "residual": "restafval",
    "paper": "papier",
    "glass": "glas",
    "plastic": "plastic en drankkartons",
    "organic": "gft",
    "textile": "textiel",
}
_MARKS = {"overflow_likely": "●", "overflow_possible": "◐", "on_the_way": "○", "fixed_day": "□"}
_MEANINGS = {
    "overflow_likely": "waarschijnlijk overvol voor de volgende route",
    "overflow_possible": "mogelijk overvol",
    "on_the_way": "ligt op de weg",
    "fixed_day": "vaste dag: vulgraad niet bekend",
}
_PLACES = {"tipping": "Stortlocatie", "depot": "Depot"}
_CALENDAR = vl_convert.get_time_format_locale("nl-NL")

_WIDTH, _HEIGHT, _MARGIN = 720.0, 330.0, 22.0
# What fits on one sheet, also with a font that stands in for the one asked for.
_ROWS_IN_TWO_COLUMNS = 94
_NAME_LENGTH = {2: 24, 3: 20}
_COLOURS = {"overflow_likely": "#b3261e", "overflow_possible": "#e08a00", "on_the_way": "#4f7cac", "fixed_day": "#777777"}

_PAGE = Template("""<!doctype html>
<html lang="nl">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$title</title>
<style>
@page { size: A4 portrait; margin: 9mm; }
body { font-family: "Liberation Sans", Arial, Helvetica, sans-serif; color: #222; margin: 0 auto; max-width: 192mm; font-size: 8pt; }
h1 { font-size: 13pt; margin: 0 0 1mm 0; }
p { margin: 0 0 1.5mm 0; }
svg { display: block; width: 100%; height: auto; border: 0.3mm solid #ccc; margin-bottom: 2mm; }
.stops { columns: $columns; column-gap: 5mm; }
.stop { display: grid; grid-template-columns: 4.2ch 6ch 1.8ch 6.5ch 1fr 5ch; break-inside: avoid; line-height: 1.22;
  border-bottom: 0.1mm solid #ddd; font-size: $size; white-space: nowrap; }
.stop > * { overflow: hidden; }
.stop .n, .stop .f { text-align: right; padding-right: 0.6ch; font-variant-numeric: tabular-nums; }
.head > *, .other > * { font-weight: bold; }
.other { background: #eee; }
.note { color: #555; margin-top: 2mm; font-size: 7pt; }
</style>
</head>
<body>
<h1>$title</h1>
<p>$summary</p>
$sketch
<div class="stops">
$stops
</div>
<p class="note">$legend<br>$note</p>
</body>
</html>
""")


def pages(settings: "Settings") -> dict[str, str]:
    """For each proposed round a page (`route-….html`) and a GeoJSON file (`route-….geojson`), by name.

    Raises:
        QueryError: Nothing was published yet.
    """
    result = query(settings, _CALLS_SQL)
    rounds: dict[str, list[dict[str, Any]]] = {}
    for values in result.rows:
        row = dict(zip(result.columns, values, strict=True))
        rounds.setdefault(row["round_code"], []).append(row)
    outlines = [json.loads(outline) for (outline,) in query(settings, _OUTLINES_SQL).rows if outline] if rounds else []
    made: dict[str, str] = {}
    for code, calls in rounds.items():
        made[f"route-{code}.html"] = page(calls, outlines, is_sample=settings.is_sample)
        made[f"route-{code}.geojson"] = geojson(calls)
    return made


def page(calls: Sequence[Row], outlines: Sequence[Row], *, is_sample: bool) -> str:
    """The sheet of one round.

    Args:
        calls: Rows of `collection_plan` with `neighbourhood_name`, in order.
        outlines: GeoJSON geometries of neighbourhoods, drawn beneath the way.
        is_sample: Whether the containers are made up.
    """
    first, columns = calls[0], 2 if len(calls) <= _ROWS_IN_TWO_COLUMNS else 3
    stops = [call for call in calls if call["call_kind"] == "container"]
    kilometres = sum(call["distance_m"] for call in calls) / 1000
    load = sum(call["load_kg"] or 0 for call in calls)
    tippings = sum(call["call_kind"] == "tipping" for call in calls)
    fraction = _FRACTIONS.get(first["fraction_code"], first["fraction_code"])
    summary = (
        f"{len(stops)} containers · {_number(kilometres, 1)} km · ongeveer {_number(load / 1000, 1)} ton "
        f"(laadvermogen {_number(first['capacity_kg'] / 1000, 1)} ton, {tippings} keer storten) · "
        f"eerste stop {calls[0]['arrival_local_time']}, terug {calls[-1]['arrival_local_time']}"
    )
    used = [code for code in _MARKS if any(call["stop_reason_code"] == code for call in calls)]
    origin = "afstanden geschat uit rechte lijnen" if first["distance_origin"] == "straight_line" else "afstanden over de weg"
    note = f"Voorstel: de planner beslist. Lijnen tonen de volgorde, niet de weg; {origin}."
    return _PAGE.substitute(
        title=html.escape(f"Route {first['vehicle_code']}, {fraction}, {_day(first['planned_on'])}"),
        summary=html.escape(summary),
        sketch=sketch(calls, outlines),
        columns=columns,
        size="7.4pt" if columns == 2 else "6.2pt",
        stops="\n".join([_HEAD, *(_stop(call, _NAME_LENGTH[columns]) for call in calls)]),
        legend=" &nbsp; ".join(f"{_MARKS[code]} {_MEANINGS[code]}" for code in used),
        note=note + (" Verzonnen containers van de voorbeeldstad." if is_sample else ""),
    )


def sketch(calls: Sequence[Row], outlines: Sequence[Row]) -> str:
    """The way as inline SVG: neighbourhoods, the line from stop to stop, and the stops with their order."""
    squeeze = math.cos(math.radians(calls[0]["latitude"]))
    flat = [(call["longitude"] * squeeze, -call["latitude"]) for call in calls]
    west, east = min(x for x, _ in flat), max(x for x, _ in flat)
    north, south = min(y for _, y in flat), max(y for _, y in flat)
    scale = min((_WIDTH - 2 * _MARGIN) / max(east - west, 1e-6), (_HEIGHT - 2 * _MARGIN) / max(south - north, 1e-6))
    left, top = (_WIDTH - (east - west) * scale) / 2, (_HEIGHT - (south - north) * scale) / 2

    def placed(x: float, y: float) -> tuple[float, float]:
        return round((x - west) * scale + left, 1), round((y - north) * scale + top, 1)

    points = [placed(x, y) for x, y in flat]
    parts = [f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" aria-label="Schets van de route">']
    for outline in outlines:
        for ring in _rings(outline):
            drawn = [placed(x * squeeze, -y) for x, y in ring]
            if any(0 <= x <= _WIDTH and 0 <= y <= _HEIGHT for x, y in drawn):
                parts.append(f'<polygon points="{_points(drawn)}" fill="#f6f6f3" stroke="#d8d8d2" stroke-width="0.7"/>')
    # The way begins at the depot, where it also ends.
    way = [points[-1], *points]
    parts.append(f'<polyline points="{_points(way)}" fill="none" stroke="#555" stroke-width="1.1" stroke-linejoin="round"/>')
    for call, (x, y) in zip(calls, points, strict=True):
        if call["call_kind"] == "container":
            colour = _COLOURS[call["stop_reason_code"]]
            parts.append(f'<circle cx="{x}" cy="{y}" r="2.6" fill="{colour}" stroke="#fff" stroke-width="0.6"/>')
    told = {call["call_kind"]: place for call, place in zip(calls, points, strict=True) if call["call_kind"] in _PLACES}
    for kind, (x, y) in told.items():
        parts.append(f'<rect x="{x - 4}" y="{y - 4}" width="8" height="8" fill="#222"/>')
        parts.append(_label(x, y - 7, _PLACES[kind], 9.5))
    every = 5 if len(calls) > 30 else 1
    for call, (x, y) in zip(calls, points, strict=True):
        if call["call_kind"] == "container" and (call["call_number"] == 1 or call["call_number"] % every == 0):
            parts.append(_label(x + 6, y - 3, str(call["call_number"]), 8.5))
    return "".join([*parts, "</svg>"])


def geojson(calls: Sequence[Row]) -> str:
    """A round as GeoJSON (RFC 7946): its calls as points, and a line through them from the depot and back."""
    places = [[call["longitude"], call["latitude"]] for call in calls]
    first = calls[0]
    line = {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [places[-1], *places]},
        "properties": {
            "round_code": first["round_code"],
            "vehicle_code": first["vehicle_code"],
            "fraction_code": first["fraction_code"],
            "planned_on": str(first["planned_on"]),
            "distance_km": round(sum(call["distance_m"] for call in calls) / 1000, 3),
            "line": "order of the calls, not the road",
        },
    }
    points = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": place},
            "properties": {name: _plain(call[name]) for name in _PROPERTIES},
        }
        for call, place in zip(calls, places, strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": [line, *points]}, ensure_ascii=False, indent=1) + "\n"


_PROPERTIES = (
    "call_number",
    "call_kind",
    "container_code",
    "neighbourhood_code",
    "arrival_at",
    "arrival_local_time",
    "expected_fill_pct",
    "load_kg",
    "load_so_far_kg",
    "overflow_probability",
    "stop_reason_code",
)
_HEAD = (
    '<div class="stop head"><span class="n">nr</span><span>tijd</span><span></span><span>code</span>'
    '<span>buurt</span><span class="f">vol</span></div>'
)


def _stop(call: Row, longest: int) -> str:
    if call["call_kind"] != "container":
        name = _PLACES[call["call_kind"]]
        return (
            f'<div class="stop other"><span class="n">{call["call_number"]}</span><span>{call["arrival_local_time"]}</span>'
            f"<span></span><span></span><span>{name}</span><span></span></div>"
        )
    name = str(call["neighbourhood_name"] or "")
    shown = name if len(name) <= longest else f"{name[: longest - 1]}…"
    fill = "–" if call["expected_fill_pct"] is None else f"{call['expected_fill_pct']:.0f}%"
    return (
        f'<div class="stop"><span class="n">{call["call_number"]}</span><span>{call["arrival_local_time"]}</span>'
        f"<span>{_MARKS[call['stop_reason_code']]}</span><span>{html.escape(str(call['container_code']))}</span>"
        f'<span>{html.escape(shown)}</span><span class="f">{fill}</span></div>'
    )


def _rings(geometry: Row) -> Iterator[Sequence[Sequence[float]]]:
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for part in parts:
        yield part[0]


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)


def _label(x: float, y: float, text: str, size: float) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="middle" fill="#111" stroke="#fff" stroke-width="2.2" '
        f'paint-order="stroke">{html.escape(text)}</text>'
    )


def _number(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".replace(".", ",")


def _day(day: date) -> str:
    return f"{_CALENDAR['days'][day.isoweekday() % 7]} {day.day} {_CALENDAR['months'][day.month - 1]} {day.year}"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    return value if value is None or isinstance(value, int | str) else value.isoformat()
