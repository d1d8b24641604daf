"""Images built without a container engine: a base of Debian's packages, the recipe in a chroot, a container of it."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["Builder", "builder_when_installed"]

_PASSED_ON = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL")
_AUTHORITIES = Path("/etc/ssl/certs")
_BUNDLE = _AUTHORITIES / "ca-certificates.crt"


class Builder:
    """buildah with a storage of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begin = [
            "buildah",
            "--root",
            f"{folder}/storage",
            "--runroot",
            f"{folder}/run",
            "--storage-driver",
            "vfs",
        ]

    def __call__(self, *words: object) -> str:
        """Run one of its commands to the end; answers what it printed."""
        done = subprocess.run([*self._begin, *map(str, words)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout.strip()

    def base(self, name: str) -> None:
        """An image of Debian with Python and nothing else."""
        system = self._folder / "system"
        packages = "--include=python3,python3-venv,ca-certificates"
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", packages, "bookworm", system],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stdout[-4000:] + made.stderr[-4000:]
        container = self("from", "scratch")
        self("add", "--quiet", container, system, "/")
        self("commit", "--quiet", container, name)
        self("rm", container)
        shutil.rmtree(system)

    def build(self, recipe: Path, base: str, name: str) -> None:
        """Build the recipe; what it fetches it fetches as this machine does."""
        passed = [f"--env={variable}" for variable in _PASSED_ON if variable in os.environ]
        trusted = (
            [f"--volume={_AUTHORITIES}:{_AUTHORITIES}:ro", f"--env=PIP_CERT={_BUNDLE}"] if _BUNDLE.exists() else []
        )
        options = ["--format=docker", "--isolation=chroot", f"--build-arg=BASE=localhost/{base}", *trusted, *passed]
        self("bud", *options, f"--tag={name}", recipe)

    @contextmanager
    def running(self, name: str, *command: str) -> Iterator[subprocess.Popen[str]]:
        """A container of the image with this command, on this machine's network."""
        container = self("from", name)
        words = [*self._begin, "run", "--isolation=chroot", container, "--", *command]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            yield process
        finally:
            for pid in inside(command):
                os.kill(pid, signal.SIGKILL)
            process.communicate(timeout=30)
            self("rm", container)

    def close(self) -> None:
        """Remove images and containers."""
        self("rm", "--all")
        self("rmi", "--all", "--force")


def inside(command: tuple[str, ...]) -> list[int]:
    """The processes that are the command itself, rather than what started it: they run as the image's user."""
    wanted = "\0".join(command[1:]).encode()
    found = []
    for place in Path("/proc").iterdir():
        if not place.name.isdecimal():
            continue
        try:
            words, owner = (place / "cmdline").read_bytes(), place.stat().st_uid
        except OSError:
            continue
        if owner and wanted in words and b"buildah" not in words:
            found.append(int(place.name))
    return found


@contextmanager
def builder_when_installed() -> Iterator[Builder]:
    """A builder for as long as the block lasts; where none can or need be, the test is skipped and says why."""
    if not os.environ.get("CONNECTORY_BUILD_IMAGE"):
        pytest.skip("building takes minutes: set CONNECTORY_BUILD_IMAGE=1, and apt-get install buildah debootstrap")
    for program in ("buildah", "debootstrap"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: apt-get install buildah debootstrap")
    if os.geteuid() != 0:
        pytest.skip("needs to be root: the base is made of packages, and the recipe is built in a chroot")
    folder = Path(tempfile.mkdtemp(prefix="connectory-image-"))
    builder = Builder(folder)
    try:
        yield builder
        builder.close()
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove the folder, but nothing that is mounted below it: an interrupted build may leave parts of this machine."""
    mounted = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in sorted((point for point in mounted if Path(point).is_relative_to(folder)), reverse=True):
        subprocess.run(["umount", "--lazy", point], check=True)
    shutil.rmtree(folder, ignore_errors=True)
