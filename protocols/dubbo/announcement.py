"""What a registry tells of a service beside its address, so that Java consumers need not be configured for it.

A consumer's Dubbo takes an argument for a callback where the URL that it calls says `<method>.<position>.callback`:
`true` offers it, `false` takes it back; `callbacks` is how many of one interface it offers on a connection. That URL is
the provider's, with what the consumer's own configuration says on top. Dubbo 3 asks `methods` first, and takes the
provider's word for them.

Source: apache/dubbo: dubbo-rpc/dubbo-rpc-dubbo/.../CallbackServiceCodec.java (`isCallBack`, `isInstancesOverLimit`),
dubbo-cluster/.../support/merger/DefaultProviderURLMergeProcessor.java, `URL.hasServiceMethodParameter`.
"""

from __future__ import annotations

from gateway.model.contract import ServiceContract
from protocols import java

__all__ = ["announced_parameters"]


def announced_parameters(contract: ServiceContract | None, callbacks: int) -> dict[str, str]:
    """Parameters for the URL of a service; none for one without callbacks.

    `callbacks`: how many of one interface the provider takes on a connection. A position is left out where another
    method of the same Java name has something else there: Dubbo would take both for callbacks.
    """
    if contract is None or not contract.callbacks:
        return {}
    said: dict[str, set[str]] = {}
    for method in contract.methods:
        for at, param in enumerate(method.params):
            found = str(not param.withdrawn).lower() if at in method.callbacks else ""
            said.setdefault(f"{java.method_name(method)}.{at}.callback", set()).add(found)
    names = dict.fromkeys(java.method_name(method) for method in contract.methods)
    return {
        **{key: found for key, (found, *others) in said.items() if found and not others},
        "callbacks": str(callbacks),
        "methods": ",".join(names),
    }
