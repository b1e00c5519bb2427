"""Secrets at rest: encrypted with the installation's keys (MultiFernet: the first key seals, all keys open)."""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from scim_bridge.errors import StoreError
from scim_bridge.settings import Settings

KEY_FILE = "encryption.keys"


class Keyring:
    """Seals and opens secrets; its keys are never printed."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        """Take Fernet keys, the sealing one first. Raises StoreError for one that is not a key."""
        self.fingerprints = tuple(fingerprint(key) for key in keys)
        try:
            self._fernets = [Fernet(key) for key in keys]
            self._fernet = MultiFernet(self._fernets)
        except ValueError as error:
            raise StoreError(
                "An encryption key is not usable: it must be 32 bytes in URL-safe base64, "
                'as `python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"` prints.'
            ) from error

    def seal(self, secret: str) -> str:
        """Encrypt a secret for storing."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt a stored secret; raises StoreError when no key of ours sealed it."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise StoreError(
                "A stored secret cannot be opened with the present encryption keys: restore the key that sealed it."
            ) from None

    def opens(self, sealed: str) -> bool:
        """Tell whether a key of ours sealed a value."""
        return self.sealer_of(sealed) is not None

    def sealer_of(self, sealed: str) -> str | None:
        """Return the fingerprint of the key that sealed a value, None where none of ours did."""
        for name, key in zip(self.fingerprints, self._fernets, strict=True):
            with suppress(InvalidToken):
                key.decrypt(sealed.encode())
                return name
        return None

    def reseal(self, sealed: str) -> str:
        """Encrypt a stored secret anew with the first key."""
        return self._fernet.rotate(sealed.encode()).decode()


def fingerprint(key: str) -> str:
    """Return what a key may be called by where others read it: it says which one it is, and nothing about it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def load_keyring(settings: Settings) -> Keyring:
    """Return the keyring of the settings; without keys there, one is made once in the home folder (mode 0600)."""
    return Keyring(load_keys(settings))


def load_keys(settings: Settings) -> tuple[str, ...]:
    """Return the keys themselves, the sealing one first: for whoever keeps them elsewhere. Raises StoreError."""
    return tuple(key.get_secret_value() for key in settings.encryption_keys) or _keys_in(settings.home)


def write_keys(file: Path, keys: tuple[str, ...]) -> None:
    """Write keys to a new file that its owner alone can read; raises StoreError where one is there already."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write("".join(f"{key}\n" for key in keys))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise StoreError(f"The key file {file} cannot be written: {error.strerror}.") from error


def read_keys(file: Path) -> tuple[str, ...]:
    """Return the keys of a file; raises StoreError where it cannot be read."""
    try:
        # What is not text is no key either, and is told so.
        return tuple(file.read_text(errors="replace").split())
    except OSError as error:
        raise StoreError(f"The key file {file} cannot be used: {error.strerror}.") from error


def _keys_in(home: Path) -> tuple[str, ...]:
    file = home / KEY_FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        # Several may start at once: only one may make the key, so it is linked into place whole.
        draft = home / f".{KEY_FILE}.{secrets.token_hex(8)}"
        if not file.exists():
            write_keys(draft, (new_key(),))
            try:
                os.link(draft, file)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return read_keys(file)
    except OSError as error:
        raise StoreError(f"The key file {file} cannot be used: {error.strerror}.") from error


def add_key(home: Path, key: str) -> None:
    """Put a key in front of those in the home folder, whole or not at all; raises StoreError."""
    before, file = _keys_in(home), home / KEY_FILE
    draft = home / f".{KEY_FILE}.{secrets.token_hex(8)}"
    write_keys(draft, (key, *before))
    draft.replace(file)


def drop_keys(home: Path) -> None:
    """Keep only the first of the keys in the home folder; raises StoreError."""
    file = home / KEY_FILE
    draft = home / f".{KEY_FILE}.{secrets.token_hex(8)}"
    write_keys(draft, read_keys(file)[:1])
    draft.replace(file)


def new_key() -> str:
    """Return a key that nobody has yet."""
    return Fernet.generate_key().decode()
