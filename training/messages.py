"""Messages for the user, which may quote files of strangers."""

from __future__ import annotations

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
