"""`umbra` with short trainings: run as a file, so that its worker processes have them too."""

from __future__ import annotations

import sys

from short_trainings import shorten_when_loaded  # beside this file, which is run by its path

from api.cli.main import main

shorten_when_loaded()

if __name__ == "__main__":
    sys.exit(main())
