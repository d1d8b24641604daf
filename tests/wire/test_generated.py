"""The committed package is what the protos say, and the protos say what everything means."""

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "protos.py"
SOURCES = sorted((ROOT / "protos" / "connectory" / "v1").glob("*.proto"))

MESSAGE, ENUM, SERVICE = 4, 5, 6
FIELD, NESTED, NESTED_ENUM, ONEOF, VALUE, METHOD = 2, 3, 4, 8, 2, 2


def _run(*arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def _checkout(destination: Path) -> Path:
    """A copy of what the tool reads, so that a test may spoil it."""
    for part in ("protos", "connectory/v1", "tools"):
        shutil.copytree(ROOT / part, destination / part)
    shutil.copy(ROOT / "pyproject.toml", destination)
    return destination


def test_that_the_generated_package_is_fresh() -> None:
    done = _run(str(TOOL), "check")
    assert done.returncode == 0, done.stderr


def test_that_a_stale_package_is_noticed_and_generated_anew(tmp_path: Path) -> None:
    copy = _checkout(tmp_path)
    proto = copy / "protos/connectory/v1/interface.proto"
    proto.write_text(proto.read_text() + "\n// Something new.\nmessage Novelty {\n}\n")
    (copy / "connectory/v1/gone_pb2.py").touch()

    stale = _run("tools/protos.py", "check", cwd=copy)
    assert stale.returncode == 1
    assert "connectory/v1/interface_pb2.py differs" in stale.stderr
    assert "connectory/v1/gone_pb2.py has no proto" in stale.stderr
    assert "make protos" in stale.stderr

    assert _run("tools/protos.py", "generate", cwd=copy).returncode == 0
    assert _run("tools/protos.py", "check", cwd=copy).returncode == 0


def test_that_another_generator_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    copy = _checkout(tmp_path)
    project = copy / "pyproject.toml"
    project.write_text(re.sub(r"mypy-protobuf==[\d.]+", "mypy-protobuf==0.0.1", project.read_text()))
    refused = _run("tools/protos.py", "check", cwd=copy)
    assert refused.returncode == 1
    assert "pins 0.0.1" in refused.stderr


@pytest.mark.parametrize("command", ["lint", "breaking"])
def test_that_a_missing_buf_is_said_and_may_be_allowed(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = _run(str(TOOL), command)
    assert refused.returncode == 1
    assert "npx" in refused.stderr
    assert "--allow-missing" in refused.stderr
    allowed = _run(str(TOOL), command, "--allow-missing")
    assert allowed.returncode == 0
    assert "buf was not run" in allowed.stdout


def test_that_every_generated_module_can_be_imported() -> None:
    for source in SOURCES:
        module = importlib.import_module(f"connectory.v1.{source.stem}_pb2")
        assert module.DESCRIPTOR.name == f"connectory/v1/{source.name}"


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pb2.FileDescriptorSet:
    """The protos with their comments, as protoc reads them."""
    out = tmp_path_factory.mktemp("descriptors") / "all.bin"
    done = _run(
        *("-m", "grpc_tools.protoc", "-Iprotos", "--include_source_info", f"--descriptor_set_out={out}"),
        *(str(source.relative_to(ROOT)) for source in SOURCES),
    )
    assert done.returncode == 0, done.stderr
    return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


SourcePath = tuple[int, ...]


def _elements(file: descriptor_pb2.FileDescriptorProto) -> dict[SourcePath, str]:
    """Everything in a file that has a name, by its path in the source."""
    found: dict[SourcePath, str] = {}

    def enum(path: SourcePath, name: str, one: descriptor_pb2.EnumDescriptorProto) -> None:
        found[path] = name
        found.update({(*path, VALUE, i): f"{name}.{v.name}" for i, v in enumerate(one.value)})

    def message(path: SourcePath, name: str, one: descriptor_pb2.DescriptorProto) -> None:
        if one.options.map_entry:
            return
        found[path] = name
        hidden = {f.oneof_index for f in one.field if f.proto3_optional}
        found.update({(*path, FIELD, i): f"{name}.{f.name}" for i, f in enumerate(one.field)})
        found.update({(*path, ONEOF, i): f"{name}.{o.name}" for i, o in enumerate(one.oneof_decl) if i not in hidden})
        for i, nested in enumerate(one.nested_type):
            message((*path, NESTED, i), f"{name}.{nested.name}", nested)
        for i, nested_enum in enumerate(one.enum_type):
            enum((*path, NESTED_ENUM, i), f"{name}.{nested_enum.name}", nested_enum)

    for i, one in enumerate(file.message_type):
        message((MESSAGE, i), one.name, one)
    for i, top in enumerate(file.enum_type):
        enum((ENUM, i), top.name, top)
    for i, service in enumerate(file.service):
        found[(SERVICE, i)] = service.name
        found.update({(SERVICE, i, METHOD, j): f"{service.name}.{m.name}" for j, m in enumerate(service.method)})
    return found


def test_that_everything_says_what_it_means(described: descriptor_pb2.FileDescriptorSet) -> None:
    silent, spoken = [], 0
    for file in described.file:
        comments = {tuple(p.path): p.leading_comments.strip() for p in file.source_code_info.location}
        for path, name in _elements(file).items():
            comment = comments.get(path, "")
            spoken += bool(comment)
            if not comment.endswith("."):
                silent.append(f"{file.name}: {name}")
    assert not silent
    assert spoken > 1000


def test_that_every_file_says_what_it_is_about() -> None:
    for source in SOURCES:
        assert source.read_text(encoding="utf-8").startswith("// "), source.name
