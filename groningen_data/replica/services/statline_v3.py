"""CBS StatLine over OData version 3: https://opendata.cbs.nl/ODataApi, its feed /ODataFeed for bulk, and the catalogue /ODataCatalog.

As observed of the real service: more than 10,000 rows are refused with status 500, except on the feed, which pages and links with
`odata.nextLink`; a filter on a column of figures, `$top` above 5,000 and, on some tables, `$skip` are status 500; a range of
WijkenEnBuurten is not kept to; keys are padded, and one that is padded otherwise finds nothing, with status 200. The feed speaks Atom
unless JSON is asked for.
"""

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from groningen_data.replica.odata import FUNCTIONS_3, Filter, FilterError
from groningen_data.replica.statline import Rows, Table, Tables
from groningen_data.replica.world import Service, World

MOST = 10_000
"""Rows in one answer at most; a page of the feed."""
MOST_TOP = 5_000
WITHOUT_SKIP = ("86113NED",)
"""Tables of which a part cannot be skipped."""

_JSON = "application/json;odata=minimalmetadata;streaming=true;charset=utf-8"
_HEADERS = {"DataServiceVersion": "3.0;"}
_FIGURES = ("TypedDataSet", "UntypedDataSet")
_UNKEPT = ("WijkenEnBuurten",)
_WIDTH = 8


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def _routes(world: World) -> Sequence[BaseRoute]:
    tables = Tables(world)

    def known() -> dict[str, Table]:
        return {name: table for name, table in tables.all().items() if table.version == "v3"}

    def root(request: Request) -> str:
        path = request.url.path
        table = request.path_params["table"]
        return f"{request.url.scheme}://{request.url.netloc}{path[: path.index(table) + len(table)]}"

    def service(request: Request) -> Response:
        table = known().get(request.path_params["table"].upper())
        if table is None:
            return _refused(404, "Resource not found for the segment.")
        names = [*_FIGURES, *(part for part in table.parts if part not in _FIGURES)]
        listed = [{"name": name, "url": f"{root(request)}/{name}"} for name in names]
        return _json({"odata.metadata": f"{root(request)}/$metadata", "value": listed})

    def part(request: Request) -> Response:
        table, asked = known().get(request.path_params["table"].upper()), request.path_params["part"]
        rows = _rows(table, asked) if table else None
        if table is None or rows is None:
            return _refused(404, f"Resource not found for the segment '{asked}'.")
        try:
            return answer(request, table.name, asked, rows)
        except _RefusedError as error:
            return _refused(error.status, error.message)

    def answer(request: Request, table: str, asked: str, rows: Rows) -> Response:
        query, is_feed = request.query_params, "/ODataFeed/" in request.url.path
        found = _filtered(query.get("$filter"), rows, asked)
        start, top = _number(query.get("$skip"), 0), _number(query.get("$top"), len(found))
        if "$top" in query and top > MOST_TOP and not is_feed:
            raise _RefusedError(500, f"The limit of {MOST_TOP} for top is exceeded.")
        if start and table in WITHOUT_SKIP and not is_feed:
            raise _RefusedError(500, "An error occurred while processing this request.")
        last = min(start + top, len(found))
        if last - start > MOST and not is_feed:
            raise _RefusedError(500, f"The query returns more than {MOST} records. Use the feed for larger results.")
        end = min(start + MOST, last)
        shown, link_at = found[start:end], end
        is_twice = "$skiptoken" not in query and world.fault(request, "duplicate_pages") is not None
        if is_twice:
            # A page that was served already comes once more, on the way to the one that was asked for.
            if start >= MOST:
                shown, link_at = found[start - MOST : start], start
            else:
                shown, is_twice = shown + shown[: len(shown) // 2], False
        if world.fault(request, "out_of_order"):
            shown = shown[::-1]
        if "$select" in query:
            columns = [column.strip() for column in query["$select"].split(",")]
            shown = [{column: row[column] for column in columns if column in row} for row in shown]
        if is_feed and query.get("$format") != "json" and "application/json" not in request.headers.get("accept", ""):
            return _atom(root(request), asked, shown)
        body: dict[str, Any] = {"odata.metadata": f"{root(request)}/$metadata#Cbs.OData.WebAPI.{asked}", "value": shown}
        if link_at < last or is_twice:
            url = request.url.remove_query_params("$skiptoken").include_query_params(**{"$skip": link_at})
            body["odata.nextLink"] = str(url.include_query_params(**{"$skiptoken": 1}) if is_twice else url)
        return _json(body)

    def catalogue(request: Request) -> Response:
        path = request.url.path
        host = f"{request.url.scheme}://{request.url.netloc}{path[: path.index('/OData')]}"
        rows = [
            {
                **{key: value for key, value in table.facts.items() if key not in ("RecordCount", "ColumnCount")},
                "Updated": table.facts["Modified"],
                "ApiUrl": f"{host}/ODataApi/OData/{name}",
                "FeedUrl": f"{host}/ODataFeed/OData/{name}",
                "RecordCount": len(table.parts["TypedDataSet"]),
                "ColumnCount": len(table.parts["TypedDataSet"][0]),
            }
            for name, table in known().items()
        ]
        try:
            found = _filtered(request.query_params.get("$filter"), rows, "Tables")
        except _RefusedError as error:
            return _refused(error.status, error.message)
        return _json({"odata.metadata": f"{host}/ODataCatalog/$metadata#Tables", "value": found})

    return [
        Route("/ODataCatalog/Tables", catalogue),
        *(
            route
            for folder in ("ODataApi", "ODataFeed")
            for name in ("odata", "OData")
            for route in (
                Route(f"/{folder}/{name}/{{table}}", service),
                Route(f"/{folder}/{name}/{{table}}/{{part}}", part),
            )
        ),
    ]


def _rows(table: Table, asked: str) -> Rows | None:
    if asked == "UntypedDataSet":
        return [{key: _as_text(key, value) for key, value in row.items()} for row in table.parts["TypedDataSet"]]
    return table.parts.get(asked)


def _as_text(key: str, value: Any) -> Any:
    if key == "ID" or isinstance(value, str):
        return value
    return ("." if value is None else str(value)).rjust(_WIDTH)


def _filtered(text: str | None, rows: Rows, asked: str) -> Rows:
    if text is None:
        return rows
    columns = {key for row in rows for key in row}
    try:
        read = Filter(text, columns, FUNCTIONS_3, _UNKEPT)
    except FilterError as error:
        raise _RefusedError(400, str(error)) from None
    if asked in _FIGURES and any("_" in column for column in read.used):
        raise _RefusedError(500, "An error occurred while processing this request.")
    return [row for row in rows if read.keeps(row)]


def _number(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not text.isdecimal():
        raise _RefusedError(400, f"'{text}' is no number of rows.")
    return int(text)


def _json(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers=_HEADERS, media_type=_JSON)


def _refused(status: int, message: str) -> Response:
    error = {"odata.error": {"code": "", "message": {"lang": "nl-NL", "value": message}}}
    return JSONResponse(error, status, headers=_HEADERS, media_type=_JSON)


def _atom(root: str, asked: str, rows: Rows) -> Response:
    """The rows as Atom: an entry each, with its columns as properties."""
    data = "http://schemas.microsoft.com/ado/2007/08/dataservices"
    entries = "".join(
        "<entry><content type='application/xml'><m:properties>"
        + "".join(
            f"<d:{key}>{escape(str(value))}</d:{key}>" for key, value in row.items() if value is not None and "." not in key
        )
        + "</m:properties></content></entry>"
        for row in rows
    )
    text = (
        f"<?xml version='1.0' encoding='utf-8'?><feed xmlns='http://www.w3.org/2005/Atom' xmlns:d='{data}' "
        f"xmlns:m='{data}/metadata'><id>{escape(root)}/{asked}</id><title type='text'>{asked}</title>{entries}</feed>"
    )
    return Response(text, media_type="application/atom+xml;type=feed;charset=utf-8", headers=_HEADERS)


SERVICE = Service(hosts=("opendata.cbs.nl",), routes=_routes)
