"""The documentation page: every operation and parameter is on it, and nothing on it comes from elsewhere."""

import re

from flask.testing import FlaskClient

from ui.api.operation_table import OPERATIONS


def test_every_operation_and_parameter_is_documented(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs").text
    for operation in OPERATIONS:
        assert f'id="{operation.name}"' in page
        for name in operation.query.__struct_encode_fields__:
            assert f"<code>{name}</code>" in page


def test_nothing_on_the_page_comes_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs").text
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert loaded
    assert not [address for address in loaded if "//" in address]
    assert "<script" not in page
    for address in loaded:
        with client.get(address if address.startswith("/") else f"/api/v1/{address}") as answer:
            assert answer.status_code == 200
