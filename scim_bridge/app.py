"""
The composition root: the one place that chooses the concrete parts and puts the doors together.

Doors are imported where they are put in: most verbs of the command line need none.
"""

from typing import TYPE_CHECKING

from scim_bridge.identity.runtime import Runtime
from scim_bridge.settings import Settings
from scim_bridge.store import migrations
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import load_keyring

if TYPE_CHECKING:
    from flask import Flask

    from scim_bridge.sync.single import Workshop


def open_runtime(settings: Settings) -> Runtime:
    """Open the database and the keys that the settings name; raises StoreError with a sentence."""
    return Runtime(settings, Database(settings.resolved_database_url), load_keyring(settings))


def open_workshop(opened: Runtime) -> "Workshop":
    """Return what passes of this installation are made with; gateways open at their first use."""
    from scim_bridge.sync.policies import PassPolicy
    from scim_bridge.sync.single import Workshop
    from scim_bridge.sync.targets import Targets

    targets = Targets(opened.database, opened.keyring, opened.settings)
    return Workshop(opened.database, targets, PassPolicy.of(opened.settings), opened.settings.lease_seconds)


def create_app(settings: Settings, opened: Runtime | None = None) -> "Flask":
    """Return the WSGI application with every door of this release."""
    from flask import Flask

    from scim_bridge.web import health
    from scim_bridge.web.context import EXTENSION

    app = Flask("scim_bridge", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.extensions[EXTENSION] = opened or open_runtime(settings)
    app.register_blueprint(health.blueprint)
    return app


def upgrade_database(settings: Settings) -> str:
    """Migrate the database to this release and return its revision."""
    database = Database(settings.resolved_database_url)
    try:
        migrations.upgrade(database)
        return migrations.state(database)[1]
    finally:
        database.dispose()


def check_database(settings: Settings) -> str:
    """Return the database's revision; raises StoreError unless it is this release's."""
    database = Database(settings.resolved_database_url)
    try:
        migrations.check(database)
        return migrations.state(database)[1]
    finally:
        database.dispose()
