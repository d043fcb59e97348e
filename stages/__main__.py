"""The five ages on one page: `python -m stages`."""

from __future__ import annotations

import sys

from stages.ages import experiment
from stages.experiment import run_experiment

if __name__ == "__main__":
    sys.exit(run_experiment("ages", experiment))
