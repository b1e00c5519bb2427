"""Somebody leaves: one request of the identity provider, and everything that they were in at that moment."""

import re
import shutil
from pathlib import Path
from typing import Any

import orjson

from scim_bridge.app import open_process
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import clusters, directories, grants
from scim_bridge.identity.clusters import ClusterWanted
from scim_bridge.identity.grants import GrantWanted
from tests.fakes.oidc_provider import open_provider
from tests.identity.signing_in import TERMINAL
from tests.journeys.bridge import subjects_in, wait_until
from tests.login.world import Browser, Login, open_login

USER = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ana", "externalId": "00u1"}
LEAVES = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "value": {"active": False}}],
}


class Okta:
    """The provisioning side of the identity provider."""

    def __init__(self, login: Login) -> None:
        made = directories.create(login.database, TERMINAL, "acme", "scim", DirectoryKind.OKTA)
        assert made.token is not None
        self._client = login.app.test_client()
        self._headers = {"Authorization": f"Bearer {made.token.text}", "Content-Type": "application/scim+json"}

    def send(self, method: str, path: str, document: object) -> Any:
        """Send a request that succeeds, and return what is answered."""
        data = orjson.dumps(document)
        answer = self._client.open(f"/scim/v2{path}", method=method, data=data, headers=self._headers)
        assert answer.status_code < 300, answer.text
        return orjson.loads(answer.data)


def own_token(browser: Browser) -> str:
    """Make a token in one's account."""
    browser.get("/account/organizations")
    browser.post("/account/organizations/acme/tokens", {"name": "laptop", "expires": "90d"})
    found = re.search(r"<code>(sbp_[\w-]+)</code>", browser.page)
    assert found is not None, browser.page
    return found[1]


def test_a_deactivation_over_scim_ends_the_session_at_its_next_click_the_token_at_its_next_call_and_the_bindings(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    copied, folder = shutil.copy(migrated_sqlite, tmp_path / "bridge.sqlite3"), tmp_path / "prod"
    with open_provider() as provider, open_login(f"sqlite:///{copied}", tmp_path, provider) as login:
        okta = Okta(login)
        ana = okta.send("POST", "/Users", USER)
        clusters.add(login.runtime, TERMINAL, "acme", ClusterWanted("prod", manifests=folder, approve_first_plan=True))
        wanted = GrantWanted("cluster:prod", person="ana", kubernetes_role="edit")
        grants.add(login.database, TERMINAL, "acme", wanted)
        browser = login.browser()
        login.come(browser, login.add(directory="scim"))
        token = own_token(browser)

        def call() -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return login.app.test_client().get("/api/v1/organizations/acme/members/me", headers=headers).status_code

        def may() -> bool:
            return subjects_in(folder).get(("", "edit")) == {"ana"}

        process = open_process(login.runtime.settings)
        process.scheduler.start()
        try:
            wait_until(may, "the binding")
            before = browser.is_signed_in(), call()

            okta.send("PATCH", f"/Users/{ana['id']}", LEAVES)

            after = browser.is_signed_in(), call()
            wait_until(lambda: not may(), "the binding to end")
        finally:
            process.close()
        back = login.come(login.browser(), login.add(directory="scim", name="again"))

    assert before == (True, 200)
    assert after == (False, 401)
    assert back.status_code == 403
