"""CBS StatLine over OData version 4: https://datasets.cbs.nl/odata/v1/CBS, a service per table, and the bulk download of a table.

OASIS, OData JSON Format 4.01. An answer holds 100,000 observations and links to the next; cells without a figure are left out.
As observed of the real service: `$metadata` is refused (406) unless XML is asked for, `$count` begins with a byte-order mark, `$search`
is accepted and does nothing, and a discontinued table still has metadata but no observations (404). The sample city plays the
last with its table of version 3.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from groningen_data.replica.odata import FUNCTIONS_4, Filter, FilterError
from groningen_data.replica.statline import Rows, Table, Tables
from groningen_data.replica.world import Service, World

PAGE = 100_000
"""Observations in one answer at most."""
DISCONTINUED = ("85984NED",)
"""Tables with metadata but without observations in this version."""

_JSON = "application/json; odata.metadata=minimal; odata.streaming=true"
_HEADERS = {"OData-Version": "4.0"}
_SINGLETON = "Properties"


def _routes(world: World) -> Sequence[BaseRoute]:
    tables = Tables(world)

    def known() -> dict[str, Mapping[str, Rows]]:
        """The parts of each table that this version knows."""
        found = {}
        for name, table in tables.all().items():
            if table.version == "v4":
                found[name] = table.parts
            elif name in DISCONTINUED:
                found[name] = _metadata_of(table)
        return found

    def root(request: Request) -> str:
        """The address of the catalogue's folder, as it was asked."""
        path = request.url.path
        return f"{request.url.scheme}://{request.url.netloc}{path[: path.index('/odata/v1') + len('/odata/v1')]}"

    def catalogue(request: Request) -> Response:
        names = ("Identifier", "Title", "Description", "Language", "Catalog", "Version", "Status", "Modified", "ObservationCount")
        rows = []
        for name, parts in known().items():
            facts = {key: value for key, value in parts[_SINGLETON][0].items() if key in names}
            rows.append(facts | {"Catalog": "CBS", "DatasetType": "Numeric", "Url": f"{root(request)}/CBS/{name}"})
        return _answer(world, request, rows, f"{root(request)}/$metadata#Datasets")

    def service(request: Request) -> Response:
        name, parts = request.path_params["table"].upper(), known()
        if name not in parts:
            return _refused(404, f"dataset {name} is not there")
        listed = [{"name": p, "kind": "Singleton" if p == _SINGLETON else "EntitySet", "url": p} for p in parts[name]]
        context = f"{root(request)}/CBS/{name}/$metadata"
        return JSONResponse({"@odata.context": context, "value": listed}, headers=_HEADERS, media_type=_JSON)

    def part(request: Request) -> Response:
        name, asked = request.path_params["table"].upper(), request.path_params["part"]
        parts = known().get(name)
        if parts is None:
            return _refused(404, f"dataset {name} is not there")
        if asked == "$metadata":
            if "application/xml" not in request.headers.get("accept", ""):
                return _refused(406, "no acceptable content type")
            return Response(_edmx(name, parts), media_type="application/xml", headers=_HEADERS)
        if asked not in parts:
            return _refused(404, f"{asked} of dataset {name} is not there")
        context = f"{root(request)}/CBS/{name}/$metadata#{asked}"
        if asked == _SINGLETON:
            facts = {"@odata.context": context, **parts[asked][0]}
            return JSONResponse(facts, headers=_HEADERS, media_type=_JSON)
        return _answer(world, request, parts[asked], context, PAGE if asked == "Observations" else None)

    def count(request: Request) -> Response:
        parts = known().get(request.path_params["table"].upper(), {})
        if request.path_params["part"] not in parts:
            return _refused(404, "there is no such part")
        try:
            found = _filtered(request, parts[request.path_params["part"]])
        except FilterError as error:
            return _refused(400, str(error))
        return PlainTextResponse(f"\ufeff{len(found)}", headers=_HEADERS)

    def bulk(request: Request) -> Response:
        table = tables.all().get(request.path_params["table"].upper())
        if table is None or table.bulk is None:
            return _refused(404, "there is no such dataset")
        return FileResponse(table.bulk, media_type="application/zip", filename=table.bulk.name)

    return [
        Route("/odata/v1/Datasets", catalogue),
        Route("/odata/v1/CBS/Datasets", catalogue),
        Route("/odata/v1/CBS/{table}", service),
        Route("/odata/v1/CBS/{table}/{part}", part),
        Route("/odata/v1/CBS/{table}/{part}/$count", count),
        Route("/csv/CBS/nl/{table}", bulk),
    ]


def _answer(world: World, request: Request, rows: Rows, context: str, page: int | None = None) -> Response:
    query = request.query_params
    try:
        found = _filtered(request, rows)
        start, top = int(query.get("$skip", 0)), int(query.get("$top", len(found)))
    except (FilterError, ValueError) as error:
        return _refused(400, str(error))
    last = min(start + top, len(found))
    end = min(start + page, last) if page else last
    shown, link_at = found[start:end], end
    is_twice = "$skiptoken" not in query and world.fault(request, "duplicate_pages") is not None
    if is_twice:
        # A page that was served already comes once more, on the way to the one that was asked for.
        if page and start >= page:
            shown, link_at = found[start - page : start], start
        else:
            shown, is_twice = shown + shown[: len(shown) // 2], False
    if world.fault(request, "out_of_order"):
        shown = shown[::-1]
    if "$select" in query:
        columns = [column.strip() for column in query["$select"].split(",")]
        shown = [{column: row[column] for column in columns if column in row} for row in shown]
    body: dict[str, Any] = {"@odata.context": context}
    if query.get("$count") == "true":
        body["@odata.count"] = len(found)
    body["value"] = shown
    if link_at < last or is_twice:
        url = request.url.remove_query_params("$skiptoken").include_query_params(**{"$skip": link_at})
        if "$top" in query:
            url = url.include_query_params(**{"$top": last - link_at})
        body["@odata.nextLink"] = str(url.include_query_params(**{"$skiptoken": 1}) if is_twice else url)
    return JSONResponse(body, headers=_HEADERS, media_type=_JSON)


def _filtered(request: Request, rows: Rows) -> Rows:
    if "$filter" not in request.query_params:
        return rows
    columns = {key for row in rows for key in row}
    keeps = Filter(request.query_params["$filter"], columns, FUNCTIONS_4).keeps
    return [row for row in rows if keeps(row)]


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"error": {"code": str(status), "message": message}}, status, headers=_HEADERS, media_type=_JSON)


def _metadata_of(table: Table) -> dict[str, Rows]:
    """What version 4 still tells of a table of version 3."""
    facts = table.facts
    properties = {name: facts[name] for name in ("Identifier", "Title", "Language", "Catalog", "Modified") if name in facts}
    rows = table.parts["DataProperties"]
    dimensions = [row for row in rows if row["Type"] in ("GeoDetail", "GeoDimension", "TimeDimension", "Dimension")]
    return {
        _SINGLETON: [properties | {"Status": "Gediscontinueerd", "ObservationCount": 0}],
        "Dimensions": [
            {"Identifier": row["Key"], "Title": row["Title"], "Kind": row["Type"], "ContainsCodes": True, "ContainsGroups": False}
            for row in dimensions
        ],
        "MeasureCodes": [
            {
                "Identifier": f"M{row['ID']:06}",
                "Index": row["ID"],
                "Title": row["Title"],
                "Unit": row["Unit"],
                "MeasureGroupId": None,
            }
            for row in rows
            if row["Type"] == "Topic"
        ],
    }


def _edmx(name: str, parts: Mapping[str, Rows]) -> str:
    """The entity model (OData CSDL), with each column as text or number."""
    types, sets = [], []
    for part, rows in parts.items():
        columns = {column: value for row in rows[:200] for column, value in row.items()}
        kinds = {column: _edm(value) for column, value in columns.items()}
        listed = "".join(f"<Property Name={quoteattr(column)} Type={quoteattr(kind)}/>" for column, kind in kinds.items())
        types.append(f'<EntityType Name="{part}">{listed}</EntityType>')
        kind = "Singleton" if part == _SINGLETON else "EntitySet"
        refers = "Type" if kind == "Singleton" else "EntityType"
        sets.append(f'<{kind} Name="{part}" {refers}="Cbs.{part}"/>')
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema Namespace="Cbs" Alias={quoteattr(f"T{name}")} xmlns="http://docs.oasis-open.org/odata/ns/edm">{"".join(types)}'
        f'<EntityContainer Name="Container">{"".join(sets)}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    )


def _edm(value: object) -> str:
    if isinstance(value, bool):
        return "Edm.Boolean"
    return "Edm.Int64" if isinstance(value, int) else "Edm.Double" if isinstance(value, float) else "Edm.String"


SERVICE = Service(hosts=("datasets.cbs.nl",), routes=_routes)
