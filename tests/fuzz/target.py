"""The fuzz targets: what is fed, what must hold, and what to begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import (
    application,
    data,
    dubbo,
    hessian,
    hessian_http,
    http_json,
    memcached,
    redis,
    rmi,
    soap,
    texts,
    thrift,
)

__all__ = ["TARGETS", "Target"]

_CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Target:
    """`check` raises for nothing but a defect. `random_rounds`: of `make fuzz`; `share`: of its time for mutations."""

    name: str
    check: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    dictionary: bytes
    random_rounds: int = 100_000
    share: float = 1.0

    def recorded(self) -> list[Path]:
        """Inputs that are attacks or once broke something, one file each, in hex."""
        return sorted((_CORPUS / self.name).glob("*.hex"))

    def record(self, data: bytes) -> Path:
        """Keeps an input that broke something."""
        folder = _CORPUS / self.name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"found-{abs(hash(data)):016x}.hex"
        path.write_text(data.hex() + "\n", encoding="ascii")
        return path


_HESSIAN = b"CHMOQUVWXZNRSAB\x60\x61\x70\x79\x90\x91"
_HESSIAN_1 = b"MVRSsBbIDLdtlrzcmxX\x00\x01\x02"
_HTTP = b"\r\n \t:;,/?=%0123456789abcdefGETPOS\x00\xff"
_JAVA = b"\xac\xed\x00\x05pqrstuwxyz{|}~\x01\x02\x03\x08\x0c\x7eBCDFIJSZL[;"
_JSON = b'{}[],:"\\u0123456789eE+-.tfn \xff'
_MEMCACHED = b' \r\n0123456789#().:{}[]",%-getsdlcamnqvk\x00\xff'
_PICKLE = b"\x80\x04\x95()]}NKMJGXUTCBaesutqhrjcRb.\x81\x85\x86\x87\x88\x8a\x8b\x8c\x8f\x90\x91\x93\x94"
_XML = b"<>/\"'=&;![]-?: \t\n#x019aexsi\xc3\xa9\xff\x00"
_THRIFT = b'\x80\x01\x82\x21\x0f\xff\x00\x02\x03\x04\x06\x08\x0a\x0b\x0c\x0d\x0e\x0f\x10\x7f[]{}",:1irecmplsdb'
_RESP = b"*$+-:_#,(=~%>|!\r\n0123456789tfWITHCALexec\"'\\ \x00\xff"
_YAML = b":-{}[]&*!|>#'\"%@\n\t "

TARGETS: tuple[Target, ...] = (
    Target("hessian", hessian.check, hessian.seeds, _HESSIAN, share=2.0),
    Target("dubbo-server", dubbo.check_server, dubbo.server_seeds, _HESSIAN + b"\xda\xbb\xc2\xe2", 1_000_000, 2.0),
    Target("dubbo-client", dubbo.check_client, dubbo.client_seeds, _HESSIAN + b"\x14\x28\x02\x22"),
    Target("hessian-1", hessian_http.check_old, hessian_http.old_seeds, _HESSIAN_1 + _HESSIAN),
    Target("hessian-binding", hessian_http.check_binding, hessian_http.binding_seeds, _HESSIAN_1 + _HESSIAN),
    Target("hessian-reply", hessian_http.check_reply, hessian_http.reply_seeds, _HESSIAN_1 + _HESSIAN + b"fr"),
    Target("http-stream", http_json.check_stream, http_json.stream_seeds, _HTTP, share=1.5),
    Target("http-binding", http_json.check_binding, http_json.binding_seeds, _JSON + b"/?&=%\n", share=1.5),
    Target("http-reply", http_json.check_reply, http_json.reply_seeds, _JSON + b"\n", 50_000),
    Target("http-context", http_json.check_context, http_json.context_seeds, _HTTP, share=0.5),
    Target("json", http_json.check_json, http_json.json_seeds, _JSON, share=0.5),
    Target("memcached-server", memcached.check_server, memcached.server_seeds, _MEMCACHED, 200_000, 1.5),
    Target("memcached-client", memcached.check_client, memcached.client_seeds, _MEMCACHED, 50_000),
    Target("rmi-pickle", rmi.check_pickle, rmi.pickle_seeds, _PICKLE, 200_000, 1.5),
    Target("rmi-server", rmi.check_server, rmi.server_seeds, _PICKLE + b"PRMI\x01", 200_000),
    Target("rmi-client", rmi.check_reply, rmi.reply_seeds, _PICKLE + b"PRMI\x02", 50_000),
    Target("soap-binding", soap.check_binding, soap.binding_seeds, _XML, 50_000, 1.5),
    Target("soap-reply", soap.check_reply, soap.reply_seeds, _XML, 50_000),
    Target("redis-server", redis.check_server, redis.server_seeds, _RESP, 100_000, 2.0),
    Target("redis-client", redis.check_client, redis.client_seeds, _RESP, 50_000),
    Target("thrift-server", thrift.check_server, thrift.server_seeds, _THRIFT, 200_000, 2.0),
    Target("thrift-client", thrift.check_client, thrift.client_seeds, _THRIFT, 50_000),
    Target("data-java", data.check_java, data.java_seeds, _JAVA, 100_000, 0.5),
    Target("data-transcoder", data.check_transcoded, data.transcoded_seeds, _JAVA, 100_000, 0.5),
    Target("config", texts.check_config, texts.config_seeds, _YAML, 2_000),
    Target("descriptor", texts.check_descriptor, texts.descriptor_seeds, b"[LVZBCDFIJS;/", 100_000, 0.3),
    Target("application-instance", application.check_instance, application.instance_seeds, _JSON, 50_000, 0.5),
    Target("application-metadata", application.check_metadata, application.metadata_seeds, _JSON, 50_000, 0.5),
    Target("application-mapping", application.check_mapping, application.mapping_seeds, b",./ \xff", 50_000, 0.1),
)
