"""Secrets at rest."""

from pathlib import Path
from threading import Thread

import pytest
from cryptography.fernet import Fernet

from scim_bridge.errors import StoreError
from scim_bridge.settings import Settings
from scim_bridge.store.sealing import KEY_FILE, Keyring, load_keyring


def test_a_sealed_secret_is_unreadable_and_opens_again() -> None:
    keyring = Keyring((Fernet.generate_key().decode(),))

    sealed = keyring.seal("kubeconfig with a token")

    assert "token" not in sealed
    assert keyring.open(sealed) == "kubeconfig with a token"


def test_a_rotated_key_still_opens_old_secrets_and_seals_new_ones() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Keyring((old,)).seal("secret")

    resealed = Keyring((new, old)).reseal(sealed)

    assert Keyring((new,)).open(resealed) == "secret"


def test_a_lost_key_is_one_clear_sentence() -> None:
    sealed = Keyring((Fernet.generate_key().decode(),)).seal("secret")

    with pytest.raises(StoreError, match="restore the key"):
        Keyring((Fernet.generate_key().decode(),)).open(sealed)


def test_a_word_is_not_a_key_and_is_not_repeated_in_the_error() -> None:
    with pytest.raises(StoreError) as caught:
        Keyring(("correct horse",))

    assert "correct horse" not in str(caught.value)


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = load_keyring(Settings(home=tmp_path))

    second = load_keyring(Settings(home=tmp_path))

    assert second.open(first.seal("secret")) == "secret"
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    keyrings: list[Keyring] = []
    threads = [Thread(target=lambda: keyrings.append(load_keyring(Settings(home=tmp_path / "new")))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(keyrings) == 8
    assert {keyring.open(keyrings[0].seal("secret")) for keyring in keyrings} == {"secret"}


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="cannot be used"):
        load_keyring(Settings(home=tmp_path / "file" / "home"))
