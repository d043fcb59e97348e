"""The texts of `python -m rewards check`: en.toml and ko.toml."""

from pathlib import Path

FOLDER = Path(__file__).parent
