"""
The composition root: the one place that chooses the concrete parts and puts the doors together.

Doors are imported where they are put in: most verbs of the command line need none.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scim_bridge.identity.runtime import Runtime
from scim_bridge.settings import Settings
from scim_bridge.store import migrations
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import load_keyring

if TYPE_CHECKING:
    from flask import Flask

    from scim_bridge.domain.actors import Actor
    from scim_bridge.domain.attributes import AttributePath
    from scim_bridge.domain.provisioning import Document
    from scim_bridge.identity.backups import Copied
    from scim_bridge.identity.replays import Replayed
    from scim_bridge.identity.scim_port import ScimPort
    from scim_bridge.sync.dispatch.worker import Worker
    from scim_bridge.sync.scheduler import Scheduler
    from scim_bridge.sync.single import Workshop
    from scim_bridge.sync.targets import Targets


CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Process:
    """What a process that keeps clusters in step is made of."""

    runtime: Runtime
    targets: "Targets"
    scheduler: "Scheduler"

    def close(self) -> bool:
        """Stop the scheduler, let go of everything, and tell whether all that ran ended in time."""
        ended = self.scheduler.stop()
        if ended:
            # Whatever still hangs may use its connections until the process ends.
            self.targets.close()
            self.runtime.database.dispose()
        return ended


def open_runtime(settings: Settings) -> Runtime:
    """Open the database and the keys that the settings name; raises StoreError with a sentence."""
    return Runtime(settings, Database(settings.resolved_database_url), load_keyring(settings))


def open_workshop(opened: Runtime) -> "Workshop":
    """Return what passes of this installation are made with; gateways open at their first use."""
    from scim_bridge.sync.single import workshop_with
    from scim_bridge.sync.targets import Targets

    targets = Targets(opened.database, opened.keyring, opened.settings)
    return workshop_with(opened.database, targets, opened.settings)


def open_process(settings: Settings) -> Process:
    """Open what `run` and `scheduler` need; the scheduler is not started yet. Raises StoreError with a sentence."""
    from scim_bridge.chores import errands_of
    from scim_bridge.sync.scheduler import Scheduler
    from scim_bridge.sync.targets import Targets

    runtime = open_runtime(settings)
    targets = Targets(runtime.database, runtime.keyring, settings)
    return Process(runtime, targets, Scheduler(runtime.database, targets, settings, errands=errands_of(runtime)))


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """What `worker` is made of."""

    runtime: Runtime
    targets: "Targets"
    worker: "Worker"

    def run(self) -> bool:
        """Work until the worker is told to stop, let go of everything, and tell whether all that ran ended in time."""
        ended = self.worker.run()
        if ended:
            self.targets.close()
            self.runtime.database.dispose()
        return ended


def open_worker(settings: Settings) -> WorkerProcess:
    """Open what `worker` needs; nothing is taken from the queue yet. Raises Refused where there is none."""
    from scim_bridge.chores import shared_errands
    from scim_bridge.errors import Refused
    from scim_bridge.sync.targets import Targets

    if settings.engine != "procrastinate":
        raise Refused('Workers need `engine = "procrastinate"`: the schedulers do everything themselves now.')
    from scim_bridge.sync.dispatch.worker import Worker
    from scim_bridge.sync.scheduler import carried_out

    runtime = open_runtime(settings)
    targets = Targets(runtime.database, runtime.keyring, settings)
    worker = Worker(runtime.database, targets, settings, carried_out, shared_errands(runtime))
    return WorkerProcess(runtime, targets, worker)


def replay(
    opened: Runtime, actor: "Actor", organization: str, directory: str, entry: str, *, real: bool, over_newer: bool
) -> "Replayed":
    """Repeat a failed request through the SCIM door, in its directory's name; nothing is written unless ``real``."""
    from scim_bridge.identity import replays
    from scim_bridge.scim.replay import send

    asked = replays.prepare(opened.database, actor, organization, directory, entry)
    if real:
        replays.require_newest(asked, over_newer=over_newer)
        answer = send(create_app(opened.settings, opened), asked)
        return replays.report(opened.database, asked, answer)
    with replays.rehearse(opened.database) as rehearsal:
        answer = send(create_app(opened.settings, replace(opened, database=rehearsal)), asked)
        return replays.report(rehearsal, asked, answer)


def scim_port(opened: Runtime) -> "ScimPort":
    """Return what other doors need of the SCIM door."""
    from functools import partial

    from scim_bridge.identity.scim_port import ScimPort

    return ScimPort(_read_path, _read_user, partial(replay, opened))


def _read_path(text: str) -> "AttributePath":
    from scim_bridge.scim.filters import attribute_path

    return attribute_path(text)


def _read_user(body: Mapping[str, Any]) -> "Document":
    from scim_bridge.scim.attributes import USER
    from scim_bridge.scim.documents import read_document

    return read_document(body, USER)


@contextmanager
def answering(opened: Runtime) -> Iterator[tuple[str, bool]]:
    """
    Name the SCIM address at which this installation answers, and whether it is the public one.

    Where nothing listens at the public address, this process answers on the loopback while the block runs.
    """
    if _something_listens(opened.settings.base_url):
        yield opened.settings.scim_base_url, True
        return
    from werkzeug.serving import make_server

    from scim_bridge.scim.door import PREFIX

    server = make_server("127.0.0.1", 0, create_app(opened.settings, opened), threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="doctor")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}", False
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _something_listens(base_url: str) -> bool:
    parts = urlsplit(base_url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname or "", port), timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False


def create_app(settings: Settings, opened: Runtime | None = None) -> "Flask":
    """Return the WSGI application with every door of this release."""
    from flask import Flask

    from scim_bridge.api import door as api
    from scim_bridge.console import door as console
    from scim_bridge.identity.journal import Journal
    from scim_bridge.login import door as login
    from scim_bridge.scim import door as scim
    from scim_bridge.scim.lane import Lane
    from scim_bridge.web import context, health, look, metrics, unmatched
    from scim_bridge.web.encoding import OrjsonProvider
    from scim_bridge.web.limits import Limits
    from scim_bridge.web.paths import ForgivingPaths
    from scim_bridge.web.routing import LateRule

    app = Flask("scim_bridge", static_folder=None)
    app.url_rule_class = LateRule
    app.json = OrjsonProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    # Nobody asks; answered by Flask it would be the one answer that no door has written.
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    runtime = opened or open_runtime(settings)
    app.extensions[context.EXTENSION] = runtime
    app.extensions[context.SCIM] = scim_port(runtime)
    app.extensions[context.JOURNAL] = Journal(
        runtime.database,
        unknown_per_minute=settings.log_unknown_per_minute,
        unknown_most=settings.log_unknown_most,
    )
    app.extensions[context.LIMITS] = Limits(
        settings.requests_per_second, settings.requests_burst, settings.refused_per_minute
    )
    context.register(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(scim.blueprint)
    api.register(app, settings)
    look.register(app)
    login.register(app, settings)
    console.register(app)
    pages = {**dict.fromkeys(login.PREFIXES, login.refuse_http), console.PREFIX: console.refuse_http}
    unmatched.register(app, {scim.PREFIX: scim.refuse_http, api.PREFIX: api.refuse_http, **pages})
    app.wsgi_app = ForgivingPaths(Lane(app, app.wsgi_app), scim.PREFIX)  # type: ignore[method-assign]
    _surround(app, settings)
    return app


def _surround(app: "Flask", settings: Settings) -> None:
    """Put around the application what the settings ask for: traces, numbers, the addresses that a proxy tells."""
    from werkzeug.middleware.proxy_fix import ProxyFix

    from scim_bridge.web import meters, tracing

    if settings.tracing_endpoint:
        tracing.trace(app, settings)
    if settings.metrics_token is not None:
        app.wsgi_app = meters.Metered(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        # Addresses only: our own address is a setting, never what a Host header says.
        app.wsgi_app = ProxyFix(app.wsgi_app, settings.trusted_proxies, 0, 0, 0, 0)  # type: ignore[method-assign]


def create_local_api(opened: Runtime) -> "Flask":
    """Return the REST door alone, for the terminal of the installation: no port, no token, no other door."""
    from flask import Flask

    from scim_bridge.api import door as api
    from scim_bridge.web import context, unmatched
    from scim_bridge.web.encoding import OrjsonProvider
    from scim_bridge.web.routing import LateRule

    app = Flask("scim_bridge", static_folder=None)
    app.url_rule_class = LateRule
    app.json = OrjsonProvider(app)
    app.extensions[context.EXTENSION] = opened
    app.extensions[context.SCIM] = scim_port(opened)
    context.register(app)
    # Nobody at a terminal reads the document, and every verb would wait for it.
    api.register(app, opened.settings)
    unmatched.register(app, {api.PREFIX: api.refuse_http})
    return app


def upgrade_database(settings: Settings) -> str:
    """Migrate the database to this release and return its revision."""
    database = Database(settings.resolved_database_url)
    try:
        migrations.upgrade(database)
        return migrations.state(database)[1]
    finally:
        database.dispose()


def downgrade_database(settings: Settings, revision: str) -> str | None:
    """Take the database back to an older revision and return the one that it is at."""
    database = Database(settings.resolved_database_url)
    try:
        migrations.downgrade(database, revision)
        return migrations.state(database)[0]
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


def require_safe_start(settings: Settings) -> None:
    """
    Refuse to start a process with unsafe settings, or on a SQLite database that another host uses.

    Raises SettingsError and StoreError, each with a sentence.
    """
    from scim_bridge.identity.unsafe_settings import require_safe
    from scim_bridge.sync.one_host import HostClaim

    require_safe(settings)
    database = Database(settings.resolved_database_url)
    try:
        if database.is_sqlite and migrations.is_begun(database):
            HostClaim(database).take()
    finally:
        database.dispose()


def restore_backup(settings: Settings, file: Path, *, without_keys: bool) -> "Copied":
    """Fill the empty database of the settings with a back-up."""
    from scim_bridge.identity import backups

    database = Database(settings.resolved_database_url)
    try:
        return backups.restore(database, settings, file, without_keys=without_keys)
    finally:
        database.dispose()
