"""What Apache's compiler makes of an exported contract compiles, also where names are words of the languages."""

from __future__ import annotations

import os
import py_compile
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import pytest

from gateway.contracts import I32, contract_of, method, service
from protocols.testing import CONTRACT
from protocols.thrift.idl.writer import write_thrift
from tests.support.go_peer import require_go_thrift
from tests.support.java_peer import JAVA, require_java_thrift
from tests.support.node_peer import require_node
from tests.support.peer_program import BUILD_TIMEOUT
from tests.support.thrift_peers import require_thrift

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

CACHE: Final = Path(__file__).parents[2] / ".cache"


@dataclass
class Words:
    """Fields that are words of Python, Java, Go, JavaScript or of Thrift."""

    a: I32 = field(metadata={"name": "class"})
    b: str = field(metadata={"name": "from"})
    c: bool = field(metadata={"name": "func"})
    d: bytes = field(metadata={"name": "delete"})
    e: float = field(metadata={"name": "struct"})
    f: list[str] = field(metadata={"name": "package"})
    g: dict[str, I32] = field(metadata={"name": "lambda"})


@service("words.Speaking")
class Speaking(Protocol):
    """Methods that are such words."""

    @method(name="import")
    async def a(self, words: Words) -> Words: ...
    @method(name="return")
    async def b(self, function: I32, var: str) -> None: ...


def run(*command: str | Path, cwd: Path, **environment: str) -> None:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, **environment}
    )
    assert not done.returncode, (done.stdout + done.stderr)[-3000:]


def for_python(folder: Path) -> None:
    for each in folder.rglob("*.py"):
        py_compile.compile(str(each), doraise=True)


def for_node(folder: Path) -> None:
    require_node()
    for each in folder.rglob("*.js"):
        run("node", "--check", each, cwd=folder)


def for_go(folder: Path) -> None:
    require_go_thrift()
    for each in folder.rglob("*-remote"):
        shutil.rmtree(each)
    for each in ("go.mod", "go.sum"):
        shutil.copy(Path(__file__).parent / "go-thrift" / each, folder)
    run("go", "build", "./...", cwd=folder, GOTOOLCHAIN="auto", GOFLAGS="-mod=readonly")


def for_java(folder: Path) -> None:
    require_java_thrift()
    class_path = (CACHE / "interop-java" / "thrift.classpath").read_text().strip()
    files = " ".join(str(each) for each in folder.rglob("*.java"))
    compile_all = f'. "{JAVA}/jdk.sh" && "$JAVA_HOME/bin/javac" -nowarn -d classes -cp "{class_path}" {files}'
    run("bash", "-c", compile_all, cwd=folder)


@pytest.mark.parametrize(
    ("generator", "compiled"),
    [
        pytest.param("py", for_python, id="python"),
        pytest.param("js:node,es6", for_node, id="node"),
        pytest.param("go", for_go, id="go"),
        pytest.param("java:generated_annotations=suppress", for_java, id="java"),
    ],
)
def test_generated_code_compiles(generator: str, compiled: Callable[[Path], None], tmp_path: Path) -> None:
    require_thrift()
    for name, text in write_thrift([contract_of(Speaking), CONTRACT]).items():
        (tmp_path / name).write_text(text, "utf-8")
    made = tmp_path / "made"
    made.mkdir()
    for each in tmp_path.glob("*.thrift"):
        run("thrift", "--gen", generator, "-out", made, each, cwd=tmp_path)
    assert any(each.is_file() for each in made.rglob("*"))
    compiled(made)
