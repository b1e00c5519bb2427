"""An organization's audit with entries of every sort in it, sealed and ready to be tampered with."""

from datetime import datetime

import sqlalchemy as sa
from cryptography.fernet import Fernet

from scim_bridge.identity import audit
from scim_bridge.identity.audit import Verdict
from scim_bridge.store import schema
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import Keyring
from scim_bridge.sync.sealer import Sealer
from tests.identity.provider import HANDS, Provider

KEYRING = Keyring((Fernet.generate_key().decode(),))


def seal(database: Database, at: datetime | None = None) -> int:
    """Seal all that waits, as the scheduler does."""
    sealer = Sealer(database, KEYRING, now if at is None else lambda: at)
    sealed = sealer.seal()
    sealer.close()
    return sealed


def busy(database: Database) -> Provider:
    """Let an identity provider do what it does on any day, and seal it."""
    okta = Provider.connect(database)
    ana, ben = okta.post("ana@acme.example"), okta.post("ben@acme.example")
    group = okta.post_group("devs", ana.id, ben.id)
    okta.remove(group.id, ben.id)
    okta.patch(ben.id, active=False)
    seal(database)
    return okta


def verdict(database: Database, slug: str = "acme") -> Verdict:
    """Verify the audit."""
    return audit.verify(database, KEYRING, HANDS, slug)


def change_row(database: Database, table: str, where: dict[str, object], **values: object) -> None:
    """Change rows behind the bridge's back."""
    found = schema.metadata.tables[table]
    conditions = [found.c[name] == value for name, value in where.items()]
    with database.write() as connection:
        assert connection.execute(sa.update(found).where(*conditions).values(values)).rowcount > 0
