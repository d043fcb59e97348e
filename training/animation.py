"""An animation that a notebook shows."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass, field
from pathlib import Path

from training.run_folder import atomic_path


@dataclass(frozen=True)
class Animation:
    """A GIF. As the last value of a notebook's cell, it is shown below the cell."""

    gif: bytes = field(repr=False)
    title: str = ""
    """What the animation shows, in a line."""

    def save(self, path: str | Path) -> None:
        """Write the GIF to a file.

        Raises:
            OSError: if that is not possible.
        """
        with atomic_path(Path(path)) as temporary:
            temporary.write_bytes(self.gif)

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.gif).decode()
        return f'<img alt="{html.escape(self.title)}" src="data:image/gif;base64,{data}">'
