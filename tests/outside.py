"""What `tests.escapes` tries to reach, and which of its attempts have succeeded."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import shared_memory
from pathlib import Path

from envs.engine.cache import cache_root

LIBC = ctypes.CDLL(None, use_errno=True)
ANY_TRACER = 0x59616D61  # PR_SET_PTRACER, so that Yama forbids nothing
IPC_NOWAIT = 0o4000
KEYCTL = 250 if os.uname().machine == "x86_64" else 219
USER_KEYRING = -4
CREATED = (
    *("plain_open", "opener", "c_library", "fifo", "database", "folder", "symbolic_link"),
    *("hard_link", "renamed", "forged_file_name", "around_the_root", "another_users_namespace"),
    *("terminated_thread", "finalizer", "at_exit", "io_uring"),
)
CHANGED = ("deleted", "truncated", "mapped", "permissions", "times")
PROGRAMS = ("", "forked", "popen", "posix_subprocess", "posix_spawn", "program_in_memory")

VICTIM = f"""
import ctypes, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
ctypes.CDLL(None).prctl({ANY_TRACER}, ctypes.c_ulong(-1), 0, 0, 0)
memory = ctypes.create_string_buffer(16)
print(ctypes.addressof(memory), flush=True)
sys.stdin.readline()
print(memory.raw.hex(), signal.SIGUSR2 in signal.sigpending(), flush=True)
"""


class Outside:
    """Folders, sockets, a process and shared memory, outside of a sandbox."""

    def __init__(self, folder: Path, close: contextlib.ExitStack) -> None:
        self.home, self.work = folder / "home", folder / "work"
        self.home.mkdir()
        self.work.mkdir()
        (self.home / "cores").mkdir()
        self.script = folder / "escapes.py"
        shutil.copy(Path(__file__).with_name("escapes.py"), self.script)
        for name in ("kept", "to_rename", *CHANGED):
            (self.home / name).write_text("kept")
        self.before = {name: self._stat(name) for name in CHANGED}
        self.name, self.sleep = f"escape-{secrets.token_hex(8)}", f"600.{secrets.randbelow(10**9)}"
        self.signalled = False
        before = signal.signal(signal.SIGUSR1, self._receive)
        close.callback(signal.signal, signal.SIGUSR1, before)
        self.cache = cache_root(os.environ.get("NUMBA_CACHE_DIR"))
        self.cache.mkdir(parents=True, exist_ok=True)
        close.callback((self.cache / "compile_cache").unlink, missing_ok=True)
        self.listeners = {
            "tcp": self._listen(close, socket.AF_INET, ("127.0.0.1", 0)),
            "unix_socket": self._listen(close, socket.AF_UNIX, str(self.home / "socket")),
            "abstract_socket": self._listen(close, socket.AF_UNIX, f"\0{self.name}"),
        }
        self.udp = close.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        os.mkfifo(self.home / "read")
        self.fifo = os.open(self.home / "read", os.O_RDONLY | os.O_NONBLOCK)
        close.callback(os.close, self.fifo)
        self.segment, self.queue = LIBC.shmget(0, 64, 0o1600), LIBC.msgget(0, 0o1600)
        close.callback(LIBC.shmctl, self.segment, 0, None)
        close.callback(LIBC.msgctl, self.queue, 0, None)
        self.memory = shared_memory.SharedMemory(self.name, create=True, size=16)
        close.callback(self.memory.unlink)
        close.callback(self.memory.close)
        self.terminal, other_end = os.openpty()
        close.callback(os.close, self.terminal)
        close.callback(os.close, other_end)
        os.set_blocking(self.terminal, False)
        self.victim = close.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", VICTIM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert self.victim.stdout is not None
        content = {
            "home": str(self.home),
            "cache": str(self.cache),
            "name": self.name,
            "sleep": self.sleep,
            "parent": os.getpid(),
            "victim": self.victim.pid,
            "address": int(self.victim.stdout.readline()),
            "tcp": self.listeners["tcp"].getsockname()[1],
            "udp": self.udp.getsockname()[1],
            "segment": self.segment,
            "terminal": os.ttyname(other_end),
            "queue": self.queue,
        }
        self.script.with_suffix(".json").write_text(json.dumps(content))

    def reached(self) -> set[str]:
        """Return the names of the attempts that have succeeded; call it once."""
        found = {name for name in CREATED if os.path.lexists(self.home / name)}
        found |= {name for name in CHANGED if self._stat(name) != self.before[name]}
        found |= {name for name, listener in self.listeners.items() if _accepts(listener)}
        with contextlib.suppress(BlockingIOError):
            found.add(self.udp.recv(16).decode())
        found |= self._programs_left() | self._changes_of_victim()
        results = {
            "file_in_working_folder": any(self.work.iterdir()),
            "compile_cache": (self.cache / "compile_cache").exists(),
            "existing_fifo": os.read(self.fifo, 16) != b"",
            "signal_to_parent": self.signalled,
            "shared_memory_segment": _first_byte(self.segment) == ord("s"),
            "posix_shared_memory": bytes(self.memory.buf or b"")[:1] == b"s",
            "kernel_key": _remove_key(self.name),
            "terminal": _has_input(self.terminal),
            "core_dump": any((self.home / "cores").iterdir()),
            "message_queue": LIBC.msgrcv(self.queue, b" " * 16, 8, 0, IPC_NOWAIT) == 4,
        }
        return found | {name for name, happened in results.items() if happened}

    def _receive(self, *_: object) -> None:
        self.signalled = True

    def _stat(self, name: str) -> tuple[object, ...]:
        file = self.home / name
        if not file.exists():
            return ()
        status = file.stat()
        return file.read_bytes(), status.st_mode, status.st_mtime

    def _programs_left(self) -> set[str]:
        """Return which attempts have left a process behind, and end it."""
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().decode().split("\0")
                if self.sleep in words:
                    found.add(PROGRAMS[int(words[2])])
                    os.kill(int(process.name), signal.SIGKILL)
        return found

    def _changes_of_victim(self) -> set[str]:
        """Return which attempts have changed the other process, and end it."""
        limit, _ = resource.prlimit(self.victim.pid, resource.RLIMIT_CPU)
        priority = os.getpriority(os.PRIO_PROCESS, self.victim.pid)
        output, _ = self.victim.communicate("\n", timeout=20)
        memory, signalled = output.split()
        written = bytes.fromhex(memory)
        results = {
            "limits_of_another": limit == 12_345,
            "priority_of_another": priority == 7,
            "queued_signal": signalled == "True",
            "memory_of_another": written[0] == ord("m"),
            "vm_write": written[1] == ord("v"),
            "debugger": written[8] == ord("p"),
        }
        return {name for name, happened in results.items() if happened}

    @staticmethod
    def _listen(
        close: contextlib.ExitStack, family: socket.AddressFamily, address: object
    ) -> socket.socket:
        listener = close.enter_context(socket.socket(family))
        listener.bind(address)  # type: ignore[arg-type]
        listener.listen()
        listener.setblocking(False)
        return listener


def _accepts(listener: socket.socket) -> bool:
    """Return whether somebody has connected."""
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _has_input(terminal: int) -> bool:
    """Return whether somebody has written to a terminal."""
    with contextlib.suppress(BlockingIOError):
        return os.read(terminal, 16) != b""
    return False


def _remove_key(name: str) -> bool:
    """Remove a key of the user from the kernel; return whether there was one."""
    key = LIBC.syscall(KEYCTL, 10, USER_KEYRING, b"user", name.encode(), 0)
    return bool(key > 0) and LIBC.syscall(KEYCTL, 9, key, USER_KEYRING) == 0


def _first_byte(segment: int) -> int:
    """Return the first byte of a shared memory segment of System V."""
    LIBC.shmat.restype = ctypes.c_void_p
    address = LIBC.shmat(segment, None, 0)
    byte = ctypes.string_at(address, 1)[0]
    LIBC.shmdt(ctypes.c_void_p(address))
    return byte


@contextlib.contextmanager
def outside(folder: Path) -> Iterator[Outside]:
    """Make everything, and remove it at the end."""
    with contextlib.ExitStack() as close:
        yield Outside(folder, close)
