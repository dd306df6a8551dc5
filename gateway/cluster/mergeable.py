"""Mergeable: one provider of each group gets the call, and the answers become one.

For services whose groups hold parts of the whole: a catalogue by region, stock by warehouse. The reference's group is
`*` or `a,b`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from gateway.cluster.attempt import explained
from gateway.cluster.children import Children
from gateway.cluster.context import ClusterContext
from gateway.cluster.merger import AUTO, FIRST, NAMES, Merge, is_merger, merger
from gateway.cluster.trouble import worst_retry
from gateway.config.scalar import Text, one_of
from gateway.config.sections.choice import Cluster as ClusterConfig
from gateway.config.sections.choice import ClusterChoice, without
from gateway.config.sections.section import Section
from gateway.config.suggestion import suggestion
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import ContractError, NoProvider, Retry, RpcError, ValueMappingError, restated
from gateway.spi.cluster import Candidates, Cluster, Invoker
from gateway.spi.plugin import ClusterPlugin, Misfit
from gateway.telemetry.logs import shorten

__all__ = ["PLUGIN", "Mergeable", "MergeableOptions"]


def _known(name: str) -> str:
    if not is_merger(name):
        raise ValueError(
            f"{name!r} is not one of {', '.join(NAMES)}, nor a function{suggestion(name, NAMES, listed=0)}"
        )
    return name


def _of_its_group(choice: ClusterChoice) -> ClusterChoice:
    return without(choice, ("failback",), "it would send the call of one group again to any of them")


class MergeableOptions(Section):
    """How answers become one."""

    merger: Annotated[Text, AfterValidator(_known)] = AUTO
    """`auto` by the return type (lists, sets, maps), `list`, `set`, `map`, `sum`, a function of the list of values
    (`package.module:function`), or `first`: only the first group that has somebody to offer is called."""

    on_failure: Annotated[Literal["fail", "skip"], one_of("fail", "skip")] = "fail"
    """What it means that a group gives no answer, throws, or has no provider: `fail` the call, or `skip` the group as
    long as another one answers."""

    cluster: Annotated[ClusterConfig, AfterValidator(_of_its_group)] = ClusterChoice(type="failover")
    """The mode that makes the call within each group; not `failback`, which knows no groups."""


class Mergeable:
    """Calls all groups at the same time and merges what they return.

    `inner`: makes the call within a group. `groups`: those that must be there, in the order in which they are merged;
    empty for all that are there, in the registry's order.

    Raises:
        ContractError: there is no such merging function.
        ValueMappingError: the answers of some method cannot be merged; says which.
    """

    __slots__ = ("_generic", "_groups", "_inner", "_merges", "_options")

    def __init__(
        self,
        options: MergeableOptions,
        inner: Cluster,
        groups: Sequence[str] = (),
        contract: ServiceContract | None = None,
        methods: Sequence[MethodContract] = (),
    ) -> None:
        self._options = options
        self._inner = inner
        self._groups = tuple(groups)
        merging = options.merger != FIRST
        self._generic = merger(options.merger, None, None) if merging else None
        self._merges: Mapping[str, Merge] = (
            {each.attribute: merger(options.merger, each, contract) for each in methods} if merging else {}
        )

    async def __call__(self, invocation: Invocation, candidates: Candidates) -> Result:
        """One answer made of those of all groups.

        Raises:
            NoProvider: there is no candidate, or none of a group that must be there.
            RpcError: groups gave no answer; says which.
        """
        found = candidates.partition(_group)
        names = [each for each in self._groups if each in found] if self._groups else list(found)
        if not names:
            candidates.pick()
        if self._options.merger == FIRST:
            return await self._inner(invocation, found[_first(names, found)])
        missing = [each for each in self._groups if each not in found]
        skip = self._options.on_failure == "skip"
        if missing and not skip:
            what = f"no provider of group {', '.join(map(repr, missing))}"
            raise NoProvider(f"{what} for {invocation.service}.{shorten(invocation.method)}: {candidates.explain()}")
        outcomes: dict[str, Result | RpcError] = {}
        async with Children[str, Result]() as children:
            for name in names:
                children.start(name, self._inner(invocation, found[name]))
            while children:
                name, task = await children.next()
                try:
                    outcomes[name] = result = task.result()
                    if isinstance(result, Ok) and len(names) > 1:
                        # A raw answer that does not fit the contract is no answer.
                        _ = result.value
                except RpcError as error:
                    outcomes[name] = error
                if not skip and not isinstance(outcomes[name], Ok):
                    break
        in_order = {name: outcomes[name] for name in names if name in outcomes}
        return self._merged(invocation, candidates, in_order, is_one=len(names) == 1)

    def _merged(
        self,
        invocation: Invocation,
        candidates: Candidates,
        outcomes: Mapping[str, Result | RpcError],
        *,
        is_one: bool,
    ) -> Result:
        answers = [each for each in outcomes.values() if isinstance(each, Ok)]
        errors = {name: each for name, each in outcomes.items() if isinstance(each, RpcError)}
        faults = [each for each in outcomes.values() if isinstance(each, Fault)]
        if not answers or self._options.on_failure == "fail":
            if faults:
                return faults[0]
            if errors:
                if is_one:
                    raise next(iter(errors.values()))
                raise explained(_failure(invocation, errors), candidates)
        signature = invocation.signature
        merge = self._generic if signature is None else self._merges.get(signature.attribute, self._generic)
        assert merge is not None, "whoever takes the first group merges nothing"
        if len(answers) == 1 and ":" not in self._options.merger:
            # As it came: it may be on its way to a peer of the same wire.
            return answers[0]
        return Ok(None) if invocation.oneway else Ok(merge([each.value for each in answers]))


def _group(invoker: Invoker) -> str:
    return invoker.endpoint.service.group


def _first(names: Sequence[str], found: Mapping[str, Candidates]) -> str:
    """The first group with somebody to offer, or the first at all."""
    for name in names:
        if any(each.available and not each.load.ejected for each in found[name].invokers):
            return name
    return names[0]


def _failure(invocation: Invocation, errors: Mapping[str, RpcError]) -> RpcError:
    lines = "; ".join(f"group {name!r} {each.code}: {shorten(str(each))}" for name, each in errors.items())
    retry = worst_retry(errors.values())
    gravest = next(each for each in errors.values() if each.retry is retry)
    made = restated(gravest, f"{invocation.service}.{shorten(invocation.method)} was not answered by all: {lines}")
    # Other groups have been called, and are called again by whoever repeats this.
    made.retry = Retry.IF_IDEMPOTENT if retry is Retry.SAFE else retry
    made.exhausted = True
    return made


def _build(options: MergeableOptions, context: ClusterContext) -> Mergeable:
    groups = context.service.groups
    wanted = () if groups == ("*",) else groups
    return Mergeable(options, context.mode(options.cluster), wanted, context.contract, context.methods)


def _check(options: MergeableOptions, contract: ServiceContract, methods: Iterable[MethodContract]) -> Sequence[Misfit]:
    if options.merger == FIRST:
        return ()
    at = ("merger",) if options.merger != AUTO else ()
    found = []
    for method in methods:
        try:
            merger(options.merger, method, contract)
        except ContractError as exc:
            return [Misfit(at, str(exc))]
        except ValueMappingError as exc:
            found.append(Misfit(at, str(exc)))
    return found


PLUGIN: Final = ClusterPlugin("mergeable", MergeableOptions, _build, _check)
