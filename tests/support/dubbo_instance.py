"""What Dubbo 3.3.6 wrote into ZooKeeper by application, and the same with other values."""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["METADATA", "RECORDED", "REVISION", "instance", "metadata"]

REVISION: Final = "80eda2be11a1796288418df2cdc02f86"
RECORDED: Final = (
    r'{"name":"interop","id":"2130706433:23992","address":"2130706433","port":23992,"sslPort":null,"payload":{"@class":'
    r'"org.apache.dubbo.registry.zookeeper.ZookeeperInstance","id":"2130706433:23992","name":"interop","metadata":{'
    r'"dubbo.endpoints":"[{\"port\":23992,\"protocol\":\"dubbo\"}]","dubbo.metadata-service.url-params":"{'
    r"\"prefer.serialization\":\"hessian2,fastjson2\",\"version\":\"1.0.0\",\"dubbo\":\"2.0.2\",\"release\":\"3.3.6\","
    r'\"side\":\"provider\",\"port\":\"20880\",\"protocol\":\"dubbo\"}","dubbo.metadata.revision":'
    r'"3b804922bc691c7b713a69f41e19effe","dubbo.metadata.storage-type":null,"meta-v":"1.0.0","timestamp":'
    r'"1795945984458"}},"registrationTimeUTC":1795945986513,"serviceType":"DYNAMIC","uriSpec":null}'
)
"""An instance with register-mode=instance and no place for metadata."""
METADATA: Final = (
    '{"app":"interop","revision":"80eda2be11a1796288418df2cdc02f86","services":{"g1/demo.Catalog:2.0.0:dubbo":{"group":'
    '"g1","name":"demo.Catalog","params":{"side":"provider","release":"3.3.6","methods":"count,find,priceHistory,put,'
    'remove,reserve,search,slow,touch","logger":"slf4j","deprecated":"false","dubbo":"2.0.2","weight":"200","interface":'
    '"demo.Catalog","service-name-mapping":"true","version":"2.0.0","generic":"false","token":"tt","revision":"2.0.0",'
    '"metadata-type":"remote","application":"interop","dynamic":"true","REGISTRY_CLUSTER":"default","group":"g1"},"path"'
    ':"demo.Catalog","port":23014,"protocol":"dubbo","version":"2.0.0"}}}'
)
"""The metadata of a revision, with metadata-type=remote."""


def instance(
    application: str = "shop",
    port: int = 20880,
    revision: str = "r1",
    *,
    storage: str | None = "remote",
    asked_at: int | None = None,
    **changes: Any,
) -> bytes:
    """An instance as `RECORDED`. `asked_at`: the port that answers for its metadata. `changes`: of its metadata map;
    keys are written with `_` in place of `.` and `-`."""
    found = json.loads(RECORDED)
    found.update(name=application, id=f"127.0.0.1:{port}", address="127.0.0.1", port=port)
    found["payload"].update(name=application, id=found["id"])
    held = found["payload"]["metadata"]
    held["dubbo.endpoints"] = json.dumps([{"port": port, "protocol": "dubbo"}])
    held["dubbo.metadata.revision"] = revision
    held["dubbo.metadata.storage-type"] = storage
    params = json.loads(held["dubbo.metadata-service.url-params"])
    held["dubbo.metadata-service.url-params"] = json.dumps({**params, "port": str(asked_at)}) if asked_at else None
    names = {each.replace(".", "_").replace("-", "_"): each for each in held}
    for key, value in changes.items():
        held[names.get(key, key)] = value
    return json.dumps(found).encode()


def metadata(*services: tuple[str, str, str], revision: str = "r1", **params: str) -> bytes:
    """What a revision provides, each as interface, group and version, over dubbo at the port of the instance."""
    described = {
        f"{group}/{interface}:{version}:dubbo": {
            "name": interface,
            "group": group or None,
            "version": version or None,
            "protocol": "dubbo",
            "path": interface,
            "port": -1,
            "params": {"interface": interface, "side": "provider", "release": "3.3.6", **params},
        }
        for interface, group, version in services
    }
    return json.dumps({"app": "shop", "revision": revision, "services": described}).encode()
