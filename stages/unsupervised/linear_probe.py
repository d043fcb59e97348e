"""How few labels does a linear model need if its input is latent codes instead of pixels?

    python -m stages linear_probe

An autoencoder is trained on screens without labels. Then ridge regression learns where the ball is
from 10 to 1,000 labelled screens, given either the latent codes or the pixels, and predicts it for
test screens.
"""

from __future__ import annotations

from stages.lab.claims import claim_at
from stages.lab.experiment import Experiment
from stages.lab.results import Cell, own_cells
from stages.unsupervised.autoencoders import autoencoder, train_and_encode
from stages.unsupervised.ridge import SAMPLES, TEST_SCREENS, probe_error
from training.config import RunConfig

CODES = (4, 16)
LABELS = (10, 30, 100, 300, 1_000)


def measure(config: RunConfig) -> dict[Cell, float]:
    """Train an autoencoder; return the errors of linear models, by input and number of labels."""
    _, screens, positions, codes = train_and_encode(config, TEST_SCREENS + SAMPLES * LABELS[-1])
    inputs = {str(codes.shape[1]): codes}
    if codes.shape[1] == CODES[0]:  # the pixels are the same for all autoencoders
        inputs["pixels"] = screens.reshape(len(screens), -1) / 255
    return {
        (name, labels): probe_error(points, positions, labels, LABELS[-1])
        for name, points in inputs.items()
        for labels in LABELS
    }


EXPERIMENT = Experiment(
    series=("4", "16", "pixels"),
    sizes=LABELS,
    grid={codes: autoencoder(codes) for codes in CODES},
    measure=measure,
    values=own_cells,
    conclusions=(
        claim_at(LABELS[0], "few", "pixels", "16", codes=16),
        claim_at(LABELS[-1], "many", "16", "pixels", codes=16),
    ),
)
