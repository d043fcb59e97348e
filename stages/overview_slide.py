"""The table and the slide of the overview: what each stage needs, and how accurate it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages.lab.plots import draw_footer
from stages.lab.results import Results, Table
from stages.lab.slides import COLOURS


@dataclass(frozen=True)
class Stages:
    """The stages with their labelled examples, drawn as a table and as bars."""

    examples: Mapping[str, int]
    """Labelled examples of the question itself, for each row of the table."""
    pretrained: Mapping[str, int]
    """Labelled examples of the pretraining, for the rows that have one."""
    backbone: str
    """Key of the pretrained backbone."""
    chance: float
    """Chance level in percent."""

    def costs(self, results: Results, row: str) -> tuple[str, str, str]:
        """Return the parameters, the labelled examples and the numbers of feedback of a row."""
        learned = results.found[row][0]
        before, numbers = self.pretrained.get(row, 0), learned.points[-1].numbers
        numbers_before = results.backbones[self.backbone][0].points[-1].numbers if before else 0
        return (
            f"{learned.parameters:,}",
            _with_before(results, self.examples[row], before),
            _with_before(results, numbers, numbers_before),
        )

    def table(self, results: Results) -> Table:
        """Return a row for each stage; some stages have several."""
        rows = [
            (
                *(text.replace("\n", " ") for text in results.texts[row]),
                *self.costs(results, row),
                f"{results.mean(row):.1f}",
            )
            for row in self.examples
        ]
        return Table(results.texts["columns"], rows)

    def draw(self, axes: Any, results: Results) -> None:
        """Draw the accuracy of each stage, what it needs and what it finds."""
        texts = results.texts
        for k, stage in enumerate(results.series):
            accuracy, colour = results.mean(stage), COLOURS[k]
            axes.barh(k, accuracy.value, 0.84, color=colour, alpha=0.35)
            error = {"xerr": accuracy.margin, "color": colour, "capsize": 6, "lw": 2}
            axes.errorbar(accuracy.value, k + 0.33, **error)
            axes.text(106, k, f"{accuracy.value:.0f}", ha="center", va="center", fontsize=26)
            supplied = texts["supplied"].format(*texts[stage][1:])
            paid = texts["paid"].format(*self.costs(results, stage))
            axes.text(1, k - 0.07, f"{supplied}\n{paid}", va="center", fontsize=14)
        axes.axvline(self.chance, color="grey", ls=":", lw=2)
        axes.set_yticks(range(len(results.series)), [texts[stage][0] for stage in results.series])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set(xlim=(0, 110), xlabel=texts["x"])
        axes.set_xticks(range(0, 101, 20))
        draw_footer(axes, results, "intervals")


def _with_before(results: Results, own: int, before: int) -> str:
    """Return a cost in words: for the question itself, and for the pretraining before it."""
    if not before:
        return f"{own:,}"
    return str(results.texts["before"].format(own=own, before=before))
