"""What an account proves itself with: password, one-time codes, recovery codes, and links to set a password by."""

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.keys import fold
from scim_bridge.domain.people import AccountId
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import (
    account,
    account_link,
    account_password,
    account_totp,
    passkey,
    recovery_code,
)


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account as its owner sees it."""

    id: AccountId
    email: str | None
    display_name: str | None

    @property
    def name(self) -> str:
        """Return what it is called."""
        return self.email or self.display_name or self.id


@dataclass(frozen=True, slots=True)
class Totp:
    """An account's one-time codes; not ``confirmed_at``: nobody has typed one yet, and they protect nothing."""

    sealed_secret: str = field(repr=False)
    confirmed_at: datetime | None
    last_step: int


@dataclass(frozen=True, slots=True)
class Methods:
    """Which methods an account has."""

    password: bool
    totp: bool
    recovery_codes: int
    passkeys: int

    @property
    def second_factor(self) -> bool:
        """Say whether a password alone does not open it."""
        return self.totp or self.passkeys > 0


def get_account(connection: sa.Connection, account_id: AccountId) -> AccountFacts:
    """Return an account."""
    query = sa.select(account.c.id, account.c.email, account.c.display_name).where(account.c.id == account_id)
    row = connection.execute(query).one()
    return AccountFacts(AccountId(row.id), row.email, row.display_name)


def find_password(connection: sa.Connection, email: str) -> tuple[AccountId, str] | None:
    """Return the account with this e-mail address that has a password, and the password's hash."""
    query = (
        sa.select(account.c.id, account_password.c.hash)
        .join(account_password, account_password.c.account_id == account.c.id)
        .where(account.c.email_key == fold(email))
        .order_by(account.c.id)
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else (AccountId(row.id), row.hash)


def password_of(connection: sa.Connection, account_id: AccountId) -> str | None:
    """Return the hash of an account's password."""
    query = sa.select(account_password.c.hash).where(account_password.c.account_id == account_id)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def set_password(connection: sa.Connection, account_id: AccountId, hashed: str, at: datetime) -> None:
    """Give an account a password, in place of the one that it has."""
    setting = sa.update(account_password).where(account_password.c.account_id == account_id)
    if connection.execute(setting.values(hash=hashed, changed_at=at)).rowcount == 0:
        connection.execute(sa.insert(account_password).values(account_id=account_id, hash=hashed, changed_at=at))


def totp_of(connection: sa.Connection, account_id: AccountId) -> Totp | None:
    """Return an account's one-time codes, kept from other writers until the transaction ends."""
    query = sa.select(account_totp).where(account_totp.c.account_id == account_id).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else Totp(row.sealed_secret, row.confirmed_at, row.last_step)


def put_totp(connection: sa.Connection, account_id: AccountId, sealed_secret: str, at: datetime) -> None:
    """Give an account one-time codes that nobody has typed yet, in place of what it had."""
    remove_totp(connection, account_id)
    values = {"account_id": account_id, "sealed_secret": sealed_secret, "created_at": at}
    connection.execute(sa.insert(account_totp).values(**values))


def accept_step(connection: sa.Connection, account_id: AccountId, step: int, at: datetime) -> bool:
    """Take a code's time step and tell whether it is later than every one taken before."""
    taking = sa.update(account_totp).where(account_totp.c.account_id == account_id, account_totp.c.last_step < step)
    confirmed = sa.func.coalesce(account_totp.c.confirmed_at, sa.literal(at, account_totp.c.confirmed_at.type))
    taken = connection.execute(taking.values(last_step=step, confirmed_at=confirmed)).rowcount > 0
    if taken:
        note_second_factor(connection, account_id)
    return taken


def remove_totp(connection: sa.Connection, account_id: AccountId) -> None:
    """Take one-time codes away."""
    connection.execute(sa.delete(account_totp).where(account_totp.c.account_id == account_id))
    note_second_factor(connection, account_id)


def note_second_factor(connection: sa.Connection, account_id: AccountId) -> None:
    """Say on the account whether it has a second factor; without any, its recovery codes go too."""
    has_one = methods_of(connection, account_id).second_factor
    connection.execute(sa.update(account).where(account.c.id == account_id).values(two_factor=has_one))
    if not has_one:
        connection.execute(sa.delete(recovery_code).where(recovery_code.c.account_id == account_id))


def replace_recovery_codes(connection: sa.Connection, account_id: AccountId, digests: list[str], at: datetime) -> None:
    """Give an account new recovery codes; those of before open nothing."""
    connection.execute(sa.delete(recovery_code).where(recovery_code.c.account_id == account_id))
    rows = [{"id": new_id(), "account_id": account_id, "digest": each, "created_at": at} for each in digests]
    connection.execute(sa.insert(recovery_code), rows)


def use_recovery_code(connection: sa.Connection, account_id: AccountId, digest: str, at: datetime) -> bool:
    """Use a recovery code up, and tell whether it was a good one."""
    using = sa.update(recovery_code).where(
        recovery_code.c.account_id == account_id, recovery_code.c.digest == digest, recovery_code.c.used_at.is_(None)
    )
    return connection.execute(using.values(used_at=at)).rowcount > 0


def methods_of(connection: sa.Connection, account_id: AccountId) -> Methods:
    """Return which methods an account has."""
    confirmed = sa.select(account_totp.c.account_id).where(
        account_totp.c.account_id == account_id, account_totp.c.confirmed_at.is_not(None)
    )
    codes = (
        sa.select(sa.func.count())
        .select_from(recovery_code)
        .where(recovery_code.c.account_id == account_id, recovery_code.c.used_at.is_(None))
    )
    passkeys = sa.select(sa.func.count()).select_from(passkey).where(passkey.c.account_id == account_id)
    return Methods(
        password_of(connection, account_id) is not None,
        connection.execute(confirmed).first() is not None,
        int(connection.execute(codes).scalar_one()),
        int(connection.execute(passkeys).scalar_one()),
    )


def insert_link(
    connection: sa.Connection, account_id: AccountId, digest: str, at: datetime, expires_at: datetime
) -> None:
    """Add a link with which a password is set once; earlier ones of the account open nothing any more."""
    earlier = sa.update(account_link).where(account_link.c.account_id == account_id, account_link.c.used_at.is_(None))
    connection.execute(earlier.values(used_at=at))
    values = {"id": new_id(), "account_id": account_id, "digest": digest, "created_at": at, "expires_at": expires_at}
    connection.execute(sa.insert(account_link).values(**values))


def look_at_link(connection: sa.Connection, digest: str, at: datetime) -> AccountId | None:
    """Return whose a link is that is still good."""
    query = sa.select(account_link.c.account_id).where(
        account_link.c.digest == digest, account_link.c.used_at.is_(None), account_link.c.expires_at > at
    )
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else AccountId(found)


def use_link(connection: sa.Connection, digest: str, at: datetime) -> AccountId | None:
    """Use a link up and return whose it is; of two who bring it at once, one gets it."""
    found = look_at_link(connection, digest, at)
    using = sa.update(account_link).where(account_link.c.digest == digest, account_link.c.used_at.is_(None))
    return found if found and connection.execute(using.values(used_at=at)).rowcount else None
