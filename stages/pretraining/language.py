"""How few labels does a language model need after it has read a lot of text without labels?

    python -m stages language

A small GPT is pretrained on a commentator's sentences, without labels, on more or less text. Then
its backbone is frozen, and a head learns from 8 to 512 labels whether a sentence was good or bad
for the player. It is compared with the same network trained from scratch on the same labels.
"""

from __future__ import annotations

from stages.datasets.commentary import TextDataset
from stages.lab.claims import Claim, Note
from stages.lab.experiment import Experiment
from stages.lab.intervals import mean
from stages.lab.plots import Curves
from stages.lab.results import Results, Texts
from stages.lab.trials import Trial

TEXT_SIZES = (50, 500, 5_000)  # windows
SCRATCH = 0
LABELS = (8, 32, 128, 512)


def trial(text_size: int, labels: int) -> Trial:
    """Return the trial that learns from `labels` labels."""
    pretrained = text_size != SCRATCH
    return Trial(
        "verdict",
        steps=2_560,
        options={"examples": labels},
        settings={"learning_rate": 1e-2 if pretrained else 3e-3},
        pretrained=text_size if pretrained else None,
        freeze=pretrained,
    )


def tokens(text_size: int) -> int:
    """Return the number of tokens in a text of `windows` windows."""
    return text_size * TextDataset.window


def label(texts: Texts, text_size: int) -> str:
    """Return the name of a series."""
    if text_size == SCRATCH:
        return str(texts["scratch"])
    return str(texts["read"].format(tokens=tokens(text_size)))


def next_token_accuracy(results: Results) -> str:
    """Return the accuracy of the pretraining for every size of the text."""
    return ", ".join(
        results.texts["share"].format(
            tokens=tokens(size), share=mean([100 * run.points[-1].score for run in runs])
        )
        for size, runs in results.backbones.items()
    )


def claim(text: str, labels: int, second: int) -> Claim:
    """Return the claim that the most text gives more accuracy than `second`."""
    little, much = tokens(TEXT_SIZES[0]), tokens(TEXT_SIZES[-1])
    words = {"labels": labels, "little": little, "much": much}
    return Claim(text, (TEXT_SIZES[-1], labels), (second, labels), words=words)


EXPERIMENT = Experiment(
    series=(SCRATCH, *TEXT_SIZES),
    sizes=LABELS,
    labels=label,
    seeds=5,
    backbones={  # the same number of windows for all: less text is read more often
        size: Trial("commentary", steps=6_400, options={"examples": size}) for size in TEXT_SIZES
    },
    grid={
        (size, labels): trial(size, labels) for size in (SCRATCH, *TEXT_SIZES) for labels in LABELS
    },
    conclusions=(
        Note("next", words={"shares": next_token_accuracy}),
        claim("few", LABELS[1], second=SCRATCH),
        claim("many", LABELS[-1], second=SCRATCH),
        claim("more", LABELS[-1], second=TEXT_SIZES[0]),
    ),
    plot=Curves(ylim=(40, 100), baseline=50),
)
