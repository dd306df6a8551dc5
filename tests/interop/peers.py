"""Peers by the names that the marks of tests have for them: which library each is, in which language, which version."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as distribution_version
from typing import Final

from tests.interop.versions import cargo, go_module, maven, npm, pypi, required
from tests.support.browser import require_browser
from tests.support.curl_peer import curl_version
from tests.support.firefox import firefox_version
from tests.support.go_peer import go_version
from tests.support.gsoap_peer import gsoap_version
from tests.support.java_peer import DUBBO_VERSIONS, java_version
from tests.support.node_peer import node_version
from tests.support.php_peer import php_extension_version, php_version

__all__ = ["HESSIAN_LITE", "PEERS", "Peer", "dubbo"]

SYSTEM: Final = "of the system"
"""What the documents say of a version that no file here names."""


@dataclass(frozen=True)
class Peer:
    """
    Attributes:
        library: What is counted, once, in whatever versions, modes and languages.
        language: In which it is used.
        stated: The version, from the files here.
        asked: The version that is there, where that says more or no file says it.
        counted: Whether somebody else wrote what speaks the wire.
    """

    library: str
    language: str
    stated: Callable[[], str] = lambda: SYSTEM
    asked: Callable[[], str] | None = None
    counted: bool = True

    def version(self) -> str:
        """Of what took part; as it is stated where it cannot be asked, because its tests have failed."""
        if self.asked is not None:
            try:
                return self.asked()
            except (OSError, subprocess.CalledProcessError):
                pass
        return self.stated()


@cache
def dubbo(*versions: str) -> Peer:
    """Java's Dubbo; of several versions, one calls the other."""
    return Peer("Dubbo", "Java", lambda: " → ".join(DUBBO_VERSIONS[each] for each in versions))


HESSIAN_LITE: Final[Mapping[str, Peer]] = {
    module: Peer("hessian-lite", "Java", lambda module=module: maven(f"java/{module}", "hessian-lite"))  # type: ignore[misc]
    for module in ("oracle-hl3", "oracle-hl4")
}
"""By module."""


def _package(name: str) -> Callable[[], str]:
    """Asks apt's data base."""
    return lambda: _plain(_said("dpkg-query", "--show", "--showformat=${Version}", name))


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _plain(version: str) -> str:
    """Without epoch and revision."""
    found = re.match(r"(?:\d+:)?([\d.]+\d)", version)
    return found[1] if found else version


def _installed(name: str) -> Callable[[], str]:
    return lambda: distribution_version(name)


PEERS: Final[Mapping[str, Peer]] = {
    "chromium": Peer("Chromium", "JavaScript", asked=lambda: _said(require_browser(), "--version").split()[1]),
    "curl": Peer("curl", "C", asked=curl_version),
    "firefox": Peer("Firefox", "JavaScript", asked=firefox_version),
    "fetch": Peer("Node's fetch", "JavaScript", asked=node_version),
    "node": Peer("Node's http", "JavaScript", asked=node_version, counted=False),
    "go": Peer("Go's net/http", "Go", asked=go_version),
    "httpclient": Peer("Java's HttpClient", "Java", asked=java_version),
    "http.client": Peer("Python's http.client", "Python", asked=platform.python_version),
    "jayson": Peer("jayson", "JavaScript", lambda: npm("jayson")),
    "jsonrpc4j": Peer("jsonrpc4j", "Java", lambda: maven("java/http", "jsonrpc4j")),
    "openapi-python-client": Peer("openapi-python-client", "Python", lambda: pypi("openapi", "openapi-python-client")),
    "hessian.js": Peer("hessian.js", "JavaScript", lambda: npm("hessian.js")),
    "python-hessian": Peer("python-hessian", "Python", lambda: pypi("python", "python-hessian")),
    "hessian-4038": Peer("Caucho Hessian", "Java", lambda: maven("java/hessian-4038", "hessian")),
    "hessian-4066": Peer("Caucho Hessian", "Java", lambda: maven("java/hessian-4066", "hessian")),
    "dubbo hessian": Peer("Dubbo", "Java", lambda: maven("java/dubbo-27-hessian", "dubbo-rpc-hessian")),
    "dubbo http": Peer("Dubbo", "Java", lambda: maven("java/dubbo-27-http", "dubbo-rpc-http")),
    "dubbo webservice": Peer("Dubbo", "Java", lambda: maven("java/dubbo-27-webservice", "dubbo-rpc-webservice")),
    "dubbo redis": Peer("Dubbo", "Java", lambda: maven("java/dubbo-27-data", "dubbo-rpc-redis")),
    "dubbo memcached": Peer("Dubbo", "Java", lambda: maven("java/dubbo-27-data", "dubbo-rpc-memcached")),
    "dubbo thrift": Peer("Dubbo", "Java", lambda: maven("java-thrift/dubbo-27-thrift", "dubbo")),
    "Dubbo 2.6": dubbo("26"),
    "Dubbo 2.7": dubbo("27"),
    "Dubbo 3.3": dubbo("33"),
    "Java, Dubbo 2.7 and 3.3": Peer("Dubbo", "Java", lambda: f"{DUBBO_VERSIONS['27']}, {DUBBO_VERSIONS['33']}"),
    "dubbo-go": Peer("dubbo-go", "Go", lambda: go_module("go-dubbo", "dubbo-go/v3")),
    "dubbo2.js": Peer("dubbo2.js", "JavaScript", lambda: npm("dubbo2.js")),
    "razorvine pickle": Peer("net.razorvine:pickle", "Java", lambda: maven("java/rmi", "pickle")),
    "og-rek": Peer("og-rek", "Go", lambda: go_module("go-rmi", "og-rek")),
    "plain python": Peer("Python's pickle and hmac", "Python", asked=platform.python_version, counted=False),
    "soap-ri": Peer("JAX-WS RI", "Java", lambda: maven("java/soap-ri", "jaxws-rt")),
    "soap-cxf": Peer("Apache CXF", "Java", lambda: maven("java/soap-cxf", "cxf-rt-frontend-jaxws")),
    "gsoap": Peer("gSOAP", "C", asked=gsoap_version),
    "spyne": Peer("spyne", "Python", lambda: pypi("python", "spyne")),
    "node-soap": Peer("soap", "JavaScript", lambda: npm("soap")),
    "php": Peer("PHP's SoapClient", "PHP", asked=php_version),
    "zeep": Peer("zeep", "Python", lambda: required("zeep"), _installed("zeep")),
    "apache thrift": Peer("Apache Thrift", "Python", lambda: required("thrift"), _installed("thrift")),
    "thrift go": Peer("Apache Thrift", "Go", lambda: go_module("go-thrift", "apache/thrift")),
    "thrift java": Peer("Apache Thrift", "Java", lambda: maven("java-thrift/thrift", "libthrift")),
    "thrift node": Peer("Apache Thrift", "JavaScript", lambda: npm("thrift")),
    "thrift rust": Peer("Apache Thrift", "Rust", lambda: cargo("rust-thrift", "thrift")),
    "thriftpy2": Peer("thriftpy2", "Python", lambda: required("thriftpy2"), _installed("thriftpy2")),
    "redis-cli": Peer("Redis", "C", asked=_package("redis-tools")),
    "redis-benchmark": Peer("Redis", "C", asked=_package("redis-tools")),
    "redis-py": Peer("redis-py", "Python", lambda: pypi("python", "redis")),
    "hiredis": Peer("hiredis", "C", asked=_package("libhiredis-dev")),
    "jedis": Peer("Jedis", "Java", lambda: maven("java/cache", "jedis")),
    "lettuce": Peer("Lettuce", "Java", lambda: maven("java/cache", "lettuce-core")),
    "go-redis": Peer("go-redis", "Go", lambda: go_module("go-cache", "redis/go-redis/v9")),
    "redigo": Peer("redigo", "Go", lambda: go_module("go-cache", "gomodule/redigo")),
    "ioredis": Peer("ioredis", "JavaScript", lambda: npm("ioredis")),
    "node-redis": Peer("redis", "JavaScript", lambda: npm("redis")),
    "phpredis": Peer("phpredis", "PHP", asked=lambda: php_extension_version("redis")),
    "Redis.pm": Peer("Redis.pm", "Perl", asked=_package("libredis-perl")),
    "redis-rb": Peer("redis-rb", "Ruby", asked=_package("ruby-redis")),
    "libmemcached": Peer("libmemcached", "C", asked=_package("libmemcached-dev")),
    "libmemcached tools": Peer("libmemcached", "C", asked=_package("libmemcached-tools")),
    "php-memcached": Peer("php-memcached", "PHP", asked=lambda: php_extension_version("memcached")),
    "spymemcached": Peer("spymemcached", "Java", lambda: maven("java/cache", "spymemcached")),
    "xmemcached": Peer("XMemcached", "Java", lambda: maven("java/cache", "xmemcached")),
    "gomemcache": Peer("gomemcache", "Go", lambda: go_module("go-cache", "bradfitz/gomemcache")),
    "memcached": Peer("npm memcached", "JavaScript", lambda: npm("memcached")),
    "meta-memcache": Peer("meta-memcache", "Python", lambda: pypi("python", "meta-memcache")),
    "pymemcache": Peer("pymemcache", "Python", lambda: pypi("python", "pymemcache")),
    "python-memcached": Peer("python-memcached", "Python", lambda: pypi("python", "python-memcached")),
    "Cache::Memcached": Peer("Cache::Memcached", "Perl", asked=_package("libcache-memcached-perl")),
    "redis-server": Peer("Redis", "C", asked=_package("redis-server")),
    "memcached server": Peer("memcached", "C", asked=_package("memcached")),
}
"""By the name in a mark."""
