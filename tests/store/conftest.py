"""The migrated database of the use cases, for tables that only make sense with people in them."""

from tests.identity.conftest import actor, database

__all__ = ["actor", "database"]
