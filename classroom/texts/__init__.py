"""The texts of the classroom: en.toml and ko.toml."""

from pathlib import Path

FOLDER = Path(__file__).parent
