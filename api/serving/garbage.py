"""What a server holds as long as it lives is set aside from the search for garbage.

Python looks through all that is alive now and then, and everything waits meanwhile: with models and
libraries loaded that is a tenth of a second and more, which some requests would bear.
"""

from __future__ import annotations

import gc

__all__ = ["settle"]

YOUNG = 5_000
"""Objects made between two looks at the youngest; Python's own 700 is met every few requests."""


def settle() -> None:
    """Let garbage go, and look no more through what is left: it has come to stay.

    To be called once all is loaded, and again when something newer has been: what was set aside
    before is looked through once more, so that what has been replaced goes.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
