"""The gallery as one HTML page that needs no other file: texts, code, curves and films."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from envs.engine.render import Renderer
from reward_lab.gallery.outcomes import Outcome, Verdict
from reward_lab.gallery.trials import load_film
from stages.lab.slides import COLOURS, SETTINGS, font_for
from training.gif import gif_bytes
from training.recorded_episodes import RecordedEpisodes
from training.run_folder import atomic_path

Array = np.ndarray[Any, Any]

FRAMES_PER_SECOND = 12
SIDE = 240
"""Largest side of a film in pixels."""
CURVES = (10.0, 3.2)
"""Width and height of the curves in inches."""
STYLE = """
body { font: 17px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #1a2030; background: #fff; }
h1 { font-size: 2rem; } h2 { margin-top: 3.5rem; border-top: 1px solid #ccd; padding-top: 1.5rem; }
h2 small { font-weight: normal; color: #667; }
dt { font-weight: 600; margin-top: .6rem; } dd { margin: 0; }
pre { background: #f2f4f8; padding: .8rem 1rem; border-radius: 6px; overflow-x: auto;
      font-size: 14px; white-space: pre-wrap; }
img { max-width: 100%; } figure { margin: 0; } figcaption { color: #556; font-size: 15px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; align-items: start; }
.films img { width: 100%; max-width: 300px; border-radius: 6px; }
@media (max-width: 640px) { .pair { grid-template-columns: 1fr; } }
"""


def write_page(
    path: Path, verdicts: Sequence[Verdict], texts: dict[str, Any], lang: str, progress: Progress
) -> None:
    """Write the page, as a whole or not at all.

    Raises:
        ValueError: if no font on this machine has the letters of `lang`.
        OSError: if the file cannot be written.
    """
    sections = [
        _section(verdict, texts, lang) for verdict in progress.track(verdicts, description="HTML")
    ]
    intro = html.escape(texts["intro"].format(seeds=verdicts[0].seeds))
    title = html.escape(texts["title"])
    page = (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n<p>{intro}</p>\n{''.join(sections)}</body>\n</html>\n"
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _section(verdict: Verdict, texts: dict[str, Any], lang: str) -> str:
    """Return the part of the page about one reward."""
    hack = verdict.hack
    own = {name: html.escape(text) for name, text in texts["hacks"][hack.name].items()}
    heads = {k: html.escape(texts[k]) for k in ("wanted", "happens", "repair")}
    options = "".join(f", {name}={value}" for name, value in hack.env_options.items())
    films = "".join(
        f"<figure>{_image(_film(load_film(file.stem)), 'gif', file.stem)}"
        f"<figcaption>{html.escape(label)}: {html.escape(texts['score'])} "
        f"{_mean(outcome)}</figcaption></figure>"
        for file, outcome, label in (
            (hack.file, verdict.wrong, texts["wrong_label"]),
            (hack.repair_file, verdict.repaired, texts["repaired_label"]),
        )
    )
    code = "".join(
        f"<pre>{html.escape(file.read_text('utf-8').strip())}</pre>"
        for file in (hack.file, hack.repair_file)
    )
    counts = " · ".join(
        f"{html.escape(texts[name])}: "
        f"{html.escape(texts['of'].format(count=count, seeds=verdict.seeds))}"
        for name, count in (("rose", verdict.risen), ("worse", verdict.worse))
    )
    return (
        f'<h2 id="{hack.name}">{own["title"]} '
        f"<small>{hack.name}, {hack.env}{options}</small></h2>\n"
        f"<dl><dt>{heads['wanted']}</dt><dd>{own['wanted']}</dd>"
        f"<dt>{heads['happens']}</dt><dd>{own['happens']}</dd>"
        f"<dt>{heads['repair']}</dt><dd>{own['repair']}</dd></dl>\n"
        f'<div class="pair films">{films}</div>\n'
        f"<figure>{_image(_curves(verdict, texts, lang), 'png', hack.name)}"
        f"<figcaption>{counts}</figcaption></figure>\n"
        f'<div class="pair">{code}</div>\n'
    )


def _image(content: bytes, kind: str, name: str) -> str:
    data = base64.b64encode(content).decode()
    return f'<img alt="{html.escape(name)}" src="data:image/{kind};base64,{data}">'


def _mean(outcome: Outcome) -> str:
    return f"{outcome.score:.2f}"


def _film(episodes: RecordedEpisodes) -> bytes:
    """Return the first recorded episode as a GIF."""
    return gif_bytes(_frames(episodes), FRAMES_PER_SECOND)


def _frames(episodes: RecordedEpisodes) -> Iterator[Array]:
    """Yield the pictures of the first episode in real time."""
    renderer, states = Renderer(episodes.game), episodes.states_of(0)
    stride = episodes.game.steps_per_second / FRAMES_PER_SECOND
    for k in range(int((len(states) - 1) / stride) + 1):
        picture = renderer.picture(states[round(k * stride)], episodes.options)
        every = -(-max(picture.shape[:2]) // SIDE)
        yield np.ascontiguousarray(picture[::every, ::every])
    end = renderer.picture(states[-1], episodes.options)
    for _ in range(FRAMES_PER_SECOND):  # a second to see how it ends
        yield np.ascontiguousarray(end[::every, ::every])


def _curves(verdict: Verdict, texts: dict[str, Any], lang: str) -> bytes:
    """Return the curves as a PNG: the reward on the left, and both scores on the right."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    file = io.BytesIO()
    fonts = {"font.family": [font_for(lang).get_name(), "DejaVu Sans"]}
    small = {"font.size": 12, "axes.labelsize": 12, "legend.fontsize": 11, "lines.linewidth": 2.5}
    with mpl.rc_context(SETTINGS | fonts | small):
        figure = Figure(CURVES, 100, layout="constrained")
        left, right = figure.subplots(1, 2)
        wrong, repaired = verdict.wrong, verdict.repaired
        _band(left, wrong.steps, wrong.returns, 1, texts["wrong_label"])
        _band(right, wrong.steps, wrong.scores, 1, texts["wrong_label"])
        _band(right, repaired.steps, repaired.scores, 2, texts["repaired_label"])
        for axes, label in ((left, "curve_reward"), (right, "curve_score")):
            axes.set(xlabel=texts["steps"], ylabel=texts[label])
            axes.legend()
        figure.savefig(file, format="png")
    return file.getvalue()


def _band(axes: Any, steps: list[int], curves: list[list[float]], k: int, label: str) -> None:
    """Draw the mean over seeds, and a band from the lowest seed to the highest."""
    values, x = np.array(curves), np.array(steps) / 1000
    axes.plot(x, values.mean(0), color=COLOURS[k], label=label)
    axes.fill_between(x, values.min(0), values.max(0), color=COLOURS[k], alpha=0.2, lw=0)
