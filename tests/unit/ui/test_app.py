"""Routes, refusals and headers, by Flask's test client."""

import re
from functools import partial
from pathlib import Path

import argon2
import flask
import msgspec
import pytest
from flask.testing import FlaskClient

from sorter.model.condition import (
    KeepRequest,
    Mode,
    ModeState,
    NozzleReport,
    OperatorRequest,
    RequestKind,
    ValveReport,
)
from sorter.model.explanation import RecipeChange
from sorter.model.maintenance import NozzleHold
from sorter.model.settings import HarvestSettings, RecipeSettings, Settings, StationSettings, UiSettings
from sorter.policy.alarms import Condition, Priority
from sorter.runtime.clock import ManualClock
from sorter.runtime.stamp import stamp
from sorter.runtime.topics import VALVES, Topic
from ui.access.lockout import Lockout
from ui.access.roles import LEAST_ROLE, Role
from ui.access.users import UserBook
from ui.alarm_desk import AlarmDesk
from ui.app import MAX_STREAM_COUNT, create_app
from ui.explanations import Explanations
from ui.line_link import LineLink
from ui.streams import NewestEvent, StreamPlaces


class Line:
    """A line that notes what it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[msgspec.Struct] = []
        self.known: dict[str, msgspec.Struct] = {}
        self.is_followed = True
        self.clock = ManualClock(10**12)
        self.places = StreamPlaces(MAX_STREAM_COUNT)
        self.states = NewestEvent()
        self.alarms = AlarmDesk(self.clock)
        self.explanations = Explanations()

    def newest(self, topic: Topic) -> msgspec.Struct | None:
        return self.known.get(topic.name)

    def app(self, settings: Settings | None = None, configuration: Path | None = None) -> flask.Flask:
        settings = settings or Settings()
        ui = msgspec.structs.replace(settings.ui, folder=str(self.folder))
        link = LineLink(
            self.clock, self.states, self.places, self.said.append, self.newest, self.alarms, self.explanations,
            lambda: self.is_followed, lambda: b"farz_mode 1\n", configuration,
        )  # fmt: skip
        return create_app(msgspec.structs.replace(settings, ui=ui), link)

    def trail(self) -> str:
        path = self.folder / "trail.jsonl"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    quick = partial(argon2.PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("ui.access.users.argon2.PasswordHasher", quick)
    return Line(tmp_path)


@pytest.fixture
def client(line: Line) -> FlaskClient:
    return opened(line.app())


def opened(app: flask.Flask, **environment: str) -> FlaskClient:
    """A browser that has loaded a page, and knows its session's second name."""
    client = app.test_client()
    page = client.get("/help", environ_base=environment).text
    client.environ_base["HTTP_X_CSRF_TOKEN"] = csrf_of(page)
    return client


def csrf_of(page: str) -> str:
    found = re.search(r'data-csrf="([^"]+)"', page)
    assert found
    return found[1]


def log_in(client: FlaskClient, name: str, pin: str) -> int:
    status = client.post("/log-in/pin", data={"name": name, "pin": pin}).status_code
    client.environ_base["HTTP_X_CSRF_TOKEN"] = csrf_of(client.get("/help").text)
    return status


@pytest.fixture
def staffed(line: Line) -> flask.Flask:
    """A line with an engineer, an operator and a viewer."""
    app = line.app(Settings(harvest=HarvestSettings(folder="kept")))
    client = opened(app)
    for name, role, pin in (("Ada", "engineer", "1111"), ("Omar", "operator", "2222"), ("Vera", "viewer", "3333")):
        assert client.post("/settings/users", data={"name": name, "role": role, "pin": pin}).status_code == 200
        if role == "engineer":
            assert log_in(client, name, pin) == 204
    return app


@pytest.mark.parametrize(
    ("suspicion", "said"), [("dead", "Nozzle 7 seems dead"), ("stuck_open", "Nozzle 7 seems stuck open"), (None, None)]
)
def test_a_suspected_nozzle_is_named_on_the_stations_page(
    line: Line, client: FlaskClient, suspicion: str | None, said: str | None
) -> None:
    line.known[VALVES.name] = ValveReport(1, (NozzleReport("pet", 7, 40, 1.0, 0.0, None, suspicion),), 1.0, 0)
    page = client.get("/stations/nozzles").text
    assert ("data-suspected" in page) == (said is not None)
    assert re.findall("Nozzle 7 seems [a-z ]+", page) == ([said] if said else [])


@pytest.mark.parametrize("kind", list(RequestKind))
def test_every_request_reaches_the_line(line: Line, client: FlaskClient, kind: RequestKind) -> None:
    assert client.post(f"/requests/{kind.value}").status_code == 202
    assert line.said == [OperatorRequest(kind, line.clock.now_ns(), "local")]


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
        ("start", {"X-Csrf-Token": "guessed"}, "127.0.0.1", 403),
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
    assert line.said == []


def test_every_address_has_a_least_role_and_what_has_none_is_for_nobody(line: Line) -> None:
    app = line.app()
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints - set(LEAST_ROLE) == set()
    app.add_url_rule("/forgotten", "forgotten", lambda: "served")
    assert app.test_client().get("/forgotten").status_code == 403


def acting_rules(app: flask.Flask) -> list[tuple[str, str, Role]]:
    """Every address that acts, with numbers and names filled in."""
    rules = [rule for rule in app.url_map.iter_rules() if LEAST_ROLE[rule.endpoint] > Role.VIEWER]
    found = []
    for rule in rules:
        path = re.sub(r"<int:\w+>", "1", re.sub(r"<(?!int:)\w+>", "start", rule.rule))
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        found.append((method, path, LEAST_ROLE[rule.endpoint]))
    return found


@pytest.mark.parametrize(
    ("name", "pin", "role"), [("", "", Role.VIEWER), ("Vera", "3333", Role.VIEWER), ("Omar", "2222", Role.OPERATOR)]
)
def test_nobody_gets_at_what_is_beyond_the_role_whatever_address_or_method(
    line: Line, staffed: flask.Flask, name: str, pin: str, role: Role
) -> None:
    client = opened(staffed)
    if name:
        assert log_in(client, name, pin) == 204
    line.said.clear()
    beyond = [(method, path) for method, path, least in acting_rules(staffed) if least > role]
    assert len(beyond) >= 10
    for method, path in beyond:
        assert client.open(path, method=method).status_code == 403, path
        for other in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
            assert client.open(path, method=other).status_code in {403, 405, 404, 200 if other == "OPTIONS" else 403}
        assert f'"what":"{method} {path}","outcome":403' in line.trail()
    assert line.said == []


def test_a_session_that_has_ended_is_worth_nothing(line: Line, staffed: flask.Flask) -> None:
    client = opened(staffed)
    assert log_in(client, "Ada", "1111") == 204
    kept = client.get_cookie("farz_session")
    assert client.post("/requests/start").status_code == 202
    old_csrf = client.environ_base["HTTP_X_CSRF_TOKEN"]
    assert client.post("/log-out").status_code == 204
    client.set_cookie("farz_session", kept.value)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = old_csrf
    assert client.post("/requests/start").status_code == 403
    assert len(line.said) == 1


def test_who_touches_nothing_for_long_is_logged_out(line: Line, staffed: flask.Flask) -> None:
    client = opened(staffed)
    assert log_in(client, "Omar", "2222") == 204
    line.clock.wait_until_ns(line.clock.now_ns() + 14 * 60 * 10**9)
    assert client.post("/requests/hold").status_code == 202
    line.clock.wait_until_ns(line.clock.now_ns() + 16 * 60 * 10**9)
    assert client.post("/requests/hold").status_code == 403


def test_a_log_in_gives_the_session_another_name(staffed: flask.Flask) -> None:
    client = opened(staffed)
    before = client.get_cookie("farz_session").value
    log_in(client, "Omar", "2222")
    assert client.get_cookie("farz_session").value != before


def test_wrong_pins_lock_a_name_for_a_while(line: Line, staffed: flask.Flask) -> None:
    client = opened(staffed)
    assert [log_in(client, "Omar", "0000") for _ in range(5)] == [401] * 5
    assert log_in(client, "Omar", "2222") == 429
    assert log_in(opened(staffed), "Ada", "1111") == 204
    line.clock.wait_until_ns(line.clock.now_ns() + 31 * 10**9)
    assert log_in(client, "Omar", "2222") == 204


def test_a_restart_of_the_page_logs_everybody_out_and_unlocks_nobody(line: Line, staffed: flask.Flask) -> None:
    client = opened(staffed)
    assert log_in(client, "Ada", "1111") == 204
    cookie, csrf = client.get_cookie("farz_session").value, client.environ_base["HTTP_X_CSRF_TOKEN"]
    assert [log_in(opened(staffed), "Omar", "0000") for _ in range(5)] == [401] * 5
    restarted = line.app()
    old = restarted.test_client()
    old.set_cookie("farz_session", cookie)
    old.environ_base["HTTP_X_CSRF_TOKEN"] = csrf
    assert old.post("/requests/start").status_code == 403
    assert log_in(opened(restarted), "Omar", "2222") == 429
    line.clock.wait_until_ns(line.clock.now_ns() + 31 * 10**9)
    assert log_in(opened(restarted), "Omar", "2222") == 204
    kept = {path.name: path.read_text() for path in line.folder.iterdir() if path.is_file()}
    assert not [name for name, text in kept.items() if cookie in text or csrf in text]


def test_a_pin_costs_who_tries_them_all_a_lot(tmp_path: Path) -> None:
    book = UserBook(tmp_path / "users.json", Lockout(tmp_path / "wrong_pins.json", stamp(0)))
    book.put("Ada", "engineer", "1111")
    told = argon2.extract_parameters(book.find("Ada").pin_hash)
    assert (told.type, told.memory_cost >= 19_456, told.time_cost >= 2) == (argon2.Type.ID, True, True)


def test_pins_are_not_on_the_disk_and_the_last_engineer_stays(line: Line, staffed: flask.Flask) -> None:
    kept = (line.folder / "users.json").read_text()
    assert "argon2id" in kept
    assert "1111" not in kept.replace("$", " ").split()
    assert (line.folder / "users.json").stat().st_mode & 0o077 == 0
    client = opened(staffed)
    log_in(client, "Ada", "1111")
    assert client.post("/settings/users/Ada/remove").status_code == 409
    assert client.post("/settings/users/Omar/remove").status_code == 200
    assert client.post("/settings/users", data={"name": "Zoe", "role": "viewer", "pin": "12"}).status_code == 400


def test_the_network_reads_only_even_with_the_right_pin(line: Line, staffed: flask.Flask) -> None:
    away = {"REMOTE_ADDR": "192.168.7.20"}
    client = staffed.test_client()
    client.environ_base.update(away)
    page = client.get("/").text
    client.environ_base["HTTP_X_CSRF_TOKEN"] = csrf_of(page)
    assert client.post("/log-in/pin", data={"name": "Ada", "pin": "1111"}).status_code == 403
    assert client.post("/requests/stop").status_code == 403
    assert line.said == []


def test_the_network_acts_where_it_is_configured_and_by_tls_alone(line: Line) -> None:
    with pytest.raises(ValueError, match="network_may_act"):
        UiSettings(network_may_act=True)
    ui = UiSettings(network_may_act=True, tls_certificate="cert.pem", tls_key="key.pem")
    app = line.app(Settings(ui=ui))
    client = opened(app, REMOTE_ADDR="192.168.7.20")
    client.environ_base["REMOTE_ADDR"] = "192.168.7.20"
    client.post("/settings/users", data={"name": "Ada", "role": "engineer", "pin": "1111"})
    assert "Secure" in app.test_client().get("/").headers["Set-Cookie"]


def test_without_users_a_line_with_real_valves_is_operated_by_nobody(line: Line) -> None:
    valves = msgspec.structs.replace(Settings().valves, driver="serial")
    client = opened(line.app(Settings(valves=valves, start_by_itself=False)))
    assert client.post("/requests/start").status_code == 403


def test_the_picture_on_the_screen_is_kept_where_the_line_keeps_pictures(line: Line) -> None:
    client = opened(line.app(Settings(harvest=HarvestSettings(folder="kept"))))
    assert client.post("/pictures/4711/keep").status_code == 202
    assert client.get("/pictures/4712/keep").status_code == 405
    assert line.said == [KeepRequest(4711, line.clock.now_ns(), "local")]


def test_a_line_without_a_place_for_pictures_says_so(line: Line, client: FlaskClient) -> None:
    answer = client.post("/pictures/1/keep")
    assert (answer.status_code, line.said) == (409, [])
    assert "harvest.folder" in answer.text


def test_alarms_are_acknowledged_and_shelved_with_a_reason(line: Line, client: FlaskClient) -> None:
    purity = Condition("purity_low", "pet", Priority.MEDIUM)
    line.alarms.step([purity, Condition("emergency_stop", "line", Priority.CRITICAL)])
    assert "Purity below target" in client.get("/alarms").text
    assert client.post("/alarms/shelve", data={"key": purity.key, "minutes": "15"}).status_code == 400
    assert (
        client.post("/alarms/shelve", data={"key": purity.key, "minutes": "9999", "reason": "sensor"}).status_code
        == 400
    )
    shelved = client.post("/alarms/shelve", data={"key": purity.key, "minutes": "15", "reason": "sensor"})
    assert "Set aside by local" in shelved.text
    critical = {"key": "emergency_stop:line", "minutes": "15", "reason": "sensor"}
    assert client.post("/alarms/shelve", data=critical).status_code == 409
    assert client.post("/alarms/acknowledge", data={"key": "emergency_stop:line"}).status_code == 200
    assert client.post("/alarms/acknowledge", data={"key": "emergency_stop:line"}).status_code == 409
    assert client.post("/alarms/unshelve", data={"key": purity.key}).status_code == 200
    assert "purity_low:pet, 15 min, sensor" in line.trail()


def test_a_flood_of_alarms_is_grouped_and_every_one_of_them_shown(line: Line, client: FlaskClient) -> None:
    flood = [Condition("nozzle_suspected", f"pet:{number}", Priority.LOW) for number in range(30)]
    line.alarms.step([Condition("no_air", "line", Priority.HIGH), *flood])
    page = client.get("/alarms/list").text
    assert page.count("data-alarm=") == 31
    assert "first out" in page
    assert '<bdi class="code">pet</bdi>' in page


def test_a_recipe_is_checked_and_told_to_the_line(line: Line, client: FlaskClient) -> None:
    form = {
        "pet.target": ["pet_clear"], "pet.purity": "0.9", "pet.cost": "4",
        "hdpe.target": ["hdpe"], "hdpe.purity": "0.6",
        "can.target": ["can", "carton"], "can.purity": "0.6", "can.cost": "",
    }  # fmt: skip
    assert "In use now" in client.post("/recipe/save", data=form).text
    change = line.said[-1]
    assert isinstance(change, RecipeChange)
    assert (change.stations[0].targets, change.stations[0].purity_target) == (("pet_clear",), 0.9)
    assert [one.non_target_cost for one in change.stations] == [4.0, None, None]
    for wrong in ({"pet.target": []}, {"pet.purity": "1.5"}, {"pet.target": ["gold"]}, {"pet.purity": "x"}):
        assert client.post("/recipe/save", data=form | wrong).status_code == 400
    assert len(line.said) == 1
    client.post("/recipe/undo")
    assert line.said[-1].stations[0].targets == ("pet_clear", "pet_coloured")
    assert client.post("/recipe/undo").status_code == 409


def test_a_recipe_is_kept_in_the_configuration(line: Line, tmp_path: Path) -> None:
    station = StationSettings(id="pet", offset_mm=700.0, targets=("pet_clear",))
    path = tmp_path / "line.toml"
    path.write_text('# ours\n[[recipe.stations]]\nid = "pet"\noffset_mm = 700\ntargets = ["pet_clear"]\n')
    client = opened(line.app(Settings(recipe=RecipeSettings(stations=(station,))), path))
    client.post("/recipe/save", data={"pet.target": ["pet_coloured"], "pet.purity": "0.8", "pet.cost": ""})
    kept = path.read_text()
    assert 'targets = ["pet_coloured"]' in kept
    assert kept.startswith("# ours")


def test_a_nozzle_is_held_by_hand_only_while_the_line_is_stopped(line: Line, client: FlaskClient) -> None:
    assert client.post("/stations/pet/nozzles/3/hold").status_code == 409
    line.known["mode"] = ModeState(Mode.STOPPED, 0, "", "")
    assert client.post("/stations/pet/nozzles/3/hold").status_code == 202
    assert line.said == [NozzleHold("pet", 3, line.clock.now_ns(), "local")]
    assert client.post("/stations/pet/nozzles/3/hold").status_code == 202
    assert line.trail().count('nozzles/3/hold","outcome":202') == 1, "one hold is one entry"
    line.clock.wait_until_ns(line.clock.now_ns() + 10**9)
    client.post("/stations/pet/nozzles/3/hold")
    assert line.trail().count('nozzles/3/hold","outcome":202') == 2
    assert client.post("/stations/pet/nozzles/4711/hold").status_code == 404
    assert client.post("/stations/gold/nozzles/1/hold").status_code == 404


def test_requests_are_never_made_by_a_link(line: Line, client: FlaskClient) -> None:
    assert client.get("/requests/start").status_code == 405
    assert line.said == []


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
    refused = client.get("/events")
    assert refused.status_code == 503
    assert "32" in refused.text
    streams.pop().close()
    with client.get("/events") as again:
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
    assert f'<html lang="{language}" dir="{direction}"' in page


def test_a_display_remembers_what_was_chosen_for_it(client: FlaskClient) -> None:
    chosen = {"language": "ar", "digits": "arab", "theme": "dark", "units": "m_min", "mm": "5.87"}
    assert client.post("/settings/display", data=chosen).headers["HX-Refresh"] == "true"
    page = client.get("/recipe").text
    assert '<html lang="ar" dir="rtl" data-locale="ar-u-nu-arab" data-theme="dark"' in page
    assert 'data-mm="5.87"' in page
    assert "٦٠" in page
    client.post("/settings/display", data={"mm": "1e9", "theme": "<script>"})
    assert 'data-mm="5.87"' in client.get("/").text


def test_names_from_the_configuration_cannot_become_markup(line: Line) -> None:
    station = StationSettings(id="<script>x'\"", offset_mm=700.0, targets=("can",))
    recipe = RecipeSettings(stations=(station,))
    client = line.app(Settings(line_name="<b>plant</b>", recipe=recipe)).test_client()
    for path in ("/", "/recipe", "/stations"):
        page = client.get(path).text
        assert "<b>plant" not in page
        assert "<script>x" not in page


def test_every_answer_says_what_a_browser_may_do(client: FlaskClient) -> None:
    for path in ("/", "/healthz", "/metrics", "/static/line.js", "/nothing"):
        with client.get(path) as response:
            assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
            assert "unsafe" not in response.headers["Content-Security-Policy"]
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
