"""
What a pass costs when there is nothing to do: 10,000 bindings of ten subjects each, all as they should be.

The floor is what nobody can save: reading the same objects from JSON with orjson. Printed as a ratio to it, in CPU
time of this process, the best of five.
"""

import time
from collections.abc import Callable

import orjson

from scim_bridge.clusters.gateway import ObservedBinding
from scim_bridge.clusters.objects import from_object, to_object
from scim_bridge.domain.bindings import Binding, BindingKey, Family, binding_name
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.planning import plan_changes
from scim_bridge.domain.roles import KubernetesRole

BINDINGS, SUBJECTS, ROUNDS = 10_000, 10, 5
INSTANCE, CLUSTER = "bench", ClusterId("c1")


def made(number: int) -> Binding:
    """Return one namespace's binding."""
    family = Family(f"team-{number:05}", KubernetesRole.EDIT)
    subjects = tuple(f"oidc:person-{number:05}-{index}@example.com" for index in range(SUBJECTS))
    return Binding(BindingKey(OrganizationId("o1"), CLUSTER, family), subjects)


def best(work: Callable[[], object]) -> float:
    """Return the least CPU seconds that the work took."""
    taken = []
    for _ in range(ROUNDS):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return min(taken)


def main() -> None:
    """Measure, check that nothing would be written, and print."""
    desired = [made(number) for number in range(BINDINGS)]
    text = orjson.dumps([to_object(INSTANCE, binding) for binding in desired])
    seen = [ObservedBinding(each, binding_name(INSTANCE, each.key), "uid", "1") for each in map(made, range(BINDINGS))]
    if not plan_changes(CLUSTER, desired, seen).is_empty:
        raise SystemExit("a pass with nothing to do would write")
    floor = best(lambda: orjson.loads(text))
    reading = best(lambda: [from_object(INSTANCE, each) for each in orjson.loads(text)])
    planning = best(lambda: plan_changes(CLUSTER, desired, seen))
    print(f"{BINDINGS} bindings of {SUBJECTS} subjects, nothing to do, CPU seconds (share of the floor):")
    for name, seconds in (("floor: orjson.loads", floor), ("read and check ours", reading), ("plan", planning)):
        print(f"  {name:<22}{seconds:8.3f}  {seconds / floor:6.1f}x")


if __name__ == "__main__":
    main()
