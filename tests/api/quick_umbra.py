"""The command `umbra` with short trainings: run as a file, so that its worker processes have them.

Only defaults of configurations are changed; every step is the real one.
"""

from __future__ import annotations

import sys

from api.cli.main import main
from reasoning.predictors.config import LinkPredictorConfig
from reasoning.predictors.embeddings.config import ComplexConfig
from scenes.label_training import LabelConfig
from scenes.network import NetworkConfig

SHORT = {
    ComplexConfig: {"epochs": 8},
    LinkPredictorConfig: {"folds": 2},
    LabelConfig: {"drawn": 40, "rounds": 1, "folds": 2},
    NetworkConfig: {"epochs": 4, "members": 1},
}
for kind, values in SHORT.items():
    kind.__init__.__kwdefaults__.update(values)  # type: ignore[misc]

if __name__ == "__main__":
    sys.exit(main())
