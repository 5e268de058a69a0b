"""Routes, refusals and headers, by Flask's test client."""

import flask
import pytest
from flask.testing import FlaskClient

from sorter.model.condition import RequestKind
from sorter.model.settings import HarvestSettings, Settings, StationSettings, UiSettings
from ui.app import MAX_STREAM_COUNT, LineLink, create_app
from ui.streams import NewestEvent, StreamPlaces


class Line:
    """A line that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[RequestKind] = []
        self.kept: list[int] = []
        self.is_followed = True
        self.places = StreamPlaces(MAX_STREAM_COUNT)
        self.states = NewestEvent()
        self.link = LineLink(
            self.states,
            NewestEvent(),
            self.places,
            self.asked.append,
            self.kept.append,
            lambda: self.is_followed,
            lambda: b"farz_mode 1\n",
        )

    def app(self, settings: Settings | None = None) -> flask.Flask:
        return create_app(settings or Settings(), self.link)


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def client(line: Line) -> FlaskClient:
    return line.app().test_client()


@pytest.mark.parametrize("kind", list(RequestKind))
def test_every_request_reaches_the_line(line: Line, client: FlaskClient, kind: RequestKind) -> None:
    assert client.post(f"/requests/{kind.value}").status_code == 202
    assert line.asked == [kind]


@pytest.mark.parametrize(
    ("path", "headers", "remote", "status"),
    [
        ("fire", {}, "127.0.0.1", 404),
        ("start", {"Sec-Fetch-Site": "cross-site"}, "127.0.0.1", 403),
        ("start", {"Sec-Fetch-Site": "same-site"}, "127.0.0.1", 403),
        ("start", {"Origin": "http://evil.example"}, "127.0.0.1", 403),
        ("start", {"Origin": "null"}, "127.0.0.1", 403),
        ("start", {"Origin": "http://localhost:9999"}, "127.0.0.1", 403),
        ("start", {"Host": "evil.example"}, "127.0.0.1", 403),
        ("start", {}, "192.168.7.20", 403),
        ("start", {}, "::ffff:192.168.7.20", 403),
    ],
)
def test_what_does_not_come_from_the_page_on_this_machine_is_refused(
    line: Line, client: FlaskClient, path: str, headers: dict[str, str], remote: str, status: int
) -> None:
    response = client.post(f"/requests/{path}", headers=headers, environ_base={"REMOTE_ADDR": remote})
    assert response.status_code == status
    assert len(response.text.strip().splitlines()) == 1
    assert line.asked == []


def test_the_page_itself_may_ask(line: Line, client: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8420", "Host": "127.0.0.1:8420"}
    assert client.post("/requests/stop", headers=headers).status_code == 202
    assert line.asked == [RequestKind.STOP]


def test_the_picture_on_the_screen_is_kept_where_the_line_keeps_pictures(line: Line) -> None:
    client = line.app(Settings(harvest=HarvestSettings(folder="kept"))).test_client()
    assert client.post("/pictures/4711/keep").status_code == 202
    assert client.post("/pictures/4712/keep", headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post("/pictures/4712/keep", environ_base={"REMOTE_ADDR": "192.168.7.20"}).status_code == 403
    assert client.get("/pictures/4712/keep").status_code == 405
    assert client.post("/pictures/../keep").status_code == 404
    assert line.kept == [4711]


def test_a_line_without_a_place_for_pictures_says_so(line: Line, client: FlaskClient) -> None:
    answer = client.post("/pictures/1/keep")
    assert (answer.status_code, line.kept) == (409, [])
    assert "harvest.folder" in answer.text


def test_requests_are_never_made_by_a_link(line: Line, client: FlaskClient) -> None:
    assert client.get("/requests/start").status_code == 405
    assert line.asked == []


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8420", 200),
        ("127.0.0.1:8420", 200),
        ("[::1]:8420", 200),
        ("10.1.2.3", 200),
        ("line.plant.example", 200),
        ("rebound.example", 403),
    ],
)
def test_the_host_must_be_this_machine(line: Line, host: str, status: int) -> None:
    client = line.app(Settings(ui=UiSettings(host="line.plant.example"))).test_client()
    assert client.get("/", headers={"Host": host}).status_code == status


def test_the_stream_after_the_last_place_is_told_so_and_places_come_back(line: Line, client: FlaskClient) -> None:
    streams = [client.get("/events") for _ in range(MAX_STREAM_COUNT)]
    refused = client.get("/live")
    assert refused.status_code == 503
    assert "32" in refused.text
    streams.pop().close()
    with client.get("/live") as again:
        assert again.status_code == 200
        assert again.mimetype == "text/event-stream"
    for stream in streams:
        stream.close()
    assert line.places.taken_count == 0


def test_a_stream_carries_the_state(line: Line, client: FlaskClient) -> None:
    line.states.put(b'{"mode":null}')
    with client.get("/events") as response:
        chunks = response.iter_encoded()
        assert next(chunks).startswith(b"retry:")
        assert next(chunks) == b'data: {"mode":null}\n\n'


@pytest.mark.parametrize(
    ("query", "accepted", "language", "direction"),
    [
        ("", None, "en", "ltr"),
        ("?lang=fr", None, "fr", "ltr"),
        ("?lang=ar", "fr", "ar", "rtl"),
        ("", "de, fr-DZ;q=0.8", "fr", "ltr"),
        ("?lang=xx", "de", "en", "ltr"),
    ],
)
def test_the_language_is_the_one_asked_for(
    client: FlaskClient, query: str, accepted: str | None, language: str, direction: str
) -> None:
    headers = {"Accept-Language": accepted} if accepted else {}
    page = client.get(f"/{query}", headers=headers).text
    assert f'<html lang="{language}" dir="{direction}">' in page


def test_names_from_the_configuration_cannot_become_markup(line: Line) -> None:
    station = StationSettings(id="<script>x'\"", offset_mm=700.0, targets=("can",))
    settings = Settings(line_name="<b>plant</b>")
    recipe = type(settings.recipe)(stations=(station,))
    page = line.app(Settings(line_name="<b>plant</b>", recipe=recipe)).test_client().get("/").text
    assert "<b>plant" not in page
    assert "<script>x" not in page


def test_every_answer_says_what_a_browser_may_do(client: FlaskClient) -> None:
    for path in ("/", "/healthz", "/metrics", "/static/line.js", "/nothing"):
        with client.get(path) as response:
            assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
            assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_health_follows_the_reader(line: Line, client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    line.is_followed = False
    assert client.get("/healthz").status_code == 503


def test_metrics_are_served_as_prometheus_reads_them(client: FlaskClient) -> None:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert response.data == b"farz_mode 1\n"
