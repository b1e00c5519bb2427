"""The SCIM door, whole: importing the rooms gives the blueprint its routes."""

from scim_bridge.scim import bulk, discovery, groups, searching, users
from scim_bridge.scim.protocol import PREFIX, blueprint

__all__ = ["PREFIX", "blueprint", "bulk", "discovery", "groups", "searching", "users"]
