"""Routes whose addresses are compiled late are the same routes."""

from werkzeug.routing import Map, Rule

from scim_bridge.web.routing import LateRule

RULES = ("/people/<person>", "/rules/<rule>", "/people/<int:number>/<path:rest>", "/plain")


def _adapter(kind: type[Rule]) -> Map:
    return Map([kind(rule, endpoint=rule, defaults={"kind": "x"} if rule == "/plain" else None) for rule in RULES])


def test_addresses_are_those_that_werkzeug_writes() -> None:
    asked: tuple[tuple[str, dict[str, object]], ...] = (
        (RULES[1], {"rule": "7"}),
        (RULES[0], {"person": "ana/ä ?"}),
        (RULES[0], {"person": "ana", "more": "a&b"}),
        (RULES[2], {"number": 7, "rest": "a/b"}),
        (RULES[3], {}),
    )

    ours, theirs = (
        [_adapter(kind).bind("x.example").build(endpoint, values) for endpoint, values in asked * 2]
        for kind in (LateRule, Rule)
    )

    assert ours == theirs


def test_nothing_is_compiled_before_it_is_asked_for() -> None:
    rules = _adapter(LateRule)
    [rule] = [each for each in rules.iter_rules() if each.rule == RULES[0]]
    before = rule._build_unknown

    rules.bind("x.example").build(RULES[0], {"person": "ana"})

    assert rule._build_unknown is not before
