"""`scim-bridge webhook …`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from scim_bridge.app import open_runtime
from scim_bridge.settings import Settings
from tests.cli.bridge import Bridge
from tests.outbound.carrying import carry
from tests.outbound.receiver import Receiver, open_receiver


@pytest.fixture
def receiver(local: Bridge) -> Iterator[Receiver]:
    local.environment["SCIM_BRIDGE_WEBHOOK_NETWORKS"] = "127.0.0.0/8"
    with open_receiver() as opened:
        yield opened


def carry_out(bridge: Bridge) -> None:
    environment = bridge.environment
    opened = open_runtime(
        Settings(
            database_url=SecretStr(environment["SCIM_BRIDGE_DATABASE_URL"]),
            home=Path(environment["SCIM_BRIDGE_HOME"]),
            webhook_networks="127.0.0.0/8",
        )
    )
    carry(opened)
    opened.database.dispose()


def test_a_webhook_from_its_first_event_to_its_end(local: Bridge, receiver: Receiver) -> None:
    added = local.text("webhook", "add", "siem", "--url", receiver.url, "--kind", "group.*")
    secret = added.strip().splitlines()[-1]
    local.text("webhook", "test", "siem")
    carry_out(local)
    listed = local.text("webhook", "list")
    shown = local.json("webhook", "deliveries", "siem")
    local.text("webhook", "redeliver", "siem", shown[0]["id"])
    carry_out(local)
    missed = local.text("webhook", "redeliver", "siem", "--since", "1h")
    rotated = local.text("webhook", "rotate", "siem", "--overlap-hours", "2")
    local.text("webhook", "set", "siem", "--kind", "alert.*")
    off = local.text("webhook", "disable", "siem")
    local.text("webhook", "enable", "siem")
    gone = local.text("webhook", "remove", "siem")

    assert [each["type"] for each in receiver.verified(secret)] == ["webhook.test"] * 2
    assert "whsec_" in rotated
    assert "the old one counts until" in rotated
    assert "enabled" in listed
    assert "whsec_" not in listed
    assert (missed.strip(), off.strip(), gone.strip()) == (
        "0 to be sent again.",
        "siem is told nothing.",
        "siem is removed.",
    )
    assert local.text("webhook", "list").strip() == "None yet."


def test_what_to_send_again_is_said_one_way_or_the_other(local: Bridge) -> None:
    assert local.refused("webhook", "redeliver", "siem")[0] == 6
    assert local.refused("webhook", "redeliver", "siem", "x", "--since", "1h")[0] == 6
    assert local.refused("webhook", "test", "nowhere")[0] == 3
