"""The public conformity tester finds nothing to complain about."""

import pytest
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from tests.scim.doors import Directory, World

# Nothing else may be passed over: what a server does not offer has to be a decision of its own.
NOT_OFFERED = ("searching several resource types at once",)


@pytest.mark.slow
def test_the_conformity_tester_has_no_complaint(okta: Directory, world: World) -> None:
    client = WSGISCIMClient(
        world.app,
        base_url="https://scim.example/scim/v2",
        headers={"Authorization": f"Bearer {okta.token}"},
    )

    results = check_server(client)

    complaints = [
        f"{each.title} {each.resource_type}: {each.reason}"
        for each in results
        if each.status not in (Status.SUCCESS, Status.COMPLIANT)
        and not (each.status is Status.SKIPPED and any(reason in str(each.reason) for reason in NOT_OFFERED))
    ]
    assert complaints == []
    assert len(results) > 40
