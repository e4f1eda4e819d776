"""The replica as one application: every service below the name of its host, the switches of the faults at
`/_replica/faults`, and the clock at `/_replica/clock`."""

import importlib
import pkgutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route

from groningen_data.errors import GroningenError, SettingsError
from groningen_data.replica import services
from groningen_data.replica.faults import Fault, Faults, FaultsMiddleware
from groningen_data.replica.world import Clock, Service, World
from groningen_data.settings import Settings


def all_services() -> list[Service]:
    """Every service there is a module for."""
    modules = [importlib.import_module(f"{services.__name__}.{m.name}") for m in pkgutil.iter_modules(services.__path__)]
    return [module.SERVICE for module in modules]


def build(settings: Settings, faults: Faults | None = None) -> Starlette:
    """The application.

    Args:
        settings: Whose sample city it serves.
        faults: Switched on from the beginning.
    """
    world = World(settings, faults or Faults())
    of_host: dict[str, list[BaseRoute]] = {}
    for service in all_services():
        served = service.routes(world)
        for host in service.hosts:
            of_host.setdefault(host, []).extend(served)
    routes: list[BaseRoute] = [Mount(f"/{host}", routes=found) for host, found in of_host.items()]
    routes.append(Route("/_replica/faults", _switch(world.faults), methods=["GET", "POST", "DELETE"]))
    routes.append(Route("/_replica/clock", _set_clock(world.clock), methods=["GET", "POST"]))
    return Starlette(routes=routes, middleware=[Middleware(FaultsMiddleware, faults=world.faults)])


def _switch(faults: Faults):  # type: ignore[no-untyped-def]
    async def switch(request: Request) -> JSONResponse:
        if request.method == "DELETE":
            faults.clear()
        elif request.method == "POST":
            try:
                faults.switch_on(Fault(**await request.json()))
            except (GroningenError, TypeError, ValueError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"faults": [vars(f) for f in faults._on]})

    return switch


def _set_clock(clock: Clock):  # type: ignore[no-untyped-def]
    async def set_clock(request: Request) -> JSONResponse:
        if request.method == "POST":
            try:
                asked = await request.json()
                clock.set(datetime.fromisoformat(asked["now"]), float(asked.get("speed", 0)))
            except (KeyError, TypeError, ValueError):
                return JSONResponse({"error": 'write it like {"now": "2026-03-15T07:42:00Z", "speed": 60}'}, 400)
        return JSONResponse({"now": clock.now.isoformat()})

    return set_clock


def serve(settings: Settings, port: int, faults: Faults) -> None:
    """Serve until interrupted, on this machine only."""
    uvicorn.run(build(settings, faults), host="127.0.0.1", port=port, log_level="critical", access_log=False)


@contextmanager
def running(settings: Settings, faults: Faults | None = None, port: int = 0) -> Iterator[str]:
    """A replica in a thread of this process, and its address; it ends with the context.

    Raises:
        SettingsError: It does not start; the port may be taken.
    """
    config = uvicorn.Config(build(settings, faults), host="127.0.0.1", port=port, log_level="critical", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise SettingsError("replica", f"does not start on port {port}", "choose another port, or stop what listens there")
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
