"""The published schemas accept what identity providers really send."""

from typing import Any

import pytest

from scim_bridge.scim.models import EnterpriseUser, Group, User

GENERIC: Any = User
MODEL = GENERIC[EnterpriseUser]


@pytest.mark.parametrize(
    "email", ["ada@corp.local", "Ada@CORP.local", "ada@intranet", "a.@x.example", "ada@under_score.example", ""]
)
def test_an_e_mail_address_is_kept_as_it_was_sent(email: str) -> None:
    user = MODEL.model_validate({"userName": "ada", "emails": [{"value": email}]})

    assert user.emails is not None
    assert user.emails[0].value == email


@pytest.mark.parametrize("field", [{"profileUrl": "not a url"}, {"photos": [{"value": "photo 1"}]}])
def test_an_address_that_is_no_url_is_no_reason_to_refuse(field: dict[str, Any]) -> None:
    assert MODEL.model_validate({"userName": "ada", **field})


def test_a_manager_is_known_by_id_alone() -> None:
    manager = EnterpriseUser.model_validate({"manager": {"value": "boss"}}).manager

    assert manager is not None
    assert (manager.value, manager.ref) == ("boss", None)


@pytest.mark.parametrize(("model", "name"), [(User, "User"), (EnterpriseUser, "EnterpriseUser"), (Group, "Group")])
def test_the_schemas_keep_their_published_names(model: Any, name: str) -> None:
    schema = model.to_schema().model_dump()

    assert schema["name"] == name
    assert schema["id"].rpartition(":")[2] == name.removeprefix("Enterprise")
