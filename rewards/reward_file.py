"""Loads a reward file, which can import the modules in its folder from wherever a program runs.

Each time a file is loaded, its folder becomes a package with a new name, and the imports in its
modules look in this package first. `sys.path` stays as it is, helpers of the same name in two
folders do not mix, and a file that is loaded again gets its helpers as they are now.
"""

from __future__ import annotations

import builtins
import functools
import importlib.util
import itertools
import re
import sys
import tokenize
import traceback
from codecs import BOM_UTF8
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from io import BytesIO
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

from rewards.errors import describe, where
from rewards.expression import RewardError
from rewards.guard import is_interruption, loading

PREFIX = "reward_folder_"
ROOT = Path(__file__).parents[1]
OUR_MODULES = (
    *("agents", "benchmarks", "classroom", "envs", "playing", "reward_lab"),
    *("rewards", "stages", "training"),
    *("train", "play", "training_wheels"),
)
IMPORTLIB = ("<frozen importlib", importlib.__file__)
INSTALLED = "an installed package"

_numbers = itertools.count(1)


def load_file(place: str) -> ModuleType:
    """Execute a reward file and return it as a module.

    Raises:
        RewardError: with file and line, if it cannot be loaded.
    """
    path = Path(place).expanduser().resolve()
    if path.is_dir():
        raise RewardError(f"{place} is a folder; name a Python file in it")
    if not path.is_file():
        raise RewardError(f"reward file {place} does not exist (looked for {path})")
    check_name(path)
    package = ModuleType(f"{PREFIX}{next(_numbers)}")
    package.__path__ = [str(path.parent)]
    sys.modules[package.__name__] = package
    name = f"{package.__name__}.{path.stem.replace('.', '_')}"
    spec: Any = importlib.util.spec_from_file_location(name, path, loader=_Loader(name, str(path)))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    path_before = sys.path.copy()
    try:
        with loading(str(path)):
            spec.loader.exec_module(module)
    except RewardError:
        raise
    except SyntaxError as error:
        raise RewardError(f"{error.filename or path}:{error.lineno or 1}: {error.msg}") from None
    except BaseException as error:
        if is_interruption(error):
            raise
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        files = [  # a helper that failed is not a module
            frame.f_code.co_filename
            for frame in frames
            if package_of(frame.f_globals.get("__name__", "")) == package.__name__
        ]
        problem = re.sub(rf"\b{PREFIX}\d+\.?", "", describe(error))
        raise RewardError(f"{where(error, files) or path}: {problem}") from None
    finally:
        sys.path[:] = path_before
    return module


def loaded_files(module_name: str) -> dict[str, Path]:
    """Return a reward file and the modules of its folder that it has imported so far.

    Args:
        module_name: name of the module that `load_file` returned.

    Returns:
        The files by their paths relative to the folder, with slashes; empty for another module.
    """
    package = package_of(module_name)
    if not package:
        return {}
    folder = Path(sys.modules[package].__path__[0])
    modules = [m for name, m in sys.modules.copy().items() if name.startswith(f"{package}.")]
    files = [Path(file) for module in modules if (file := getattr(module, "__file__", None))]
    return {file.relative_to(folder).as_posix(): file for file in files}


def package_of(module_name: str) -> str:
    """Return the package of a module's reward folder; empty if the module is in no such folder."""
    package = module_name.partition(".")[0]
    return package if package.startswith(PREFIX) else ""


def check_name(file: Path) -> None:
    """Check that no other module has the name of a reward file.

    Raises:
        RewardError: if it has the name of another module, which it would hide from programs that
            run in its folder.
    """
    if taken := other_module(file.stem):
        raise RewardError(
            f"{file}: `{file.stem}` is also the name of {taken}, which this file would hide; "
            "rename the file"
        )


def check_working_folder() -> str:
    """Check the files next to train.py, and return a warning about the current folder, or "".

    It warns of a file or package with the name of one of this project's: in this folder, Python
    uses it instead, which this project cannot prevent.

    Raises:
        RewardError: if a file next to train.py hides an installed package.
    """
    here = Path.cwd()
    if here == ROOT:
        for file in sorted(ROOT.glob("*.py")):
            if file.stem not in OUR_MODULES and other_module(file.stem) == INSTALLED:
                raise RewardError(f"{file} hides {INSTALLED}; rename it")
        return ""
    for name in OUR_MODULES:
        for file in (here / f"{name}.py", here / name / "__init__.py"):
            if file.is_file():
                return (
                    f"in this folder, `import {name}` and `python -m {name}` use {file}, and not "
                    f"this project's `{name}`; rename it"
                )
    return ""


def other_module(name: str) -> str:
    """Return which module that is not the user's own has this name; empty if none has."""
    if name in sys.stdlib_module_names:
        return "a module of Python"
    if name in OUR_MODULES:
        return "a module of this project"
    libraries = [folder for folder in sys.path if folder.endswith("-packages")]
    spec = PathFinder.find_spec(name, libraries) if name.isidentifier() else None
    return INSTALLED if spec is not None and spec.loader is not None else ""


class _Finder:
    """Finds the modules of reward folders; it looks at the folder each time."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith(PREFIX):
            _refuse_by_importlib(name)
            return None
        loaders = (_Loader, SOURCE_SUFFIXES), (ExtensionFileLoader, EXTENSION_SUFFIXES)
        found = (FileFinder(folder, *loaders).find_spec(name) for folder in path or ())
        return next((spec for spec in found if spec is not None), None)


sys.meta_path.insert(0, _Finder)


def _refuse_by_importlib(name: str) -> None:
    """Raise ImportError if a reward file imports a module of its folder with `importlib`.

    `importlib` would look everywhere but in this folder.
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(IMPORTLIB):
        frame = frame.f_back
    package = "" if frame is None else package_of(frame.f_globals.get("__name__", ""))
    if package and _is_in_folder(package, name.partition(".")[0]):
        raise ImportError(
            f"importlib does not look for `{name}` in the folder of a reward; write `import {name}`"
        )


class _Loader(SourceFileLoader):
    """Executes a module of a reward folder, whose imports then look in this folder first."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the file; a cache would miss an edit within the same second."""
        try:
            source = self.get_data(self.path)
        except OSError as error:
            raise RewardError(f"{self.path}: cannot be read ({error.strerror})") from None
        _check_text(self.path, source)
        code: CodeType = compile(source, self.path, "exec", dont_inherit=True)
        return code

    def exec_module(self, module: ModuleType) -> None:
        importing = functools.partial(_import, package_of(module.__name__))
        vars(module)["__builtins__"] = vars(builtins) | {"__import__": importing}
        super().exec_module(module)


def _import(
    package: str,
    name: str,
    globals: Any = None,
    locals: Any = None,
    fromlist: Sequence[str] = (),
    level: int = 0,
) -> ModuleType:
    """Import as `__import__` does, with the modules of a reward folder before all others."""
    first = name.partition(".")[0]
    if level or not _is_in_folder(package, first):
        return builtins.__import__(name, globals, locals, fromlist, level)
    module = builtins.__import__(f"{package}.{name}", globals, locals, fromlist)
    return module if fromlist else sys.modules[f"{package}.{first}"]


@functools.cache
def _is_in_folder(package: str, name: str) -> bool:
    """Return whether `name` is a module in a reward folder.

    Raises:
        ImportError: if there is another module of this name, too.
    """
    folder = Path(sys.modules[package].__path__[0])
    spec = _Finder.find_spec(f"{package}.{name}", [str(folder)])
    if spec is None or (folder == ROOT and name in OUR_MODULES):
        return False
    if spec.loader is None:  # a folder without __init__.py: Python also looks elsewhere first
        return importlib.util.find_spec(name) is None
    if taken := other_module(name):
        raise ImportError(f"`{name}` is {taken}, and {spec.origin} hides it; rename that file")
    return True


def _check_text(file: str, source: bytes) -> None:
    """Check that a file is text in the encoding that it declares, by default UTF-8.

    Python checks this as well, but its messages have no line and do not say what to do.

    Raises:
        RewardError: if it is not.
    """
    cure = "save the file as UTF-8 text"
    encoding, at, problem = "", source.find(b"\0"), "a NUL byte, which no text file has"
    with suppress(SyntaxError):  # an unknown encoding, which Python reports well
        encoding = tokenize.detect_encoding(BytesIO(source).readline)[0]
    if at < 0:
        try:
            source.decode(encoding or "utf-8")
        except UnicodeDecodeError as error:
            at, problem = error.start, f"bytes that are not {(encoding or 'utf-8').upper()}"
        except (LookupError, UnicodeError):  # such as rot13, or punycode
            at, problem = 0, f"the encoding {encoding}, which is not a text encoding"
    if encoding not in ("", "utf-8", "utf-8-sig"):
        cure += " and remove the line that declares the encoding"
    if at < 0 and not encoding and source.startswith(BOM_UTF8):
        at, problem = 0, "a byte order mark of UTF-8, but declares another encoding"
        cure = "remove the line that declares it"
    if at >= 0:
        line = source.count(b"\n", 0, at) + 1
        raise RewardError(f"{file}:{line}: has {problem}; {cure}")
