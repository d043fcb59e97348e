"""Restrictions that a Linux process puts on itself, for good: Landlock and seccomp.

Landlock (https://docs.kernel.org/userspace-api/landlock.html) lets the process write nothing but
some folders, and send no signal to other processes. seccomp
(https://docs.kernel.org/userspace-api/seccomp_filter.html) rejects the system calls with other
effects, such as `socket` and `chmod`. Both need no privileges and no package: this module calls the
kernel through `ctypes`.

They hold for the calling thread and what it starts. Therefore `restrict` is called before there is
another thread.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import platform
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

MACHINES = ("x86_64", "aarch64")
AUDIT_ARCH = (0xC000003E, 0xC00000B7)  # how seccomp names them, linux/audit.h

EVERYTHING_BUT_COMPUTING = """
socket 41 198  ptrace 101 117  process_vm_readv 310 270  process_vm_writev 311 271
process_madvise 440 440  pidfd_getfd 438 438  pidfd_send_signal 424 424  tkill 200 130
rt_sigqueueinfo 129 138  rt_tgsigqueueinfo 297 240  setsid 112 157  setpgid 109 154
chmod 90 -  fchmod 91 52  fchmodat 268 53  fchmodat2 452 452  chown 92 -  fchown 93 55  lchown 94 -
fchownat 260 54  utime 132 -  utimes 235 -  futimesat 261 -  utimensat 280 88  setxattr 188 5
lsetxattr 189 6  fsetxattr 190 7  removexattr 197 14  lremovexattr 198 15  fremovexattr 199 16
setxattrat 463 463  removexattrat 466 466  file_setattr 469 469
shmget 29 194  shmat 30 196  shmctl 31 195  msgget 68 186  msgsnd 69 189  msgctl 71 187
semget 64 190  semop 65 193  semtimedop 220 192  semctl 66 191  mq_open 240 180  mq_unlink 241 181
io_uring_setup 425 425  bpf 321 280  perf_event_open 298 241  userfaultfd 323 282
keyctl 250 219  add_key 248 217  request_key 249 218
mount 165 40  umount2 166 39  pivot_root 155 41  chroot 161 51  unshare 272 97  setns 308 268
move_mount 429 429  open_tree 428 428  fsopen 430 430  fsmount 432 432  fspick 433 433
mount_setattr 442 442  open_by_handle_at 304 265
setpriority 141 140  ioprio_set 251 30  sched_setscheduler 144 119  sched_setparam 142 118
sched_setattr 314 274  reboot 169 142  init_module 175 105  finit_module 313 273
delete_module 176 106  kexec_load 246 104  kexec_file_load 320 294  settimeofday 164 170
clock_settime 227 112  clock_adjtime 305 266  adjtimex 159 171  sethostname 170 161
setdomainname 171 162  swapon 167 224  swapoff 168 225  iopl 172 -  ioperm 173 -  acct 163 89
quotactl 179 60
"""
"""System calls that are rejected, with their numbers on `MACHINES`."""

STARTING_PROGRAMS = "fork 57 -  vfork 58 -  execve 59 221  execveat 322 281"
OF_A_PROCESS = "kill 62 129  tgkill 234 131  prlimit64 302 261  sched_setaffinity 203 122"
"""System calls whose first argument is the process that they change."""

CLONE, CLONE3, IOCTL = "clone 56 220", "clone3 435 435", "ioctl 16 29"
CLONE_THREAD = 0x10000
TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI and TIOCLINUX, which type into a terminal
NEWEST = 469  # later system calls are unknown here, and rejected
X32 = 0x40000000  # bit of the system calls of another ABI of x86_64

# instructions of the classic Berkeley packet filter, linux/bpf_common.h
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
ALLOW, REJECT = 0x7FFF0000, 0x00050000

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
# write, remove_dir, remove_file, make_*, refer, truncate, ioctl_dev; by version of Landlock
WRITING = {3: 0x7FF2, 5: 0xFFF2}
TCP, SIGNALS_AND_SOCKETS = 0b11, 0b11
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2


@functools.cache
def landlock_version() -> int:
    """Return the version of Landlock in this kernel; 0 if there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, _libc().syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1))


def available() -> bool:
    """Return whether `restrict` works here: Linux 6.2 or later, on one of `MACHINES`."""
    return landlock_version() >= min(WRITING) and platform.machine() in MACHINES


def restrict(writable: Iterable[Path], programs: bool = False) -> None:
    """Take from this process what it does not need to compute. This cannot be undone.

    Args:
        writable: the folders in which it can write.
        programs: whether it can start other programs, which inherit the restrictions.

    Raises:
        OSError: if the kernel refuses, or if there is another thread.
    """
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise OSError("the sandbox cannot be set up: the process has other threads")
    _checked(_libc().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _restrict_files(writable)
    code = b"".join(_instructions(MACHINES.index(platform.machine()), os.getpid(), programs))
    instructions = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(instructions))
    _checked(_libc().prctl(SET_SECCOMP, FILTER, program, 0, 0))


def _restrict_files(writable: Iterable[Path]) -> None:
    """Forbid with Landlock to write outside of some folders, and to signal other processes."""
    version = landlock_version()
    writing = WRITING[max(known for known in WRITING if known <= version)]
    rules = struct.pack("QQQ", writing, TCP, SIGNALS_AND_SOCKETS)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _checked(_libc().syscall(LANDLOCK_CREATE, rules, ctypes.c_size_t(size), 0))
    try:
        allowed = [(folder, writing) for folder in writable]
        for path, rights in (*allowed, (Path(os.devnull), WRITE_FILE | TRUNCATE)):
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                rule = struct.pack("=Qi", rights, handle)
                _checked(_libc().syscall(LANDLOCK_ADD, ruleset, 1, rule, 0))
            finally:
                os.close(handle)
        _checked(_libc().syscall(LANDLOCK_RESTRICT, ruleset, 0))
    finally:
        os.close(ruleset)


def _instructions(machine: int, process: int, programs: bool) -> Iterable[bytes]:
    """Yield the filter of system calls; one that no instruction rejects is allowed."""
    yield _instruction(LOAD, ARCHITECTURE)
    yield _instruction(EQUAL, AUDIT_ARCH[machine], 1, 0)
    yield _answer(errno.EPERM)
    yield _instruction(LOAD, NUMBER)
    if MACHINES[machine] == "x86_64":
        yield from _if(AT_LEAST, X32, [_answer(errno.EPERM)])
    yield from _if(AT_LEAST, NEWEST + 1, [_answer(errno.ENOSYS)])
    rejected = EVERYTHING_BUT_COMPUTING + ("" if programs else STARTING_PROGRAMS)
    for number in _numbers(rejected, machine):
        yield from _if(EQUAL, number, [_answer(errno.EPERM)])
    for number in _numbers(OF_A_PROCESS, machine):
        itself = [part for known in (0, process) for part in _if(EQUAL, known, [_answer()])]
        yield from _if(EQUAL, number, [_argument(0), *itself, _answer(errno.EPERM)])
    (ioctl,) = _numbers(IOCTL, machine)
    typing = [part for call in TERMINAL_INPUT for part in _if(EQUAL, call, [_answer(errno.EPERM)])]
    yield from _if(EQUAL, ioctl, [_argument(1), *typing, _answer()])
    if not programs:
        (clone,), (clone3,) = _numbers(CLONE, machine), _numbers(CLONE3, machine)
        thread = _if(ANY_BIT, CLONE_THREAD, [_answer()])
        yield from _if(EQUAL, clone, [_argument(0), *thread, _answer(errno.EPERM)])
        yield from _if(EQUAL, clone3, [_answer(errno.ENOSYS)])  # the C library tries `clone` then
    yield _answer()


def _numbers(table: str, machine: int) -> list[int]:
    numbers = table.split()[1 + machine :: 3]
    return [int(number) for number in numbers if number != "-"]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _if(condition: int, value: int, then: list[bytes]) -> list[bytes]:
    """Return instructions that compare the loaded number with `value`, and skip `then` or not."""
    return [_instruction(condition, value, 0, len(then)), *then]


def _argument(k: int) -> bytes:
    """Load the lower half of an argument; both machines store it first."""
    return _instruction(LOAD, ARGUMENTS + 8 * k)


def _answer(error: int = 0) -> bytes:
    return _instruction(RETURN, REJECT | error if error else ALLOW)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    """Return the result of a system call.

    Raises:
        OSError: if it has failed.
    """
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the sandbox cannot be set up: {os.strerror(number)}")
    return result
