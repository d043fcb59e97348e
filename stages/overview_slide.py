"""The slide of the overview: a bar for each stage, with what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from stages.lab.plots import draw_footer
from stages.lab.results import Results
from stages.lab.slides import COLOURS


class Cost(NamedTuple):
    """How many examples, or numbers of feedback, an stage needs."""

    own: int
    """For the question itself."""
    before: int = 0
    """For the pretraining."""

    def text(self, results: Results) -> str:
        """Return the cost in words."""
        if not self.before:
            return f"{self.own:,}"
        return str(results.texts["before"].format(**self._asdict()))


def draw_stages(
    axes: Any, results: Results, chance: Mapping[str, float], costs: Mapping[str, tuple[Cost, Cost]]
) -> None:
    """Draw each stage: accuracy and chance level, in percent, what it needs and what it finds."""
    texts = results.texts
    for k, stage in enumerate(results.series):
        accuracy, colour = results.mean(stage), COLOURS[k]
        axes.barh(k, accuracy.value, 0.84, color=colour, alpha=0.35)
        error = {"xerr": accuracy.margin, "color": colour, "capsize": 6, "lw": 2}
        axes.errorbar(accuracy.value, k + 0.33, **error)
        axes.plot([chance[stage]] * 2, (k - 0.42, k + 0.42), color="grey", ls=":", lw=2)
        axes.text(106, k, f"{accuracy.value:.0f}", ha="center", va="center", fontsize=26)
        supplied = texts["supplied"].format(*texts[stage][1:])
        paid = texts["paid"].format(*(cost.text(results) for cost in costs[stage]))
        axes.text(1, k - 0.07, f"{supplied}\n{paid}", va="center", fontsize=15)
    axes.set_yticks(range(len(results.series)), [texts[stage][0] for stage in results.series])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlim=(0, 110), xlabel=f"{texts['x']}\n{texts['note']}")
    axes.set_xticks(range(0, 101, 20))
    draw_footer(axes, results, "intervals")
