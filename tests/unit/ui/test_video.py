"""The live video's one address: its parts, its places, and who may read it."""

import json

import pytest
from flask.testing import FlaskClient

from sorter.model.settings import Settings, UiSettings
from ui.streams import NewestEvent, StreamPlaces
from ui.video import MAX_VIEWER_COUNT, create_video_app, part_of, video_port, video_stream

PAGE = "http://127.0.0.1:8420"


@pytest.fixture
def places() -> StreamPlaces:
    return StreamPlaces(MAX_VIEWER_COUNT)


@pytest.fixture
def newest() -> NewestEvent:
    newest = NewestEvent()
    newest.put_raw(part_of(b'{"frame_id":7}', b"jpeg"))
    return newest


@pytest.fixture
def client(newest: NewestEvent, places: StreamPlaces) -> FlaskClient:
    return create_video_app(Settings(), newest, places).test_client()


def test_a_part_is_a_picture_with_what_is_on_it() -> None:
    head, _, body = part_of(json.dumps({"frame_id": 7}).encode(), b"jpeg").partition(b"\r\n\r\n")
    assert body == b"jpeg\r\n"
    assert b"Content-Length: 4\r\n" in head + b"\r\n"
    assert json.loads(head.rpartition(b"X-Farz-Picture: ")[2]) == {"frame_id": 7}


def test_a_slow_viewer_gets_the_newest_and_a_still_belt_the_same_again(newest: NewestEvent) -> None:
    stream = video_stream(newest, keep_alive_s=0.01)
    assert b'{"frame_id":7}' in next(stream)
    for frame_id in (8, 9, 10):
        newest.put_raw(part_of(json.dumps({"frame_id": frame_id}).encode(), b"jpeg"))
    assert b'"frame_id": 10' in next(stream)
    assert b'"frame_id": 10' in next(stream)
    newest.close()
    assert list(stream) == []


def test_the_thirty_third_viewer_is_told_so_and_places_come_back(client: FlaskClient, places: StreamPlaces) -> None:
    viewers = [client.get("/video") for _ in range(MAX_VIEWER_COUNT)]
    refused = client.get("/video")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "32" in refused.text
    for viewer in viewers:
        viewer.close()
    assert places.taken_count == 0


@pytest.mark.parametrize(
    ("origin", "is_shared"),
    [(PAGE, True), ("http://evil.example", False), ("http://127.0.0.1:9999", False), ("null", False), (None, False)],
)
def test_the_lines_own_page_alone_may_read_it(client: FlaskClient, origin: str | None, is_shared: bool) -> None:
    headers = {"Host": "127.0.0.1:8421"} | ({"Origin": origin} if origin else {})
    with client.get("/video", headers=headers) as response:
        assert response.headers.get("Access-Control-Allow-Origin") == (origin if is_shared else None)


def test_other_names_and_methods_are_refused(client: FlaskClient) -> None:
    assert client.get("/video", headers={"Host": "rebound.example"}).status_code == 403
    assert client.post("/video").status_code == 405


def test_the_port_is_the_one_after_the_pages_unless_another_is_named() -> None:
    assert video_port(UiSettings(port=9000)) == 9001
    assert video_port(UiSettings(port=9000, video_port=7000)) == 7000
