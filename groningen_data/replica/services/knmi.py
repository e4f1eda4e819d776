"""KNMI's script service of hourly and daily weather: a form by POST or GET, answered as text or JSON, without paging.

https://www.daggegevens.knmi.nl/klimatologie/uurgegevens and …/daggegevens; a station or period without data gives no rows, with
status 200, and a start after the end as well. A form without `start` means this month.
"""

import gzip
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from groningen_data.replica.world import Service, World
from groningen_data.sources.knmi import DAYS, HOURS

_WHERE_AND_WHEN = ("STN", "YYYYMMDD", "HH")


def _routes(world: World) -> Sequence[BaseRoute]:
    @cache
    def records(kind: str) -> list[dict[str, str]]:
        found = []
        for path in world.files(HOURS if kind == "uurgegevens" else DAYS):
            data = path.read_bytes()
            text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode()
            lines = text.splitlines()
            header = next(n for n, line in enumerate(lines) if line.lstrip("# ").startswith("STN,"))
            names = [name.strip() for name in lines[header].lstrip("# ").split(",")]
            rows = [line.split(",") for line in lines[header + 1 :] if line.strip() and not line.startswith("#")]
            found += [dict(zip(names, (v.strip() for v in row), strict=False)) for row in rows]
        return found

    async def answer(request: Request) -> Response:
        kind = request.url.path.rsplit("/", 1)[-1]
        asked = {**dict(request.query_params), **dict(parse_qsl((await request.body()).decode()))}
        first, last = _moment(asked.get("start"), world.now, "01"), _moment(asked.get("end"), world.now, "24")
        stations = set(asked.get("stns", "ALL").split(":"))
        wanted = [r for r in records(kind) if first <= _when(r) <= last and ("ALL" in stations or r["STN"] in stations)]
        chosen = asked.get("vars", "ALL").split(":")
        names = [n for n in (wanted[0] if wanted else ()) if n in _WHERE_AND_WHEN or "ALL" in chosen or n in chosen]
        if world.fault(request, "out_of_order"):
            wanted = wanted[::-1]
        if world.fault(request, "duplicate_pages"):
            wanted = wanted + wanted[: len(wanted) // 2]
        if asked.get("fmt") == "json":
            return JSONResponse([_as_json(r, names) for r in wanted])
        legend = "# BRON: KONINKLIJK NEDERLANDS METEOROLOGISCH INSTITUUT (KNMI)\n"
        lines = [",".join(r[n].rjust(5) for n in names) for r in wanted]
        return PlainTextResponse(f"{legend}# {','.join(names)}\n" + "\n".join(lines) + "\n")

    return [Route(f"/klimatologie/{kind}", answer, methods=["GET", "POST"]) for kind in ("uurgegevens", "daggegevens")]


def _when(record: dict[str, str]) -> str:
    return record["YYYYMMDD"] + (record["HH"].zfill(2) if "HH" in record else "")


def _moment(text: str | None, now: datetime, hour: str) -> str:
    if not text:
        return f"{now:%Y%m}01" if hour == "01" else f"{now:%Y%m%d}{hour}"
    return text if len(text) >= 10 else text + (hour if hour == "24" else "")


def _as_json(record: dict[str, str], names: list[str]) -> dict[str, object]:
    found: dict[str, object] = {"station_code": int(record["STN"])}
    day = record["YYYYMMDD"]
    found["date"] = f"{day[:4]}-{day[4:6]}-{day[6:]}T00:00:00.000Z"
    if "HH" in record:
        found["hour"] = int(record["HH"])
    found |= {n: int(record[n]) if record[n] else None for n in names if n not in _WHERE_AND_WHEN}
    return found


SERVICE = Service(hosts=("www.daggegevens.knmi.nl",), routes=_routes)
