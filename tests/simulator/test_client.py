"""The client's manners: whose token, which address, how long it waits, and what it says when something is wrong."""

from collections.abc import Iterator

import pytest

from scim_bridge.errors import Invalid, RequestFailed
from scim_bridge.simulator.client import TRIES, Client
from scim_bridge.simulator.wire import render
from tests.simulator.scim_double import ScimDouble

READ = render("okta", "test-connection-users")


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def client(double: ScimDouble, naps: list[float]) -> Iterator[Client]:
    sender = Client(double.base_url, "right", sleep=naps.append)
    yield sender
    sender.close()


def test_a_request_carries_the_token_and_the_headers_of_its_file(client: Client, double: ScimDouble) -> None:
    client.send(READ)

    _, target, headers, _ = double.seen[0]
    assert target == "/scim/v2/Users?startIndex=1&count=2"
    assert headers["Authorization"] == "Bearer right"
    assert headers["User-Agent"] == "Okta SCIM Client 1.0.0"


def test_entra_gives_no_name_of_its_own(client: Client, double: ScimDouble) -> None:
    client.send(render("entra", "test-connection", {"random_id": "x"}))

    assert "User-Agent" not in double.seen[0][2]


def test_a_body_is_sent_byte_by_byte_as_the_file_has_it(client: Client, double: ScimDouble) -> None:
    request = render("okta", "group-create", {"group_name": "Zoë's"})

    answer = client.send(request)

    assert double.seen[0][3] == request.body
    assert answer.body["displayName"] == "Zoë's"


def test_a_slash_or_a_flag_behind_the_address_changes_nothing(double: ScimDouble) -> None:
    for address in (f"{double.base_url}/", f"{double.base_url}?aadOptscim062020"):
        Client(address, "right").send(READ)

    assert {target for _, target in double.requests()} == {"/scim/v2/Users?startIndex=1&count=2"}


@pytest.mark.parametrize("address", ["", "localhost:8080/scim/v2", "ftp://host/scim/v2", "https:///scim/v2"])
def test_an_address_that_is_none_is_refused_before_anything_is_sent(address: str) -> None:
    with pytest.raises(Invalid, match="no SCIM base URL"):
        Client(address, "right")


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_says_when_is_asked_again_then(
    client: Client, double: ScimDouble, naps: list[float], status: int
) -> None:
    double.answer_once("GET", "/Users", status, headers={"Retry-After": "7"}, times=2)

    answer = client.send(READ)

    assert answer.status == 200
    assert naps == [7, 7]


@pytest.mark.parametrize("told", [{}, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {"Retry-After": "86400"}])
def test_a_server_that_does_not_say_when_in_seconds_is_a_failure(
    client: Client, double: ScimDouble, naps: list[float], told: dict[str, str]
) -> None:
    double.answer_once("GET", "/Users", 503, headers=told, document={"detail": "Come back later."})

    with pytest.raises(RequestFailed, match="was answered 503: Come back later"):
        client.send(READ)

    assert naps == []


def test_patience_has_an_end(client: Client, double: ScimDouble, naps: list[float]) -> None:
    double.answer_once("GET", "/Users", 429, headers={"Retry-After": "1"}, times=1000)

    with pytest.raises(RequestFailed, match="was answered 429"):
        client.send(READ)

    assert len(double.seen) == TRIES
    assert len(naps) == TRIES - 1


def test_an_error_is_raised_with_the_servers_own_words(double: ScimDouble) -> None:
    with pytest.raises(RequestFailed) as caught:
        Client(double.base_url, "wrong").send(READ)

    assert caught.value.status == 401
    assert str(caught.value) == "GET /Users?startIndex=1&count=2 was answered 401: This token is not one of ours."


def test_an_error_without_words_is_told_by_its_reason(client: Client, double: ScimDouble) -> None:
    double.answer_once("GET", "/Users", 500)

    with pytest.raises(RequestFailed, match="was answered 500: Internal Server Error"):
        client.send(READ)


def test_nobody_answering_is_a_failure_without_a_status() -> None:
    with pytest.raises(RequestFailed, match="got no answer") as caught:
        Client("http://127.0.0.1:9/scim/v2", "right").send(READ)

    assert caught.value.status is None


def test_every_answer_is_measured_on_the_same_clock(double: ScimDouble) -> None:
    ticks = iter([10.0, 10.25, 20.0, 20.5])
    client = Client(double.base_url, "right", clock=lambda: next(ticks))

    answers = [client.send(READ), client.send(READ)]

    assert client.latencies == [0.25, 0.5]
    assert [answer.answered_at for answer in answers] == [10.25, 20.5]
