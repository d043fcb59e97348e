"""Registers the games whenever Gymnasium is imported, so that `gymnasium.make` finds them.

Installed as a top-level module of its own and imported by a `.pth` file at the interpreter's start.
It must therefore cost next to nothing and import neither Gymnasium nor any package of ours.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType


class GymnasiumFinder:
    """Steps aside for every module but `gymnasium`.

    No subclass of `importlib.abc.MetaPathFinder`: importing that takes longer than all the rest.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find Gymnasium as usual, and hand it a loader that registers the games at the end."""
        if fullname != "gymnasium":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = RegisteringLoader(spec.loader.name, spec.loader.path)
        return spec


class RegisteringLoader(SourceFileLoader):
    """Loads Gymnasium and then tells it of our games."""

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module; without our packages (another project's `envs`) do no more."""
        super().exec_module(module)
        with contextlib.suppress(ImportError):
            importlib.import_module("envs.registration")


sys.meta_path.insert(0, GymnasiumFinder())
