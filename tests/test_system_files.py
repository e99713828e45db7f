"""Nothing POSIX-only stands outside `pipeline/system_files.py`; what stands in it does what it says, on Linux and in a pretended Windows."""

from __future__ import annotations

import ast
import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import system_files
from pipeline.system_files import lock, open_folder, open_private, publish, put, read_at, sync, write_at

ROOT = Path(__file__).parent.parent
PIPELINE = ROOT / "pipeline"
TO_ADD = os.O_RDWR | os.O_APPEND | os.O_CREAT

MODULES = {
    *("fcntl", "pwd", "grp", "resource", "termios", "syslog", "posix", "pty", "tty", "spwd", "crypt", "nis"),
    *("curses", "readline", "msvcrt", "winreg", "_winapi", "nt"),  # nor Windows-only
}
# what Windows has not; Python's own library needs `posix` here
MISSING = MODULES - {"posix", "msvcrt", "winreg", "_winapi", "nt"}
OS_NAMES = {
    *("getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getgrouplist"),
    *("setuid", "seteuid", "setgid", "setegid", "setgroups", "initgroups", "setsid", "setpgid", "setpgrp"),
    *("getpgid", "getpgrp", "getsid", "getlogin", "fork", "forkpty", "register_at_fork", "posix_spawn"),
    *(
        "wait",
        "wait3",
        "wait4",
        "waitid",
        "WIFEXITED",
        "WEXITSTATUS",
        "kill",
        "killpg",
        "nice",
        "getpriority",
    ),
    *("setpriority", "sched_getaffinity", "sched_setaffinity", "sched_yield", "umask", "fchmod", "lchmod"),
    *(
        "fchown",
        "lchown",
        "chown",
        "chroot",
        "fchdir",
        "link",
        "symlink",
        "mkfifo",
        "mknod",
        "major",
        "minor",
    ),
    *("makedev", "pread", "preadv", "pwrite", "pwritev", "readv", "writev", "lockf", "fdatasync", "sync"),
    *("sendfile", "copy_file_range", "splice", "posix_fadvise", "posix_fallocate", "statvfs", "fstatvfs"),
    *("pathconf", "fpathconf", "sysconf", "confstr", "uname", "getloadavg", "getxattr", "setxattr"),
    *("openpty", "ttyname", "ctermid", "tcgetpgrp", "memfd_create", "eventfd", "getrandom", "name"),
    *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_NDELAY", "O_NOCTTY", "O_SYNC", "O_DSYNC"),
    *("O_RSYNC", "O_PATH", "O_TMPFILE", "O_NOATIME", "O_ASYNC", "O_BINARY", "O_EXLOCK", "O_SHLOCK"),
}
SIGNAL_NAMES = {"SIGKILL", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGCHLD"}
SIGNAL_NAMES |= {"alarm", "setitimer", "pause", "pthread_kill", "pthread_sigmask", "sigwait"}
OF_FILES = {"st_uid", "st_gid", "st_blocks"}
KEYWORDS = {"preexec_fn", "start_new_session", "process_group", "pass_fds", "dir_fd"}


def posix_only(code: str) -> list[str]:
    """What in the text needs one kind of system, with its lines."""
    tree = ast.parse(code)
    return [f"{getattr(node, 'lineno', 0)} {what}" for node in ast.walk(tree) for what in _needs(node)]


def _needs(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (one.name for one in names if one.name.split(".")[0] in MODULES)
        case ast.ImportFrom(module=str(module), names=names):
            told = {"os": OS_NAMES, "signal": SIGNAL_NAMES}.get(module, set())
            yield from (one.name for one in names if module in MODULES or one.name in told)
        case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in OS_NAMES:
            yield f"os.{name}"
        case ast.Attribute(value=ast.Name(id="signal"), attr=name) if name in SIGNAL_NAMES:
            yield f"signal.{name}"
        case ast.Attribute(attr=name) if name in OF_FILES:
            yield name
        case ast.FormattedValue(format_spec=ast.JoinedStr() as form) if "%-" in ast.unparse(form):
            yield "%- in a date's form"
        case ast.Call():
            yield from _asks(node)


def _asks(call: ast.Call) -> Iterator[str]:
    yield from (word.arg for word in call.keywords if word.arg in KEYWORDS)
    texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    match ast.unparse(call.func).rpartition(".")[2]:
        case "getattr" | "hasattr" | "setattr":
            yield from (text for text in texts if text in OS_NAMES and ast.unparse(call.args[0]) == "os")
        case "import_module" | "__import__":
            yield from (text for text in texts if text in MODULES)
        case "get_context" | "set_start_method":
            yield from (text for text in texts if text != "spawn")
        case "strftime" if ast.unparse(call.func) != "strftime" and not _of_polars(call):
            yield from ("%- in a date's form" for text in texts if "%-" in text)
        case "open" if ast.unparse(call.func) == "os.open" and ast.unparse(call.args[1]) == "os.O_RDONLY":
            yield "os.open for reading: to fsync or lock a folder?"


def _of_polars(call: ast.Call) -> bool:
    return ".dt.strftime" in ast.unparse(call.func)


def test_nothing_posix_only_outside_one_module() -> None:
    found = {
        str(path.relative_to(PIPELINE)): told
        for path in sorted(PIPELINE.rglob("*.py"))
        if (told := posix_only(path.read_text(encoding="utf-8")))
    }
    assert list(found) == ["system_files.py"], found


@pytest.mark.parametrize(
    "code",
    [
        "import fcntl",
        "def f():\n    import pwd as users",
        "from resource import getrlimit",
        "from os import fork",
        "os.getuid()",
        "os.open(path, os.O_RDWR | os.O_NOFOLLOW)",
        'getattr(os, "O_NOFOLLOW", 0)',
        'hasattr(os, "getuid")',
        "os.open(folder, os.O_RDONLY)",
        "os.umask(0o077)",
        "os.link(a, b)",
        "path.stat().st_uid == 0",
        "signal.signal(signal.SIGALRM, f)",
        'importlib.import_module("fcntl")',
        'multiprocessing.get_context("fork")',
        "subprocess.run(x, start_new_session=True)",
        'f"{day:%Y年%-m月}"',
        'day.strftime("%-d")',
        'if os.name == "posix": pass',
    ],
)
def test_it_would_be_seen(code: str) -> None:
    assert posix_only(code)


def test_what_is_on_every_system_may_stay() -> None:
    code = 'handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)\nos.fsync(handle)\npl.col("a").dt.strftime("%-m")'
    assert posix_only(code) == []


# locks

HOLDER = """
import os, sys
from pathlib import Path
from pipeline.system_files import lock, open_folder, open_private
path, shared = Path(sys.argv[1]), sys.argv[2] == "shared"
handle = open_folder(path) if path.is_dir() else open_private(path, os.O_RDWR | os.O_CREAT)
print(lock(handle, shared=shared, wait=False), flush=True)
sys.stdin.read(1)
os._exit(0)  # as if it were killed: nothing is closed
"""
KEPT = {"getlogin", "kill", "umask", "link", "symlink", "name"}  # Windows has them
KEPT |= {"uname"}  # polars built for Linux looks at the processor with it
# Windows as Python shows it: no POSIX modules, no such names in os, byte locks for one process only
PRETENDED = f"""
import subprocess, sys, types, fcntl as real  # subprocess takes whoever has msvcrt for Windows
fake = types.ModuleType("msvcrt")
fake.LK_NBLCK = 2
def locking(handle, mode, count):
    assert mode == fake.LK_NBLCK
    import os
    try:
        real.lockf(handle, real.LOCK_EX | real.LOCK_NB, count, 0, os.SEEK_CUR)
    except BlockingIOError:
        raise PermissionError(13, "Permission denied")  # what Windows says
    except OSError:
        real.lockf(handle, real.LOCK_SH | real.LOCK_NB, count, 0, os.SEEK_CUR)  # open for reading only
fake.locking = locking
for name in {sorted(MISSING)!r}:
    sys.modules[name] = None
sys.modules["msvcrt"] = fake
import os
for name in {sorted(OS_NAMES - KEPT)!r}:
    if hasattr(os, name):
        delattr(os, name)
os.getlogin = lambda: "administrator"
"""


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    told = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(told, capture_output=True, text=True, env=environment, timeout=120)


class Holder:
    """Another process that tries for a lock and, if it gets it, keeps it until `leave`."""

    def __init__(self, path: Path, how: str = "alone", before: str = "") -> None:
        code = [sys.executable, "-c", before + HOLDER, str(path), how]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self._process.stdout is not None
        self.has_it = self._process.stdout.readline().strip() == "True"

    def leave(self) -> None:
        self._process.communicate("x", timeout=30)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_lock_between_two_processes(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "lock" if kind == "file" else tmp_path
    other = Holder(path)
    handle = open_folder(path) if kind == "folder" else open_private(path, os.O_RDWR)
    assert other.has_it
    assert not lock(handle, wait=False)
    assert not lock(handle, shared=True, wait=False)
    other.leave()
    assert lock(handle, wait=False)
    os.close(handle)


def test_who_only_looks_shares_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    other = Holder(path, "shared")
    handle = open_private(path, os.O_RDWR)
    assert other.has_it
    assert lock(handle, shared=True, wait=False)
    assert not lock(handle, wait=False)
    other.leave()
    os.close(handle)


def test_waiting_ends_when_the_other_goes(tmp_path: Path) -> None:
    other = Holder(tmp_path / "lock")
    code = "import os, sys; from pathlib import Path; from pipeline.system_files import lock, open_private\n"
    code += "print('ready', flush=True); print(lock(open_private(Path(sys.argv[1]), os.O_RDWR)))"
    waiting = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == "ready\n"
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.3)
    other.leave()
    assert waiting.communicate(timeout=30)[0] == "True\n"


def test_a_lock_that_cannot_be_had_at_all_is_an_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    os.close(write)
    with pytest.raises(OSError, match="Bad file descriptor"):
        lock(write, wait=False)


# opening


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_new_file_is_its_owners_whatever_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = system_files.set_umask(umask)
    try:
        handle = open_private(tmp_path / "new", TO_ADD | os.O_EXCL, mode)
    finally:
        assert system_files.set_umask(before) == umask
    assert os.fstat(handle).st_mode & 0o7777 == mode
    system_files.set_mode(handle, 0o640)
    assert os.fstat(handle).st_mode & 0o7777 == 0o640
    assert not os.get_inheritable(handle)
    os.close(handle)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    (tmp_path / "nowhere").symlink_to(tmp_path / "made")
    for how in (os.O_RDONLY, TO_ADD):
        for name in ("link", "nowhere"):
            with pytest.raises(OSError) as refused:  # noqa: PT011
                open_private(tmp_path / name, how)
            assert refused.value.errno == errno.ELOOP
    assert not (tmp_path / "made").exists()
    with pytest.raises(FileExistsError):
        open_private(tmp_path / "link", TO_ADD | os.O_EXCL)


def test_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.close(open_private(tmp_path / "pipe", os.O_RDONLY, wait=False))


def test_a_plain_folder_is_neither_link_nor_file(tmp_path: Path) -> None:
    folder, link, file = tmp_path / "folder", tmp_path / "link", tmp_path / "file"
    folder.mkdir()
    link.symlink_to(folder)
    file.touch()
    os.close(open_folder(folder, plain=True))
    os.close(open_folder(link))
    for other in (link, file, tmp_path / "none"):
        with pytest.raises(OSError):  # noqa: PT011
            open_folder(other, plain=True)
    assert list(folder.iterdir()) == []


def test_reading_and_writing_at_a_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"one\ntwo\n")
    handle = open_private(tmp_path / "file", os.O_RDWR)
    assert (read_at(handle, 3, 4), write_at(handle, b"TW", 4), read_at(handle, 99, 0)) == (
        b"two",
        2,
        b"one\nTWo\n",
    )
    assert os.lseek(handle, 0, os.SEEK_CUR) == 0
    os.close(handle)


# names that last


def test_a_folder_and_a_file_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(_path_of(handle)), real(handle)))
    (tmp_path / "beside").write_text("new")
    sync(tmp_path / "beside")
    put(tmp_path / "beside", tmp_path / "file")
    assert synced == [str(tmp_path / "beside"), str(tmp_path)]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "beside")


def _path_of(handle: int) -> str:
    return str(Path(f"/proc/self/fd/{handle}").readlink())


def test_nothing_is_published_over_another_file(tmp_path: Path) -> None:
    (tmp_path / "beside").write_text("new")
    (tmp_path / "there").write_text("old")
    (tmp_path / "beside").chmod(0o644)
    with pytest.raises(FileExistsError):
        publish(tmp_path / "beside", tmp_path / "there")
    publish(tmp_path / "beside", tmp_path / "free")
    assert (tmp_path / "there").read_text() == "old"
    assert (tmp_path / "free").stat().st_mode & 0o777 == 0o600


# who, and the machine


def test_who_it_is_does_not_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody")
    told = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    assert system_files.os_user() == told
    assert system_files.is_own(tmp_path.stat()) is True


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    assert system_files.os_user() == "4000000001"


def test_a_file_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_001)
    assert system_files.is_own(tmp_path.stat()) is False


def test_limits_of_the_process_and_the_machine() -> None:
    assert system_files.core_limit() == resource.getrlimit(resource.RLIMIT_CORE)[0]
    assert (system_files.machine_memory() or 0) > 2**28
    assert system_files.device_number(os.makedev(253, 2)) == "253:2"
    told = run("from pipeline import system_files as s; s.forbid_core_dumps(); print(s.core_limit())")
    assert told.stdout == "0\n"


# elsewhere

IMPORTS = """
import importlib, pkgutil, pipeline, pipeline.cli
for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
assert pipeline.system_files.fcntl is None
print("all")
"""
NIGHT = """
import os, sys
from pathlib import Path
from pipeline import access_log, private_process, system_files as s
from pipeline.cases import Places, open_ledger
from pipeline.matching import judgements
from pipeline.run_lock import only_run
from pipeline.run_log import RunLog
state = Path(sys.argv[1])
private_process.harden()
with only_run(state), private_process.private_temporary(state):
    with open_ledger(state) as one, open_ledger(state) as other:
        print(one.head() == other.head())
log = RunLog(state)
log.done(0)
access_log.note(state, "explain", "533423", "test")
access_log.note(state, "explain", "533423", "again")
pair = judgements.Judgement("a" * 32, "b" * 32, "federation/register", "same", "x", "2026-01-01T00:00:00+08:00")
judgements.record(state, [pair])
print(log.problem, access_log.check(state), [one.who for one in access_log.read(state)], judgements.read(state).in_force() != {})
with private_process.scratch(state, "plan-") as folder:
    print(private_process.exposed(state), private_process.is_own(state), private_process.rights(state))
print(s.core_limit(), s.machine_memory(), s.device_number(5) == "", s.is_own(state.stat()))
(state / "beside").write_text("new")
s.publish(state / "beside", state / "free")
link = state / "link"
link.symlink_to(state / "free")
try:
    s.open_private(link, os.O_RDONLY)
except OSError as error:
    print(error.strerror)
"""


def test_every_module_can_be_imported_without_posix() -> None:
    told = run(PRETENDED + IMPORTS)
    assert (told.stdout, told.stderr) == ("all\n", "")


def test_the_states_files_without_posix(tmp_path: Path) -> None:
    told = run(PRETENDED + NIGHT, tmp_path / "state")
    assert told.stderr == ""
    assert told.stdout.splitlines() == [
        "True",
        "None [] ['administrator', 'administrator'] True",
        "None None None",
        "None None True None",
        "Too many levels of symbolic links",
    ]


def test_locks_without_posix_hold_between_processes(tmp_path: Path) -> None:
    for path in (tmp_path / "lock", tmp_path):
        alone = Holder(path, before=PRETENDED)
        refused, looked = Holder(path, before=PRETENDED), Holder(path, "shared", PRETENDED)
        alone.leave()
        one, two = Holder(path, "shared", PRETENDED), Holder(path, "shared", PRETENDED)
        late = Holder(path, before=PRETENDED)
        for other in (refused, looked, one, two, late):
            other.leave()
        assert [x.has_it for x in (alone, refused, looked, one, two, late)] == [
            *(True, False, False),
            *(True, True, False),
        ]


def test_without_any_locks_nothing_goes_on_as_if_it_were_alone(tmp_path: Path) -> None:
    told = run(
        PRETENDED.replace("= fake\nimport os", "= None\nimport os") + HOLDER, tmp_path / "lock", "alone"
    )
    assert "No locks available" in told.stderr
