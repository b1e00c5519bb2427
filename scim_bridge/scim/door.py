"""The SCIM door, whole: importing the rooms gives the blueprint its routes."""

from scim_bridge.scim import bulk, discovery, groups, searching, users
from scim_bridge.scim.protocol import PREFIX, blueprint, refuse_http

__all__ = ["PREFIX", "blueprint", "bulk", "discovery", "groups", "refuse_http", "searching", "users"]
