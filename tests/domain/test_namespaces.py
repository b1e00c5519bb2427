"""Which namespaces a selector takes, and which it leaves out."""

import pytest

from scim_bridge.domain.namespaces import NAME_LABEL, parse_selector
from scim_bridge.errors import Invalid


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ("team=web", {"team": "web"}, True),
        ("team=web", {"team": "shop"}, False),
        ("team=web", {}, False),
        ("team=web,stage!=lab", {"team": "web"}, True),
        ("team=web,stage!=lab", {"team": "web", "stage": "prod"}, True),
        ("team=web, stage!=lab", {"team": "web", "stage": "lab"}, False),
        ("team=web,stage!=lab,stage!=test", {"team": "web", "stage": "test"}, False),
        (f"team=web,{NAME_LABEL}!=here", {"team": "web"}, False),
        (f"team=web,{NAME_LABEL}!=there", {"team": "web"}, True),
    ],
)
def test_a_namespace_is_selected_by_what_it_has_and_left_out_by_what_it_must_not_have(
    selector: str, labels: dict[str, str], expected: bool
) -> None:
    assert parse_selector(selector).selects("here", labels) is expected


@pytest.mark.parametrize("selector", ["", "team", "!team", "team in (a)", "team==web", "a=b,,c=d", "=x", "team!web"])
def test_what_is_no_selector_is_refused(selector: str) -> None:
    with pytest.raises(Invalid, match="key=value"):
        parse_selector(selector)


def test_a_selector_that_only_leaves_out_would_take_everybody_elses_and_is_refused() -> None:
    with pytest.raises(Invalid, match="only what it leaves out"):
        parse_selector("stage!=prod")
