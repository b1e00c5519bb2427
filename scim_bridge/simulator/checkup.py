"""A check-up: every conversation of one identity provider, in both of its dialects, with one server."""

from collections.abc import Callable
from typing import Literal, get_args

from scim_bridge.errors import Invalid
from scim_bridge.simulator import entra, okta
from scim_bridge.simulator.client import Client
from scim_bridge.simulator.company import Company
from scim_bridge.simulator.conversations import Conversation, Finding, Talk, Valued, hold_all, hold_stranger
from scim_bridge.simulator.entra_conversations import ENTRA_CONVERSATIONS
from scim_bridge.simulator.okta_conversations import OKTA_CONVERSATIONS
from scim_bridge.simulator.wire import Dialect

Profile = Literal["okta", "entra"]
PROFILES: tuple[Profile, ...] = get_args(Profile)

# .invalid is nobody's, and can be verified by nobody (RFC 2606): no person of any organization is ever meant.
DOMAIN = "doctor.invalid"
SCRIPTS: dict[Profile, tuple[tuple[Dialect, ...], tuple[Conversation, ...], Valued]] = {
    "okta": (("okta", "okta-aiw"), OKTA_CONVERSATIONS, okta.values_of),
    "entra": (("entra", "entra-flag"), ENTRA_CONVERSATIONS, entra.values_of),
}


def examine(
    profile: Profile, base_url: str, token: str, told: Callable[[Finding], None] = lambda _: None
) -> list[Finding]:
    """Hold every conversation and return how each went; ``told`` hears of each dialect's as they end."""
    if profile not in SCRIPTS:
        raise Invalid(f"There is no profile {profile}; there are okta and entra.", field="profile")
    dialects, conversations, values_of = SCRIPTS[profile]
    # A server that asks for patience is not examined but waited for: that is a finding too.
    client = Client(base_url, token, tries=1)
    findings: list[Finding] = []
    try:
        for seed, dialect in enumerate(dialects):
            talk = Talk(client, dialect, Company(f"{dialect}.{DOMAIN}", seed), values_of)
            for finding in (*hold_all(talk, conversations), hold_stranger(client, dialect)):
                findings.append(finding)
                told(finding)
    finally:
        client.close()
    return findings
