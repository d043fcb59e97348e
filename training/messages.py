"""Messages for the user, which may quote files of strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rewards.command_line import as_typed

if TYPE_CHECKING:
    from rich.console import Console  # it is slow to import, and supervisors start with this module

MAX_LETTERS = 2_000


def one_line(message: object) -> str:
    """Return a text, or the text of an exception, as one line that a terminal can show.

    Control characters, which could clear the screen or imitate other lines, become question marks.
    The middle of a text of more than `MAX_LETTERS` is left out.
    """
    text = " ".join(str(message).split()) or type(message).__name__
    if len(text) > MAX_LETTERS:
        text = f"{text[: MAX_LETTERS // 2]} ... {text[-MAX_LETTERS // 2 :]}"
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural: "1 episode", "2,000 steps"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def say(console: Console, text: str) -> None:
    """Print a line as it is, with the commands in it as the user types them."""
    console.print(as_typed(text), highlight=False, markup=False, soft_wrap=True)
