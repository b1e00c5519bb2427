"""What webhooks may ask for, and where they may lead."""

import pytest

from scim_bridge.domain.webhooks import (
    AUDIT_ENTRY,
    checked_kinds,
    checked_url,
    kinds_told,
    may_be_called,
    read_networks,
    until_rested,
    until_retry,
)
from scim_bridge.errors import Invalid

OURS = read_networks("10.20.0.0/16, 127.0.0.0/8 fd00::/8")

# Every way that is known to name this machine, its neighbours or its cloud's metadata by an address that looks public.
INSIDE = (
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "::127.0.0.1",
    "fec0::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::1",
    "240.0.0.1",
)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_never_called(address: str) -> None:
    assert not may_be_called(address, ())


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_a_public_address_may_be_called(address: str) -> None:
    assert may_be_called(address, ())


def test_an_operator_may_let_networks_be_called_and_only_those() -> None:
    allowed = [may_be_called(each, OURS) for each in ("10.20.3.4", "127.0.0.1", "fd00::7", "::ffff:10.20.3.4")]
    others = [may_be_called(each, OURS) for each in ("10.21.0.1", "169.254.169.254", "::ffff:10.21.0.1", "::1")]

    assert (allowed, others) == ([True] * 4, [False] * 4)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x",
        "ftp://hooks.example/x",
        "https://",
        "https://user:pass@hooks.example/",
        "https://hooks.example/#x",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nX: y",
        "https://häuser.example/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/",
        "http://127.0.0.1/",
        "https://hooks.example/" + "x" * 2048,
    ],
)
def test_what_no_webhook_may_lead_to_is_refused_by_its_text(url: str) -> None:
    with pytest.raises(Invalid):
        checked_url(url, ())


def test_the_loopback_is_called_without_tls_where_the_operator_lets_it_be_called() -> None:
    assert checked_url("http://127.0.0.1:8000/hook", OURS) == "http://127.0.0.1:8000/hook"
    assert checked_url("https://hooks.example/hook?a=b", ()) == "https://hooks.example/hook?a=b"
    with pytest.raises(Invalid, match="https"):
        checked_url("http://10.20.0.1/hook", OURS)


def test_kinds_are_actions_of_the_audit_all_of_a_noun_or_everything() -> None:
    assert checked_kinds(["group.*", "alert.opened", "group.*"]) == ("alert.opened", "group.*")
    for wrong in (
        [],
        [""],
        ["group"],
        ["Group.changed"],
        ["*.*"],
        ["a.b"] * 3 + [f"a.{'b' * n}" for n in range(1, 99)],
    ):
        with pytest.raises(Invalid):
            checked_kinds(wrong)


def test_an_entry_is_told_as_its_action_and_as_a_line_of_the_audit() -> None:
    told = {
        wanted: kinds_told(wanted.split(), "group.changed") for wanted in ("*", "group.*", "group.created", "user.*")
    }

    assert told == {"*": ("group.changed",), "group.*": ("group.changed",), "group.created": (), "user.*": ()}
    assert kinds_told(["*", AUDIT_ENTRY], "group.changed") == ("group.changed", AUDIT_ENTRY)
    assert kinds_told([AUDIT_ENTRY], "group.changed") == (AUDIT_ENTRY,)


def test_waits_double_with_full_jitter_and_a_receivers_wish_is_heard() -> None:
    longest = [until_retry(attempts, 1.0).total_seconds() for attempts in (1, 2, 3, 20)]

    assert longest == [5, 10, 20, 4 * 3600]
    assert until_retry(5, 0.0).total_seconds() == 0
    assert until_retry(1, 0.0, 30).total_seconds() == 30


def test_a_receiver_is_left_alone_after_several_failures_in_a_row_or_when_it_asks_for_it() -> None:
    rests = [until_rested(failures, 1.0) for failures in (1, 2, 3, 4, 30)]

    assert [None if each is None else each.total_seconds() for each in rests] == [None, None, 5, 10, 600]
    asked = until_rested(1, 0.0, 20)
    assert asked is not None
    assert asked.total_seconds() == 20
