"""The program that stands over one command: it claims the job, runs the command, keeps limits and writes the result.

Started as `python -I -S supervisor.py FOLDER`, as leader of a session of its own, with the plan (marshalled) on its
standard input. It outlives the process that started it, and while it lives it is the only writer of the job's `result`.
It imports next to nothing (`typing` alone would cost a quarter of its start), because every command pays for it.

Files in the folder: `claim` (who runs the job; made by hard link, so exactly one supervisor ever gets it), `stdout`,
`stderr`, `usage` (samples of what the command uses), `result` (how it ended; appears whole or not at all).
"""

import ctypes
import marshal
import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["CLAIM", "CLAIMED", "MARKER", "RESULT", "TAKEN", "USAGE", "boot_id", "main", "members", "start_ticks"]

CLAIM = "claim"
RESULT = "result"
USAGE = "usage"
"""A line for every sample: seconds since the epoch, seconds of processor time so far, bytes of resident memory."""
MARKER = "CONNECTORY_PROCESS_JOB"
"""The environment variable by which every process of a job is recognised, wherever it has moved itself."""
CLAIMED = b"claimed\n"
TAKEN = b"taken\n"

_PR_SET_CHILD_SUBREAPER = 36
_WATCHED = (signal.SIGCHLD, signal.SIGTERM)
_LOOK_AGAIN_SECONDS = 0.02
_FIRST_SAMPLE_SECONDS = 0.1
_SAMPLE_SECONDS = 1.0
_SAMPLES_OF_ONE_AGE = 500
"""Samples become as rare as the job is old, so that there are some thousands even after weeks."""
_ENOUGH_SECONDS = 10.0
"""After so long, what does not die under SIGKILL (another user's process, a hanging disk) is left to the operator."""


def main() -> int:
    """Run the job of the folder that the first argument names, unless another supervisor has it already."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (*_WATCHED, signal.SIGINT, signal.SIGHUP))
    plan = _read_plan()
    if plan is None:
        return 2
    os.chdir(sys.argv[1])
    claimed = _claim()
    _tell(CLAIMED if claimed else TAKEN)
    if claimed:
        _write_result(_run(plan))
    return 0


def _read_plan() -> "dict[str, Any] | None":
    """The plan, or None when whoever sent it died over it; then nothing is run."""
    parts = []
    while part := os.read(0, 65536):
        parts.append(part)
    try:
        plan: dict[str, Any] = marshal.loads(b"".join(parts))
    except (EOFError, ValueError, TypeError):
        return None
    return plan


def _claim() -> bool:
    own = f"{CLAIM}.{os.getpid()}"
    pid = os.getpid()
    _write(own, f'{{"pid": {pid}, "start": {start_ticks(pid) or 0}, "boot": "{boot_id()}"}}')
    try:
        os.link(own, CLAIM)
    except FileExistsError:
        return False
    finally:
        os.unlink(own)
    return True


def _tell(word: bytes) -> None:
    """Answer whoever waits; nobody may be there any more, which changes nothing."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        os.write(1, word)
    except OSError:
        word = b""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)


def _run(plan: "dict[str, Any]") -> str:
    _adopt_orphans()
    try:
        pid = _spawn(plan)
    except OSError as error:
        return _result(error=error.errno or 0)
    reason, until = _watch(pid, plan["marker"], plan["time_limit"], plan["grace"])
    _end_the_rest(plan["marker"], until)
    _, status, usage = os.wait4(pid, 0)
    _reap_orphans()
    code = os.waitstatus_to_exitcode(status)
    return _result(code=code, reason=reason, cpu=usage.ru_utime + usage.ru_stime, memory=usage.ru_maxrss * 1024)


def _adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, so that none gets out of sight."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _spawn(plan: "dict[str, Any]") -> int:
    folder = os.open(".", os.O_RDONLY)
    stdin = _text(plan["stdin_text"]) if plan["stdin_text"] else os.open(plan["stdin"] or os.devnull, os.O_RDONLY)
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    stdout, stderr = os.open("stdout", append, 0o600), os.open("stderr", append, 0o600)
    os.chdir(plan["working_dir"])
    try:
        return os.posix_spawn(
            plan["executable"],
            plan["arguments"],
            plan["environment"],
            file_actions=[(os.POSIX_SPAWN_DUP2, old, new) for new, old in enumerate((stdin, stdout, stderr))],
            setpgroup=0,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
        )
    finally:
        os.fchdir(folder)
        for descriptor in (folder, stdin, stdout, stderr):
            os.close(descriptor)


def _text(text: bytes) -> int:
    """A descriptor from which the text is read; it may hold secrets, so it never touches a disk."""
    descriptor = os.memfd_create("stdin")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(text)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _watch(pid: int, marker: str, time_limit: float | None, grace: float) -> tuple[str, float]:
    """Wait for the command's end; answer why it was told to end ("": it was not) and how long others may take."""
    limit = None if time_limit is None else time.monotonic() + time_limit
    reason, until = "", None
    began = time.monotonic()
    sample = began + _FIRST_SAMPLE_SECONDS
    while not _has_ended(pid):
        now = time.monotonic()
        if now >= sample:
            _write_usage(pid)
            age = now - began
            sample = now + max(min(age, _SAMPLE_SECONDS), age / _SAMPLES_OF_ONE_AGE)
        if until is not None and now >= until:
            _signal_members(marker, signal.SIGKILL)
        elif until is None and limit is not None and now >= limit:
            reason, until = "time_limit", now + grace
            _signal_members(marker, signal.SIGTERM)
        received = _next_signal(_seconds_left(sample, limit if until is None else until))
        if received == signal.SIGTERM and reason != "cancelled":
            reason, until = "cancelled", until or time.monotonic() + grace
            _signal_members(marker, signal.SIGTERM)
    return reason, until or 0.0


def _has_ended(pid: int) -> bool:
    """Whether the command has ended. Its orphans, which are this process's children, are not left as zombies."""
    while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)) is not None:
        if ended.si_pid == pid:
            return True
        os.waitpid(ended.si_pid, 0)
    return False


def _seconds_left(sample: float, moment: float | None) -> float:
    earliest = sample if moment is None else min(sample, moment)
    return max(earliest - time.monotonic(), _LOOK_AGAIN_SECONDS)


def _next_signal(timeout: float) -> int | None:
    received = signal.sigtimedwait(_WATCHED, timeout)
    return None if received is None else received.si_signo


def _write_usage(pid: int) -> None:
    """Add a sample of what the command and everything below this process uses."""
    times = os.times()
    cpu, pages = times.children_user + times.children_system, 0
    for member in {pid, *_below(os.getpid())}:
        fields = _stat(member)
        if fields is not None and len(fields) > 21:
            cpu += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            pages += int(fields[21])
    line = f"{time.time():.3f} {cpu:.3f} {pages * os.sysconf('SC_PAGE_SIZE')}\n"
    descriptor = os.open(USAGE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode("ascii"))
    finally:
        os.close(descriptor)


def _below(root: int) -> list[int]:
    """The descendants of a process, as the kernel lists them; where it does not, none."""
    found = _children(root)
    for pid in found:
        found.extend(_children(pid))
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:
                found.extend(map(int, file.read().split()))
    except OSError:
        return found
    return found


def _end_the_rest(marker: str, until: float) -> None:
    """End what the command left behind: at `until` by force, which is at once when the command ended by itself."""
    enough = max(time.monotonic(), until) + _ENOUGH_SECONDS
    while time.monotonic() < enough and _own_members(marker):
        if time.monotonic() >= until:
            _signal_members(marker, signal.SIGKILL)
        time.sleep(_LOOK_AGAIN_SECONDS)


def _own_members(marker: str) -> list[int]:
    return members(marker, since=start_ticks(os.getpid()) or 0, root=os.getpid())


def _reap_orphans() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def _signal_members(marker: str, number: int) -> None:
    for pid in _own_members(marker):
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def members(marker: str, *, since: int, root: int | None = None) -> list[int]:
    """The running processes of a job: the descendants of `root`, its supervisor, and whoever carries its marker.

    `since` is the supervisor's start in clock ticks: what started earlier cannot belong to the job.
    """
    running = {}
    for name in os.listdir("/proc"):
        fields = _stat(int(name)) if name.isdigit() else None
        if fields is not None and fields[0] not in b"ZX" and int(fields[19]) >= since:
            running[int(name)] = int(fields[1])
    found = _descendants(running, root)
    wanted = f"{MARKER}={marker}".encode()
    return found + [pid for pid in running if pid not in found and wanted in _environment(pid)]


def _descendants(parents: dict[int, int], root: int | None) -> list[int]:
    found = [] if root is None else [pid for pid, parent in parents.items() if parent == root]
    for above in found:
        found.extend(pid for pid, parent in parents.items() if parent == above)
    return found


def _environment(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since the boot; None when it does not run any more."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in b"ZX" else int(fields[19])


def _stat(pid: int) -> list[bytes] | None:
    """The fields of /proc/PID/stat from the state (third) on: the name before them may hold anything."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return None


def boot_id() -> str:
    """The id of this machine's current boot: process ids mean nothing beyond it."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _result(*, code: int = 0, reason: str = "", error: int = 0, cpu: float = 0.0, memory: int = 0) -> str:
    usage = f'"cpu_seconds": {cpu:f}, "memory_bytes": {memory}, "ended": {time.time():f}'
    return f'{{"code": {code}, "reason": "{reason}", "error": {error}, {usage}}}'


def _write_result(text: str) -> None:
    own = f"{RESULT}.{os.getpid()}"
    _write(own, text, durable=True)
    os.rename(own, RESULT)


def _write(path: str, text: str, *, durable: bool = False) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, text.encode("ascii"))
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
