"""What the doctor says, in English and Korean."""

from pathlib import Path

FOLDER = Path(__file__).parent
