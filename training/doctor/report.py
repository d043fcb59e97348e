"""What the doctor prints: sentences for people, or JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from rewards.command_line import as_typed
from rewards.texts import load_texts
from training.doctor import commands
from training.doctor.diagnosis import Diagnosis
from training.doctor.evidence import Evidence, Finding
from training.doctor.texts import FOLDER
from training.messages import one_line
from training.saved_curves import DOTS_PER_INCH, draw_curves
from training.saved_curves import Curve as SavedCurve

WORDS = ((0.85, "very_likely"), (0.6, "likely"), (0.0, "possible"))
"""Least strength for each word."""


def show_diagnosis(console: Console, diagnosis: Diagnosis, lang: str) -> None:
    """Print what is known about the run, and each finding with its evidence and a command."""
    evidence, texts = diagnosis.evidence, load_texts(FOLDER, lang)
    own = texts["report"]
    _print(console, _summary(evidence, own))
    for number, finding in enumerate(diagnosis.findings, 1):
        text, word = texts[finding.name], own[_word(finding.strength)]
        console.print()
        _print(console, f"{number}. {text['title']} ({word})", "bold")
        _print(console, f"   {_sentence(finding, text)}")
        place = own["setting" if finding.curve not in evidence.curves else "curve"]
        _print(console, f"   {place.format(curve=finding.curve, step=finding.step or 0)}", "dim")
        _print(console, f"   {text['advice']}")
        _print(console, f"   {own['try']} {finding.command}")
    if diagnosis.findings:
        return
    if evidence.learned:
        _print(console, own["learned"])
        return
    _print(console, own["nothing"])
    _print(console, f"   {commands.train(evidence, seed=evidence.config.seed + 1)}")
    _print(console, f"   {commands.resume(evidence, 4 * max(1, evidence.steps))}")


def to_json(diagnosis: Diagnosis, lang: str) -> dict[str, Any]:
    """Return the diagnosis as JSON can hold it: numbers that are not finite become null."""
    evidence, texts = diagnosis.evidence, load_texts(FOLDER, lang)
    return {
        "run": evidence.folder,
        "steps": evidence.steps,
        "score": _finite(evidence.score.last) if evidence.score else None,
        "solved_score": evidence.bar,
        "learned": evidence.learned,
        "findings": [
            {
                "name": each.name,
                "strength": round(each.strength, 3),
                "title": texts[each.name]["title"],
                "evidence": _sentence(each, texts[each.name]),
                "numbers": {name: _finite(value) for name, value in each.numbers.items()},
                "curve": each.curve,
                "step": each.step,
                "advice": texts[each.name]["advice"],
                "command": as_typed(each.command),
            }
            for each in diagnosis.findings
        ],
    }


def draw_evidence(diagnosis: Diagnosis, out: Path) -> None:
    """Draw the curves of the findings, or the scores if no finding has a curve, as a PNG file.

    Raises:
        ValueError: if matplotlib is not installed.
        OSError: if the file cannot be written.
    """
    curves = diagnosis.evidence.curves
    tags = list(dict.fromkeys(each.curve for each in diagnosis.findings if each.curve in curves))
    saved = {
        tag: SavedCurve(np.array(curve.steps), np.array(curve.values))
        for tag, curve in curves.items()
    }
    try:
        figure = draw_curves(saved, tags, diagnosis.evidence.folder)
    except ImportError as error:
        raise ValueError(str(error)) from None
    figure.savefig(out, format="png", dpi=DOTS_PER_INCH)


def _summary(evidence: Evidence, own: Mapping[str, str]) -> str:
    config = evidence.config
    parts = [own["run"].format(agent=config.agent, env=config.env, steps=evidence.steps)]
    if evidence.score:
        parts.append(own["score"].format(score=evidence.score.last))
    if evidence.bar is not None:
        parts.append(own["bar"].format(bar=evidence.bar))
    return " ".join(parts)


def _word(strength: float) -> str:
    return next(word for least, word in WORDS if strength >= least)


def _sentence(finding: Finding, text: Mapping[str, str]) -> str:
    return text[finding.evidence].format(**finding.numbers)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print(console: Console, text: str, style: str | None = None) -> None:
    """Print a line with the spaces in front of it; settings in it may come from a stranger."""
    indent = text[: len(text) - len(text.lstrip())]
    line = indent + one_line(as_typed(text))
    console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)
