"""Distances: estimated from straight lines, or those of a routing service, here a small one on 127.0.0.1."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import stamina

from groningen_data.routing.matrix import estimated, matrix_of
from groningen_data.settings import load_settings

MARTINI, STATION = (6.5681, 53.2194), (6.5640, 53.2107)


class Roads:
    """Answers as OSRM's table service does: every road is twice the difference in degrees, in kilometres, at 10 m/s."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.change = lambda answer: answer
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                body = json.dumps(outer.change(outer.table(self.path))).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def table(self, path):
        parts = urlsplit(path)
        points = np.array([[float(x) for x in point.split(",")] for point in parts.path.rsplit("/", 1)[1].split(";")])
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        rows, columns = ([int(n) for n in query[name].split(";")] for name in ("sources", "destinations"))
        metres = np.abs(points[rows][:, None] - points[columns][None, :]).sum(axis=2) * 2_000
        assert query["annotations"] == "duration,distance"
        return {"code": "Ok", "distances": metres.tolist(), "durations": (metres / 10).tolist()}


@pytest.fixture
def roads():
    found = Roads()
    yield found
    found.http.shutdown()
    found.http.server_close()


@pytest.fixture(autouse=True)
def _no_waiting():
    with stamina.set_testing(True, attempts=1):
        yield


def settings_with(tmp_path, **values):
    return load_settings(profile="sample", data_dir=tmp_path, http_timeout_s=2, http_rate_per_s=1000, **values)


def test_an_estimate_is_the_great_circle_times_the_detour_factor():
    matrix = estimated([MARTINI, STATION, MARTINI], detour_factor=1.3, speed_km_h=36)
    # 0.0087 degrees north are 967.4 m, and 0.0041 degrees east 272.9 m at this latitude: 1,005 m.
    assert matrix.distance_m[0, 1] == pytest.approx(1_005.2 * 1.3, abs=2)
    assert matrix.duration_s[0, 1] == pytest.approx(matrix.distance_m[0, 1] / 10, abs=1)
    assert (matrix.distance_m == matrix.distance_m.T).all()
    assert matrix.distance_m[0, 2] == matrix.distance_m[1, 1] == 0
    assert matrix.part([0, 1]).distance_m.tolist() == matrix.distance_m[:2, :2].tolist()


def test_without_an_address_distances_are_estimated(tmp_path):
    matrix = matrix_of(settings_with(tmp_path, routing_detour_factor=2.0), [MARTINI, STATION])
    assert (matrix.origin, matrix.note) == ("straight_line", "")
    assert matrix.distance_m[0, 1] == pytest.approx(2_010, abs=3)


def test_a_service_is_asked_in_blocks_that_fit_together(tmp_path, roads):
    points = [(6.5 + n / 1_000, 53.2) for n in range(120)]
    matrix = matrix_of(settings_with(tmp_path, addresses={"osrm": roads.url}, routing_profile="truck"), points)
    assert matrix.origin == "road_network"
    assert len(roads.asked) == 9
    assert all(path.startswith("/table/v1/truck/") for path in roads.asked)
    expected = np.rint(np.abs(np.subtract.outer(np.arange(120), np.arange(120))) * 2.0)
    assert (np.abs(matrix.distance_m - expected) <= 1).all()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda answer: {"code": "NoSegment"}, "answered NoSegment where Ok was expected"),
        (lambda answer: {**answer, "distances": [[0, None], [1, 0]]}, "gives no 2 by 2 distances without gaps"),
        (lambda answer: {"code": "Ok", "durations": answer["durations"]}, "gives no 2 by 2 distances without gaps"),
    ],
)
def test_an_unusable_answer_is_told_and_distances_are_estimated(tmp_path, roads, change, told):
    roads.change = change
    matrix = matrix_of(settings_with(tmp_path, addresses={"osrm": roads.url}), [MARTINI, STATION])
    assert matrix.origin == "straight_line"
    assert told in matrix.note


def test_a_service_that_is_down_does_not_stop_the_planning(tmp_path, roads):
    url = roads.url
    roads.http.shutdown()
    roads.http.server_close()
    matrix = matrix_of(settings_with(tmp_path, addresses={"osrm": url}, http_attempts=1), [MARTINI, STATION])
    assert matrix.origin == "straight_line"
    assert matrix.note.startswith("distances are estimated: osrm: 127.0.0.1/table/v1/… ")
    assert "cannot be reached" in matrix.note
    assert matrix.distance_m[0, 1] > 0
