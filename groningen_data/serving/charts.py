"""Charts of answers: the fitting kind chosen from the columns, written as a picture and as a page that loads nothing from elsewhere.

Every figure comes through the analysts' locked path, so a chart shows exactly what `groningen sql` would print.
"""

import html
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import altair as alt
import vl_convert

from groningen_data.serving.chart_columns import Answer, Column, Language, looked_up, read_answer
from groningen_data.serving.chart_map import Outline, coordinates, neighbourhood_map, places_map
from groningen_data.serving.chart_marks import NEEDS, Picture, bars, lines, points, wrapped
from groningen_data.serving.query import QueryError

if TYPE_CHECKING:
    from groningen_data.settings import Settings

Kind = Literal["auto", "line", "bar", "map", "point"]

_VERSION = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_PIXELS = 2.0
_TABLE_ROWS = 500
_OUTLINES_SQL = """
SELECT neighbourhood_code, neighbourhood_name, centre_longitude, centre_latitude, outline_geojson FROM reference_neighbourhoods
"""
_LICENCE_SQL = "SELECT licence FROM dictionary.tables WHERE name = 'reference_neighbourhoods'"
_LOCALES: dict[Language, Literal["nl-NL", "en-GB"]] = {"nl": "nl-NL", "en": "en-GB"}
_WORDS: dict[Language, dict[str, str]] = {
    "nl": {
        "source": "Bron: {0}, gemeente {1}; stand van {2}.",
        "answer": "antwoord op een vraag",
        "sample": "Verzonnen cijfers van de voorbeeldstad.",
        "outlines": "Omtrekken: {0}.",
        "protected": "Aantallen personen zijn afgerond; kleine en herleidbare aantallen zijn weggelaten.",
        "question": "De vraag",
        "figures": "De cijfers",
        "missing": "geen cijfer",
        "cut": "De eerste {0} van {1} rijen.",
        "save_svg": "Bewaren als SVG",
        "save_png": "Bewaren als PNG",
    },
    "en": {
        "source": "Source: {0}, municipality {1}; as of {2}.",
        "answer": "answer to a question",
        "sample": "Made-up figures of the sample city.",
        "outlines": "Outlines: {0}.",
        "protected": "Counts of people are rounded; small and telling ones are left out.",
        "question": "The question",
        "figures": "The figures",
        "missing": "no figure",
        "cut": "The first {0} of {1} rows.",
        "save_svg": "Save as SVG",
        "save_png": "Save as PNG",
    },
}
_MONTHS: dict[Language, list[str]] = {
    "nl": vl_convert.get_time_format_locale("nl-NL")["months"],
    "en": vl_convert.get_time_format_locale("en-GB")["months"],
}
# The policy makes a browser refuse whatever a page would load from another host; Vega needs to compile its expressions.
_PAGE = Template("""<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:">
<title>$title</title>
<style>
body { font-family: $font; color: #333; margin: 1.5rem; }
pre { white-space: pre-wrap; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { text-align: left; padding: 0.15rem 0.8rem 0.15rem 0; border-bottom: 1px solid #ddd; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<div id="chart" role="img" aria-label="$title"></div>
<details><summary>$figures_title</summary>$figures</details>
<details><summary>$question_title</summary><pre>$question</pre></details>
<script>$library</script>
<script>vegaEmbed("#chart", $spec, $options);</script>
</body>
</html>
""")


@dataclass(frozen=True)
class Chart:
    """A chart that is ready to be written.

    Args:
        spec: The Vega-Lite specification, with all its data.
        title: What it shows.
        sql: The question.
        answer: The figures.
        notes: What is left out, in sentences.
    """

    spec: dict[str, Any]
    title: str
    sql: str
    answer: Answer
    notes: tuple[str, ...]

    def png(self) -> bytes:
        """The picture."""
        locale = _LOCALES[self.answer.language]
        return vl_convert.vegalite_to_png(
            self.spec,
            vl_version=_VERSION,
            scale=_PIXELS,
            format_locale=locale,
            time_format_locale=locale,
            allowed_base_urls=[],
        )

    def page(self) -> str:
        """One HTML file with the chart, its figures and its question; it loads nothing, from anywhere."""
        language = self.answer.language
        words = _WORDS[language]
        options = {
            "mode": "vega-lite",
            "renderer": "svg",
            "actions": {"export": True, "source": False, "compiled": False, "editor": False},
            "i18n": {"SVG_ACTION": words["save_svg"], "PNG_ACTION": words["save_png"]},
            "formatLocale": vl_convert.get_format_locale(_LOCALES[language]),
            "timeFormatLocale": vl_convert.get_time_format_locale(_LOCALES[language]),
        }
        return _PAGE.substitute(
            language=language,
            title=html.escape(self.title),
            font=_FONT,
            library=_library(),
            spec=_in_script(self.spec),
            options=_in_script(options),
            figures_title=words["figures"],
            figures=_table(self.answer),
            question_title=words["question"],
            question=html.escape(self.sql.strip()),
        )

    def write(self, out: Path) -> list[Path]:
        """Write `<out>.html` and `<out>.png`; an ending of either kind in `out` is taken for the name of both."""
        stem = out.with_suffix("") if out.suffix in (".html", ".png") else out
        page, picture = stem.with_name(f"{stem.name}.html"), stem.with_name(f"{stem.name}.png")
        page.write_text(self.page(), encoding="utf-8")
        picture.write_bytes(self.png())
        return [page, picture]


def draw(
    settings: "Settings",
    sql: str,
    at: datetime | None = None,
    kind: Kind = "auto",
    title: str | None = None,
    language: Language = "nl",
) -> Chart:
    """Draw the answer to a question.

    Args:
        settings: Where the serving database is, and the limits on time, memory and rows.
        sql: As for `groningen sql`.
        at: Draw the state at this instant.
        kind: What to draw; `auto` chooses by the columns.
        title: The title; made from the titles of the columns when not given.
        language: Of titles, words and numbers.

    Raises:
        QueryError: As `query` raises it, or the answer does not fit the kind of chart; the message says what it needs.
    """
    answer = read_answer(settings, sql, at, language)
    chosen = _fitting_kind(answer) if kind == "auto" else kind
    drawing: dict[str, Callable[[Answer], Picture]] = {
        "line": lines,
        "bar": bars,
        "point": points,
        "map": lambda answer: (places_map if coordinates(answer) else neighbourhood_map)(answer, _outlines(settings, at)),
    }
    picture = drawing[chosen](answer)
    licence = looked_up(settings, _LICENCE_SQL, at)[0][0] if chosen == "map" else None
    shown_title = title or ", ".join([picture.title, *_month(answer, picture.used)])
    below = [*_context(answer, picture.used), *picture.notes, *_provenance(settings, answer, picture.used, licence)]
    chart = picture.chart.properties(
        title=alt.TitleParams(wrapped(shown_title, 76), subtitle=_filled(below), anchor="start", offset=14, frame="bounds")
    )
    spec = chart.configure(font=_FONT, background="white", padding=18).to_dict() | {"description": shown_title}
    spec["config"] |= _LOOK
    del spec["$schema"]
    return Chart(spec, shown_title, sql, answer, tuple(picture.notes))


_LOOK: dict[str, Any] = {
    "title": {"fontSize": 18, "fontWeight": "bold", "color": "#222", "subtitleFontSize": 12, "subtitleColor": "#555"}
    | {"subtitleLineHeight": 17, "subtitlePadding": 8},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titleColor": "#333", "labelColor": "#333"}
    | {"gridColor": "#e6e6e6", "domainColor": "#999", "tickColor": "#999", "titlePadding": 10},
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titleColor": "#333"}
    | {"labelColor": "#333", "rowPadding": 5, "titleLimit": 300},
    "view": {"stroke": None},
}


def _fitting_kind(answer: Answer) -> Kind:
    numbers = answer.having("number")
    names = answer.having("name", "neighbourhood")
    runs = [c for c in answer.having("time", "ordered") if c.distinct > 1]
    if coordinates(answer):
        return "map"
    if numbers and runs:
        return "line"
    if numbers and answer.having("neighbourhood"):
        return "map"
    if len(numbers) >= 2:
        return "point"
    if numbers and names:
        return "bar"
    if numbers and answer.having("time", "ordered"):
        return "line"
    raise QueryError("groningen chart", f"no chart fits; the answer has {answer.described()}", NEEDS)


def _outlines(settings: "Settings", at: datetime | None) -> dict[str, Outline]:
    return {
        code: Outline(name, (longitude, latitude), json.loads(shape))
        for code, name, longitude, latitude, shape in looked_up(settings, _OUTLINES_SQL, at)
    }


def _month(answer: Answer, used: Sequence[Column]) -> list[str]:
    """The month that all figures are of, where the answer names one."""
    months = [c.values[0] for c in answer.having("time") if c.name == "month" and c not in used and c.distinct == 1]
    return [f"{_MONTHS[answer.language][month.month - 1]} {month.year}" for month in months if month]


def _context(answer: Answer, used: Sequence[Column]) -> list[str]:
    """What else holds for the whole chart: columns that are not drawn and have one value."""
    told = [
        f"{column.title}: {_told(column.values[0], answer.language)}"
        for column in answer.having("time", "ordered", "name")
        if column not in used and column.name != "month" and column.distinct == 1 and column.values[0] is not None
    ]
    return [f"{' · '.join(told)}."] if told else []


def _provenance(settings: "Settings", answer: Answer, used: Sequence[Column], licence: str | None) -> list[str]:
    words = _WORDS[answer.language]
    day = answer.as_of.astimezone(ZoneInfo(settings.timezone))
    source = ", ".join(answer.tables) or words["answer"]
    sentences = [words["protected"]] if any(column.is_protected for column in used) else []
    sentences.append(words["source"].format(source, answer.municipality_code, _told(day, answer.language)))
    if licence:
        sentences.append(words["outlines"].format(licence))
    if answer.is_sample:
        sentences.append(words["sample"])
    return sentences


def _told(value: Any, language: Language) -> str:
    return f"{value.day} {_MONTHS[language][value.month - 1]} {value.year}" if isinstance(value, date) else str(value)


def _filled(sentences: Sequence[str], width: int = 105) -> list[str]:
    """Sentences as lines, several to a line where they fit."""
    found: list[str] = []
    for sentence in sentences:
        if found and len(found[-1]) + len(sentence) < width:
            found[-1] += f" {sentence}"
        else:
            found.append(sentence)
    return found


@cache
def _library() -> str:
    """The JavaScript that draws, as it may stand inside a page."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", _VERSION).replace("</script", "<\\/script")


def _table(answer: Answer) -> str:
    words = _WORDS[answer.language]
    head = "".join(f"<th>{html.escape(column.label)}</th>" for column in answer.columns)
    body = "".join(
        f"<tr>{''.join(_cell(column, column.values[row], words['missing']) for column in answer.columns)}</tr>"
        for row in range(min(answer.rows, _TABLE_ROWS))
    )
    cut = f"<p>{words['cut'].format(_TABLE_ROWS, answer.rows)}</p>" if answer.rows > _TABLE_ROWS else ""
    return f"{cut}<table><tr>{head}</tr>{body}</table>"


def _cell(column: Column, value: Any, missing: str) -> str:
    if value is None:
        return f"<td>{missing if column.role in ('number', 'empty') else ''}</td>"
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"<td{' class=number' if column.role == 'number' else ''}>{html.escape(text)}</td>"


def _in_script(value: Any) -> str:
    """JSON that cannot end the script it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
