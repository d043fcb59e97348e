"""How few labels does a language model need after it has read a lot of text without labels?

    python -m stages language

A small GPT is pretrained on a commentator's sentences, without labels, on more or less text. Then
it learns from 8 to 512 labels whether a sentence was good or bad for the player: only a head on the
frozen backbone, or, after most text, all layers. It is compared with the same network trained from
scratch on the same labels.
"""

from __future__ import annotations

from stages.datasets.commentary import TextDataset
from stages.lab.claims import Note, claim_at
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves
from stages.lab.results import Results, Texts
from stages.lab.trials import Trial

TEXT_SIZES = (50, 500, 5_000)  # windows
MOST = TEXT_SIZES[-1]
SCRATCH, ALL = "scratch", "all"
SERIES = (SCRATCH, *TEXT_SIZES, ALL)
"""Networks: trained from scratch, a head after reading (windows), all layers after most text."""
HEAD, WHOLE = 1e-2, 3e-3  # learning rates of a head alone, and of all layers
LABELS = (8, 32, 128, 512)


def trial(series: int | str, labels: int) -> Trial:
    """Return the trial that learns from `labels` labels."""
    return Trial(
        "verdict",
        steps=2_560,
        options={"examples": labels},
        settings={"learning_rate": HEAD if series in TEXT_SIZES else WHOLE},
        pretrained=None if series == SCRATCH else MOST if series == ALL else series,
        freeze=series in TEXT_SIZES,
    )


def tokens(windows: int) -> int:
    """Return the number of tokens in a text of `windows` windows."""
    return windows * TextDataset.window


def label(texts: Texts, series: int | str) -> str:
    """Return the name of a series."""
    if isinstance(series, int):
        return str(texts["read"].format(tokens=tokens(series)))
    return str(texts[series].format(tokens=tokens(MOST)))


def next_token_accuracy(results: Results) -> str:
    """Return the accuracy of the pretraining for every size of the text."""
    share = results.texts["share"]
    return ", ".join(
        share.format(tokens=tokens(size), share=results.pretrained_percent(size))
        for size in TEXT_SIZES
    )


READ = {"little": tokens(TEXT_SIZES[0]), "much": tokens(MOST)}
EXPERIMENT = Experiment(
    series=SERIES,
    sizes=LABELS,
    labels=label,
    seeds=5,
    backbones={  # the same number of windows for all: less text is read more often
        size: Trial("commentary", steps=6_400, options={"examples": size}) for size in TEXT_SIZES
    },
    grid={(series, labels): trial(series, labels) for series in SERIES for labels in LABELS},
    conclusions=(
        Note("next", words={"shares": next_token_accuracy}),
        claim_at(32, "few", MOST, SCRATCH, **READ),
        claim_at(128, "many", ALL, SCRATCH, **READ),
        claim_at(512, "thaw", ALL, MOST, **READ),
        claim_at(512, "more", MOST, TEXT_SIZES[0], **READ),
    ),
    plot=Curves(ylim=(40, 100), baseline=50, series=(SCRATCH, TEXT_SIZES[0], MOST, ALL)),
)
