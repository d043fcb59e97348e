"""A check of a reward that may use all of Python: `python -m classroom --trust-students`."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from classroom.answers import answer_of, answer_with_findings
from classroom.source import FILE, Source, encoded
from rewards.expression import RewardError
from rewards.sandbox.parent import TrialProcess

PLACE = re.compile(rf".*{re.escape(FILE)}:(\d+): (.*)")


def check(text: str, game: str, options: dict[str, Any], lang: str) -> dict[str, Any]:
    """Try a reward as `python -m rewards check` does, and return the answer for the page.

    Raises:
        UnicodeEncodeError: if it is no text.
    """
    source = Source(text)
    with tempfile.TemporaryDirectory(prefix="training-wheels-") as folder:
        file = Path(folder, FILE)
        file.write_bytes(encoded(text))
        try:
            with TrialProcess(str(file), game, options, diagnose=lang) as trial:
                found = trial.wait_for_findings()
        except RewardError as error:
            place = PLACE.fullmatch(str(error))
            line, problem = (int(place[1]), place[2]) if place else (1, str(error))
            return answer_of([source.problem_in_line(line, "run_other", problem=problem)], lang)
    return answer_with_findings(found, [], source, lang)
