"""Secrets at rest: encrypted with the installation's keys (MultiFernet: the first key seals, all keys open)."""

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from scim_bridge.errors import StoreError
from scim_bridge.settings import Settings

KEY_FILE = "encryption.keys"


class Keyring:
    """Seals and opens secrets; its keys are never printed."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        """Take Fernet keys, the sealing one first. Raises StoreError for one that is not a key."""
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
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

    def reseal(self, sealed: str) -> str:
        """Encrypt a stored secret anew with the first key."""
        return self._fernet.rotate(sealed.encode()).decode()


def load_keyring(settings: Settings) -> Keyring:
    """Return the keyring of the settings; without keys there, one is made once in the home folder (mode 0600)."""
    keys = tuple(key.get_secret_value() for key in settings.encryption_keys)
    return Keyring(keys or _keys_in(settings.home))


def _keys_in(home: Path) -> tuple[str, ...]:
    file = home / KEY_FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        # Several may start at once: only one may make the key, so it is linked into place whole.
        draft = home / f".{KEY_FILE}.{secrets.token_hex(8)}"
        if not file.exists():
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                stream.write(Fernet.generate_key().decode() + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            try:
                os.link(draft, file)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        # What is not text is no key either, and is told so.
        return tuple(file.read_text(errors="replace").split())
    except OSError as error:
        raise StoreError(f"The key file {file} cannot be used: {error.strerror}.") from error
