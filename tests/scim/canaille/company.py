"""
A company whose people live in Canaille; runs in Canaille's own environment, with its libraries and not with ours.

Called with the SCIM base URL and the token. Canaille pushes at each save and delete, and keeps its failures to itself.
"""

import sys
from datetime import UTC, datetime
from typing import Any

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend

SETTINGS = {
    "SECRET_KEY": "of no use to anybody",
    # It builds addresses of its own people for what it pushes.
    "SERVER_NAME": "canaille.localhost",
    "CANAILLE": {"DATABASE": "memory"},
    # A client at a trusted domain is told of everybody, without anybody's consent.
    "CANAILLE_OIDC": {"TRUSTED_DOMAINS": ["127.0.0.1"]},
    "CANAILLE_SCIM": {"ENABLE_CLIENT": True},
}


def main(base_url: str, token: str) -> None:
    """Hire three people into a group; then one is renamed, one dismissed, and a second group comes and goes."""
    app = create_app(SETTINGS)
    with app.app_context(), app.backend.session():
        save(connection(base_url, token))
        ada, bob, cyd = hire("ada", "King"), hire("bob", "Bell"), hire("cyd", "Cole")
        save(models.Group(display_name="engineers", members=[ada, bob, cyd]))
        readers = models.Group(display_name="readers", members=[bob])
        save(readers)

        # It is in a group now; saved as it was before, it would be taken out again.
        Backend.instance.reload(ada)
        ada.user_name, ada.family_name = "lovelace", "Lovelace"
        save(ada)
        Backend.instance.delete(cyd)
        Backend.instance.delete(readers)


def connection(base_url: str, token: str) -> Any:
    """Return the bridge as a client of Canaille; the token is the one that Canaille will send there."""
    client = models.Client(client_id="bridge", client_name="bridge", client_uri=base_url)
    save(client)
    return models.Token(
        token_id="bridge",
        access_token=token,
        client=client,
        audience=[client],
        subject=None,
        scope=["openid"],
        issue_date=datetime.now(UTC),
        lifetime=3600,
    )


def hire(name: str, family_name: str) -> Any:
    """Save a person, with an address at an internal domain."""
    whole = f"{name.title()} {family_name}"
    person = models.User(
        user_name=name,
        given_name=name.title(),
        family_name=family_name,
        formatted_name=whole,
        display_name=whole,
        emails=[f"{name}@acme.example"],
        password="a secret of their own",
    )
    save(person)
    return person


def save(thing: Any) -> None:
    """Save something, whereupon Canaille pushes it."""
    Backend.instance.save(thing)


if __name__ == "__main__":
    main(*sys.argv[1:])
