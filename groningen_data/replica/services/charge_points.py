"""NDW's file of public charge points: https://opendata.ndw.nu/charging_point_locations_ocpi.json.gz.

A plain file: it is not sent again to who has it, and in parts to who asks for them.
"""

import gzip
import hashlib
import json
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from groningen_data.replica.documents import document
from groningen_data.replica.world import Service, World
from groningen_data.sources.charge_points import FILE, SOURCE


def _routes(world: World) -> Sequence[BaseRoute]:
    async def locations(request: Request) -> Response:
        files = world.files(SOURCE)
        if not files:
            return Response("Not Found", 404)
        body = files[0].read_bytes()
        is_doubled, is_reversed = (world.fault(request, kind) for kind in ("duplicate_pages", "out_of_order"))
        if is_doubled or is_reversed:
            found = json.loads(gzip.decompress(body)) * (2 if is_doubled else 1)
            body = gzip.compress(json.dumps(found[::-1] if is_reversed else found).encode(), mtime=0)
        return document(request, body, hashlib.sha256(body).hexdigest()[:16], world.now, "application/gzip")

    return [Route(f"/{FILE}", locations)]


SERVICE = Service(hosts=("opendata.ndw.nu",), routes=_routes)
