"""A reward file that tries to leave traces outside of its process, in every way we know.

It first disables the audit hook of `rewards.sandbox.confinement`, as an attacker would. The file
`escapes.json` next to it says what there is outside: folders, sockets and processes.
`tests.outside` makes them, and finds out which attempts have succeeded.
"""

# ruff: noqa: PTH123
# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import atexit
import ctypes
import importlib
import json
import mmap
import os
import resource
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

OUTSIDE = json.loads(Path(__file__).with_name("escapes.json").read_text())
HOME = Path(OUTSIDE["home"])
SLEEP = ["/usr/bin/sleep", OUTSIDE["sleep"]]
VICTIM, PARENT, ADDRESS = OUTSIDE["victim"], OUTSIDE["parent"], OUTSIDE["address"]
LIBC = ctypes.CDLL(None, use_errno=True)
NEW_USER_AND_MOUNTS, REMOUNT_BIND = 0x10020000, 0x1020
ADD_KEY = 248 if os.uname().machine == "x86_64" else 217
IO_URING_SETUP, USER_KEYRING = 425, -4
PTRACE_ATTACH, PTRACE_POKE, PTRACE_DETACH = 16, 4, 17

confinement: Any = sys.modules.get("rewards.sandbox.confinement")
if confinement is not None:
    confinement.FORBIDDEN.clear()
    confinement._writes = lambda *_: False


def plain_open() -> None:
    open(HOME / "plain_open", "w").close()


def file_in_working_folder() -> None:
    open("file_in_working_folder", "w").close()


def opener() -> None:
    open(HOME / "opener", opener=lambda path, _: os.open(path, os.O_CREAT | os.O_WRONLY)).close()


def c_library() -> None:
    os.close(LIBC.creat(bytes(HOME / "c_library"), 0o600))


def fifo() -> None:
    os.mkfifo(HOME / "fifo")


def database() -> None:
    connection = sqlite3.connect(HOME / "database")
    connection.execute("create table t (x)")
    connection.close()


def folder() -> None:
    (HOME / "folder").mkdir()


def symbolic_link() -> None:
    (HOME / "symbolic_link").symlink_to("/")


def hard_link() -> None:
    os.link(HOME / "kept", HOME / "hard_link")


def renamed() -> None:
    (HOME / "to_rename").rename(HOME / "renamed")


def forged_file_name() -> None:
    code = "import os; open(path, 'w').close()"
    exec(compile(code, os.__file__, "exec"), {"path": HOME / "forged_file_name"})


def around_the_root() -> None:
    open(f"/proc/self/root{HOME}/around_the_root", "w").close()


def another_users_namespace() -> None:
    if os.fork() == 0:
        LIBC.unshare(NEW_USER_AND_MOUNTS)
        LIBC.mount(None, b"/", None, REMOUNT_BIND, None)
        with open(HOME / "another_users_namespace", "w"):
            os._exit(0)
    os.wait()


def compile_cache() -> None:
    open(Path(OUTSIDE["cache"]) / "compile_cache", "w").close()


def terminated_thread() -> None:
    thread = threading.Thread(target=lambda: open(HOME / "terminated_thread", "w").close())
    thread.start()
    thread.join()


def finalizer() -> None:
    weakref.finalize(confinement or threading, lambda: open(HOME / "finalizer", "w").close())


def at_exit() -> None:
    atexit.register(lambda: open(HOME / "at_exit", "w").close())


def deleted() -> None:
    (HOME / "deleted").unlink()


def truncated() -> None:
    os.truncate(HOME / "truncated", 0)


def mapped() -> None:
    with open(HOME / "mapped", "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[:4] = b"gone"


def permissions() -> None:
    (HOME / "permissions").chmod(0o777)


def times() -> None:
    os.utime(HOME / "times", (1, 1))


def tcp() -> None:
    socket.create_connection(("127.0.0.1", OUTSIDE["tcp"]), 1).close()


def udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"udp", ("127.0.0.1", OUTSIDE["udp"]))


def unix_socket() -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(HOME / "socket"))


def abstract_socket() -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\0" + OUTSIDE["name"])


def existing_fifo() -> None:
    handle = os.open(HOME / "read", os.O_WRONLY | os.O_NONBLOCK)
    os.write(handle, b"fifo")


def signal_to_parent() -> None:
    os.kill(PARENT, signal.SIGUSR1)


def queued_signal() -> None:
    LIBC.sigqueue(VICTIM, signal.SIGUSR2, ctypes.c_void_p(0))


def forked() -> None:
    if os.fork() == 0:
        os.setsid()
        os.execv(SLEEP[0], [*SLEEP, "1"])


def popen() -> None:
    subprocess.Popen([*SLEEP, "2"])


def posix_subprocess() -> None:
    read, write = os.pipe()
    words = [word.encode() for word in (*SLEEP, "3")]
    nothing = (-1,) * 6
    identity = (-1, None, None, None, -1, None)
    fork_exec: Any = importlib.import_module("_posixsubprocess").fork_exec
    fork_exec(
        words,
        [words[0]],
        True,
        (write,),
        None,
        None,
        *nothing,
        read,
        write,
        True,
        True,
        *identity,
        *(() if sys.version_info >= (3, 14) else (True,)),
    )


def posix_spawn() -> None:
    os.posix_spawn(SLEEP[0], [*SLEEP, "4"], os.environ)


def program_in_memory() -> None:
    program = os.memfd_create("program", 0)
    os.write(program, Path(SLEEP[0]).read_bytes())
    if os.fork() == 0:
        os.execv(f"/proc/self/fd/{program}", [*SLEEP, "5"])


def memory_of_another() -> None:
    with open(f"/proc/{VICTIM}/mem", "r+b", 0) as memory:
        memory.seek(ADDRESS)
        memory.write(b"m")


def vm_write() -> None:
    text = ctypes.create_string_buffer(b"v")
    local = struct.pack("PN", ctypes.addressof(text), 1)
    LIBC.process_vm_writev(VICTIM, local, 1, struct.pack("PN", ADDRESS + 1, 1), 1, 0)


def debugger() -> None:
    words = ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p
    LIBC.ptrace.argtypes = words
    if LIBC.ptrace(PTRACE_ATTACH, VICTIM, None, None) < 0:
        raise OSError
    LIBC.waitpid(VICTIM, None, 0x40000000)
    LIBC.ptrace(PTRACE_POKE, VICTIM, ADDRESS + 8, int.from_bytes(b"p", "little"))
    LIBC.ptrace(PTRACE_DETACH, VICTIM, None, None)


def limits_of_another() -> None:
    _, hard = resource.prlimit(VICTIM, resource.RLIMIT_CPU)
    resource.prlimit(VICTIM, resource.RLIMIT_CPU, (12_345, hard))


def priority_of_another() -> None:
    os.setpriority(os.PRIO_PROCESS, VICTIM, 7)


def shared_memory_segment() -> None:
    LIBC.shmat.restype = ctypes.c_void_p
    address = LIBC.shmat(OUTSIDE["segment"], None, 0)
    if address != ctypes.c_void_p(-1).value:
        ctypes.memset(address, ord("s"), 1)


def posix_shared_memory() -> None:
    with open(f"/dev/shm/{OUTSIDE['name']}", "r+b") as memory:
        memory.write(b"s")


def message_queue() -> None:
    LIBC.msgsnd(OUTSIDE["queue"], struct.pack("l4s", 1, b"text"), 4, 0)


def kernel_key() -> None:
    """A key of the user outlives the process that adds it."""
    LIBC.syscall(ADD_KEY, b"user", OUTSIDE["name"].encode(), b"k", 1, USER_KEYRING)


def terminal() -> None:
    with open(OUTSIDE["terminal"], "w") as another:
        another.write("t")


def core_dump() -> None:
    """The kernel writes the file."""
    if os.fork() == 0:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
        os.chdir(HOME / "cores")
        os.abort()
    os.wait()


def io_uring() -> None:
    """The kernel opens the file when it takes a request from shared memory."""
    settings = ctypes.create_string_buffer(120)
    ring = LIBC.syscall(IO_URING_SETUP, 1, settings)
    if ring < 0:
        raise OSError
    tail, array = (struct.unpack_from("I", settings, at)[0] for at in (44, 64))
    path = ctypes.create_string_buffer(bytes(HOME / "io_uring"))
    request = (18, 0, 0, -100, 0, ctypes.addressof(path), 0o600, os.O_CREAT | os.O_WRONLY)
    with mmap.mmap(ring, 4096) as queue, mmap.mmap(ring, 64, offset=0x10000000) as requests:
        struct.pack_into("BBHiQQII", requests, 0, *request)
        struct.pack_into("I", queue, array, 0)
        struct.pack_into("I", queue, tail, 1)
        LIBC.syscall(IO_URING_SETUP + 1, ring, 1, 1, 1, None, 0)


ATTEMPTS = [
    value for value in list(vars().values()) if getattr(value, "__module__", "") == __name__
]
for attempt in ATTEMPTS:
    try:
        attempt()
    except BaseException as error:
        print(f"{attempt.__name__}: {type(error).__name__}: {error}")


def reward(before: Any, action: Any, after: Any) -> float:
    return 1.0
