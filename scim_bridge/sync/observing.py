"""What a pass looks at on a cluster; what it could not see is unknown, and unknown is not empty."""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from scim_bridge.clusters.gateway import Gateway, ObservedBinding
from scim_bridge.domain.bindings import Binding, BindingKey
from scim_bridge.domain.desired import Condition
from scim_bridge.errors import ClusterError, ClusterUnreachable

MOST_READS = 2000
"""So many objects that a list left out are read by name; the rest is for the next pass."""


@dataclass(frozen=True, slots=True)
class Observation:
    """
    The bindings that were seen on a cluster.

    ``readable`` are the wanted bindings that may be planned; None stands for all of them. ``is_whole`` is False when
    something may be there that was not seen: then nothing is inferred. ``gone`` are recorded objects that a read by
    name did not find, ``problem`` is why the cluster could not be listed.
    """

    bindings: tuple[ObservedBinding, ...] = ()
    readable: tuple[Binding, ...] | None = None
    is_whole: bool = True
    gone: tuple[BindingKey, ...] = ()
    problem: ClusterError | None = None
    conditions: tuple[Condition, ...] = field(default=())


def read_namespaces(gateway: Gateway) -> Mapping[str, Mapping[str, str]] | None:
    """Return the cluster's namespaces with their labels, None when they could not be read."""
    try:
        return gateway.namespaces()
    except ClusterError:
        # Unknown, not empty: selectors grant nothing new, and the list that follows will fail or hold.
        return None


def observe(gateway: Gateway, wanted: Iterable[Binding], recorded: Collection[BindingKey], readers: int) -> Observation:
    """
    Look at a cluster: one consistent list, and by name what the record has and the list has not.

    A list that is empty by mistake looks like a cluster where everything was deleted; a read by name tells them
    apart. After a failed list each wanted object is read by itself, so that additions still go on.
    """
    try:
        listed = gateway.list_bindings()
    except ClusterError as error:
        return _one_by_one(gateway, wanted, error)
    seen = {each.binding.key for each in listed}
    missing = sorted((key for key in recorded if key not in seen), key=lambda key: key.sort_key)
    if not missing:
        return Observation(tuple(listed))
    return _with_missing(gateway, listed, missing, readers)


def _one_by_one(gateway: Gateway, wanted: Iterable[Binding], problem: ClusterError) -> Observation:
    observed: list[ObservedBinding] = []
    readable = []
    for binding in wanted:
        try:
            seen = gateway.get(binding.key)
        except ClusterUnreachable:
            # It hangs or is down: asking for the other thousand would only take as long again.
            break
        except ClusterError:
            continue
        readable.append(binding)
        if seen is not None:
            observed.append(seen)
    return Observation(tuple(observed), tuple(readable), is_whole=False, problem=problem)


def _with_missing(
    gateway: Gateway, listed: list[ObservedBinding], missing: list[BindingKey], readers: int
) -> Observation:
    with ThreadPoolExecutor(readers) as pool:
        read = list(pool.map(lambda key: _read(gateway, key), missing[:MOST_READS]))
    found = [each for each in read if isinstance(each, ObservedBinding)]
    gone = tuple(key for key, each in zip(missing, read, strict=False) if each is None)
    unread = sum(isinstance(each, ClusterError) for each in read)
    # One that lost our labels is rightly not in a list by label; it is written anew.
    left_out = sum(each.intact for each in found)
    conditions = []
    if left_out or unread:
        message = (
            f"the cluster's list left out bindings that were written: {left_out} of them are there when read by name, "
            f"{unread} could not be read; nothing is taken away that nobody asked for"
        )
        conditions.append(Condition("ListIncomplete", "", message))
    return Observation((*listed, *found), None, not conditions, gone, conditions=tuple(conditions))


def _read(gateway: Gateway, key: BindingKey) -> ObservedBinding | ClusterError | None:
    try:
        return gateway.get(key)
    except ClusterError as error:
        return error
