"""
A company whose people sign in with Canaille; runs in Canaille's own environment, with its libraries and not with ours.

Called with its port and the bridge's address; says on standard output when it listens.
"""

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend


def main(port: str, bridge: str) -> None:
    """Serve a company of two people in one group."""
    settings = {
        "SECRET_KEY": "of no use to anybody",
        "SERVER_NAME": f"127.0.0.1:{port}",
        "PREFERRED_URL_SCHEME": "http",
        "CANAILLE": {"DATABASE": "memory"},
        "CANAILLE_OIDC": {"TRUSTED_DOMAINS": ["127.0.0.1"]},
    }
    app = create_app(settings)
    with app.app_context(), app.backend.session():
        ana = models.User(
            user_name="ana",
            family_name="Ang",
            formatted_name="Ana Ang",
            emails=["ana@acme.example"],
            password="a secret of her own",
        )
        Backend.instance.save(ana)
        Backend.instance.save(models.Group(display_name="Engineers", members=[ana]))
        client = models.Client(
            client_id="bridge",
            client_secret="a secret between the two",
            client_name="bridge",
            client_uri=bridge,
            redirect_uris=[f"{bridge}/login/callback"],
            post_logout_redirect_uris=[f"{bridge}/logout/done"],
            grant_types=["authorization_code"],
            response_types=["code"],
            scope=["openid", "profile", "email", "groups"],
            token_endpoint_auth_method="client_secret_basic",
        )
        Backend.instance.save(client)
        client.audience = [client]
        Backend.instance.save(client)
    server = make_server("127.0.0.1", int(port), app, handler_class=Quiet)
    print("ready", flush=True)
    server.serve_forever()


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    main(*sys.argv[1:])
