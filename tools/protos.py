"""What is done with the protos: `generate`, `check`, `lint`, `breaking`.

    python tools/protos.py generate                 write connectory/v1/ anew
    python tools/protos.py check                    fail when connectory/v1/ is not what `generate` would write
    python tools/protos.py lint                     buf lint
    python tools/protos.py breaking [--against REF] buf breaking against a commit (the last one)

`generate` and `check` need only the development dependencies, in exactly the pinned versions, so that everybody gets
the same bytes. `lint` and `breaking` run buf from npm and need Node's `npx` (or a `buf` of the pinned version on the
PATH); `--allow-missing` turns the absence of both into a notice.
"""

import argparse
import filecmp
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

__all__ = ["ProtosError", "differences", "generate", "main"]

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "protos"
GENERATED = Path("connectory/v1")
PINNED_GENERATORS = ("grpcio-tools", "mypy-protobuf")
BUF_VERSION = "1.75.0"


class ProtosError(Exception):
    """Something stands in the way; the message says what, and what to do about it."""


def generate(destination: Path) -> None:
    """Write the generated package into `destination`/connectory/v1, and remove what no proto accounts for."""
    _require_pinned_generators()
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        sources = _sources()
        _protoc(fresh, sources, ["python_out", "mypy_out"])
        _protoc(fresh, [s for s in sources if _has_service(s)], ["grpc_python_out", "mypy_grpc_out"])
        target = destination / GENERATED
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob("*_pb2*.py*"):
            old.unlink()
        for new in (fresh / GENERATED).iterdir():
            shutil.copyfile(new, target / new.name)


def differences() -> list[str]:
    """What differs between the committed package and a fresh one, one sentence each; empty when nothing does."""
    with tempfile.TemporaryDirectory() as name:
        generate(Path(name))
        fresh, committed = Path(name) / GENERATED, ROOT / GENERATED
        wanted = {p.name for p in fresh.iterdir()}
        present = {p.name for p in committed.glob("*_pb2*.py*")}
        _, changed, _ = filecmp.cmpfiles(fresh, committed, sorted(wanted & present), shallow=False)
    return [
        *(f"{GENERATED / n} is missing" for n in sorted(wanted - present)),
        *(f"{GENERATED / n} has no proto" for n in sorted(present - wanted)),
        *(f"{GENERATED / n} differs" for n in changed),
    ]


def check() -> None:
    """Fail when the committed package is stale."""
    found = differences()
    if found:
        raise ProtosError("\n".join([*found, "run `make protos` and commit the result"]))
    _say(f"{GENERATED} is what the protos say")


def lint(*, allow_missing: bool) -> None:
    """Run buf's lint with the rules of protos/buf.yaml."""
    buf = _buf(allow_missing=allow_missing)
    if buf:
        _run([*buf, "lint", str(SOURCES)], "buf lint found defects in protos/")
        _say("buf lint: no defects")


def breaking(against: str, *, allow_missing: bool) -> None:
    """Fail when the protos cannot be read by, or written for, those who have the protos of the commit `against`."""
    buf = _buf(allow_missing=allow_missing)
    if not buf:
        return
    with tempfile.TemporaryDirectory() as name:
        if not _export(against, Path(name)):
            _say(f"buf breaking: {against} has no protos/, so there is nothing to break")
            return
        _run(
            [*buf, "breaking", str(SOURCES), "--against", str(Path(name) / "protos")],
            f"protos/ breaks readers or writers of {against}; add fields instead of changing them",
        )
    _say(f"buf breaking: nothing breaks since {against}")


def _sources() -> list[Path]:
    return sorted((SOURCES / GENERATED).glob("*.proto"))


def _has_service(source: Path) -> bool:
    return re.search(r"^service ", source.read_text(encoding="utf-8"), re.MULTILINE) is not None


def _protoc(destination: Path, sources: Sequence[Path], outputs: Sequence[str]) -> None:
    plugins = [f"--plugin=protoc-gen-{p}={_plugin(f'protoc-gen-{p}')}" for p in ("mypy", "mypy_grpc")]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{SOURCES}", *plugins]
    command += [f"--{output}={destination}" for output in outputs]
    command += ["--mypy_opt=quiet"] if "mypy_out" in outputs else ["--mypy_grpc_opt=quiet"]
    _run([*command, *map(str, sources)], "protoc refused the protos")


def _plugin(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        raise ProtosError(f"{name} is not installed; install the `dev` dependency group")
    return found


def _require_pinned_generators() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    pins = dict(r.split("==", 1) for r in groups["dev"] if isinstance(r, str) and "==" in r)
    for name in PINNED_GENERATORS:
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed = "absent"
        if installed != pins[name]:
            raise ProtosError(
                f"{name} is {installed} but pyproject.toml pins {pins[name]}; install the `dev` dependency group"
            )


def _buf(*, allow_missing: bool) -> list[str] | None:
    local = shutil.which("buf")
    if local and _version_of(local) == BUF_VERSION:
        return [local]
    npx = shutil.which("npx")
    if npx:
        return [npx, "--yes", f"@bufbuild/buf@{BUF_VERSION}"]
    notice = f"buf was not run: neither `npx` (Node.js) nor buf {BUF_VERSION} is on the PATH; install one of them"
    if not allow_missing:
        raise ProtosError(f"{notice}, or pass --allow-missing to go on without")
    _say(notice)
    return None


def _version_of(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()


def _export(commit: str, destination: Path) -> bool:
    git = ["git", "-C", str(ROOT)]
    if subprocess.run(
        [*git, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"], capture_output=True
    ).returncode:
        raise ProtosError(f"there is no commit {commit!r} to compare with; run this in a git checkout that has it")
    archive = subprocess.run([*git, "archive", commit, "protos"], capture_output=True, check=False)
    if archive.returncode:
        return False
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(destination, filter="data")
    return True


def _run(command: Sequence[str], failure: str) -> None:
    if subprocess.run(command, check=False, cwd=ROOT).returncode:
        raise ProtosError(failure)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 when all is well and 1 otherwise."""
    parser = argparse.ArgumentParser(description="Generate, check, lint and compare the protos.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate", help="write connectory/v1/ anew")
    commands.add_parser("check", help="fail when connectory/v1/ is stale")
    with_buf = [commands.add_parser("lint", help="buf lint"), commands.add_parser("breaking", help="buf breaking")]
    for command in with_buf:
        command.add_argument("--allow-missing", action="store_true", help="only give notice when buf cannot be found")
    with_buf[1].add_argument("--against", default="HEAD", metavar="REF", help="the commit to compare with (HEAD)")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "generate":
            generate(ROOT)
        elif chosen.command == "check":
            check()
        elif chosen.command == "lint":
            lint(allow_missing=chosen.allow_missing)
        else:
            breaking(chosen.against, allow_missing=chosen.allow_missing)
    except ProtosError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
