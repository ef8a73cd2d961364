"""Who may ask: this host without a token, others with it alone; and how refusals look."""

from __future__ import annotations

import pytest

from operate.api import guard
from operate.api.settings import ApiSettings
from operate.settings import Settings
from runtime.errors import Configuration
from tests.api_fakes import HERE, Api

pytestmark = pytest.mark.requirement("D5")
OPEN_TO_ALL = Settings.model_validate({"api": {"host": "0.0.0.0", "token": "s3cret"}})  # noqa: S104


@pytest.mark.parametrize(
    ("shown", "code"),
    [("", 401), ("Bearer wrong", 401), ("Basic s3cret", 401), ("Bearer s3cret", 200)],
)
def test_elsewhere_the_token_is_asked_for(shown: str, code: int) -> None:
    client = Api(OPEN_TO_ALL).client("http://aos.example.org")
    answer = client.get("/connectors", headers={"Authorization": shown})
    assert answer.status_code == code
    if code == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert set(answer.json()) == {"error_code", "message"}


def test_nothing_listens_for_others_without_a_token() -> None:
    with pytest.raises(Configuration, match="token"):
        guard.check(ApiSettings(host="0.0.0.0"))  # noqa: S104
    guard.check(ApiSettings())
    guard.check(OPEN_TO_ALL.api)


def test_a_probe_and_a_page_without_data_need_none() -> None:
    client = Api(OPEN_TO_ALL).client("http://aos.example.org")
    assert client.get("/health/live").status_code == 503
    assert client.get("/docs").status_code == 200
    assert client.get("/health").status_code == 401
    assert client.get("/").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example.org"},
        {"Host": "127.0.0.1.example.org:8083"},
        {"Host": "["},
        {"Origin": "https://evil.example.org"},
    ],
)
def test_a_page_from_elsewhere_cannot_have_a_browser_of_this_host_ask(
    headers: dict[str, str],
) -> None:
    api = Api()
    answer = api.client().put("/connectors/timescale-sink/stop", headers=headers)
    assert answer.status_code == 403
    assert not api.fleet.orders


def test_our_own_page_may_ask() -> None:
    client = Api().client()
    assert client.get("/connectors", headers={"Origin": HERE}).status_code == 200


@pytest.mark.parametrize("body", ["{", '{"offsets": 7}', '{"offsets": [7]}', "[]", "", "\x00"])
def test_what_is_malformed_is_the_fault_of_who_asks(body: str) -> None:
    answer = (
        Api()
        .client()
        .patch(
            "/connectors/timescale-sink/offsets",
            content=body,
            headers={"Content-Type": "application/json"},
        )
    )
    assert answer.status_code == 400
    assert answer.json()["error_code"] == 400
    assert answer.json()["message"]


def test_the_reference_names_every_path_and_fetches_nothing_from_elsewhere() -> None:
    client = Api().client()
    page = client.get("/docs").text
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in page
    assert "http://" not in page
    assert "https://" not in page
