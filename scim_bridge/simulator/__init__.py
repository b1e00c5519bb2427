"""
A stranger at the SCIM door: plays Okta and Entra over real HTTP, in their own wire forms.

For the demo, for trials and for tests. `play` runs a whole life; an `IdentityProvider` goes step by step.
"""

from scim_bridge.simulator.client import Client
from scim_bridge.simulator.company import Company, Group, Person
from scim_bridge.simulator.entra import Entra
from scim_bridge.simulator.life import Progress, play, provider_for
from scim_bridge.simulator.okta import Okta
from scim_bridge.simulator.provider import IdentityProvider
from scim_bridge.simulator.report import Failure, Leaver, Report

__all__ = [
    "Client",
    "Company",
    "Entra",
    "Failure",
    "Group",
    "IdentityProvider",
    "Leaver",
    "Okta",
    "Person",
    "Progress",
    "Report",
    "play",
    "provider_for",
]
