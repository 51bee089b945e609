"""axe-core on a page that is open: what a screen reader or a keyboard would stumble over."""

from __future__ import annotations

import json
from pathlib import Path

from tests.api.browser import Browser

__all__ = ["findings"]

_AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"


def findings(browser: Browser, *, rules: tuple[str, ...] = ()) -> list[str]:
    """Return what axe calls serious or critical, one line each.

    Args:
        browser: Shows the page.
        rules: Only these; all that axe has if empty.
    """
    if not browser.run("'axe' in window"):
        browser.run(_AXE.read_text(encoding="utf-8") + ";0")
    only = json.dumps(list(rules) or None)
    found = json.loads(
        browser.run(
            f"axe.run(document, {{resultTypes: ['violations'], runOnly: {only} ?? undefined}})"
            ".then((all) => JSON.stringify(all.violations.map(({id, impact, nodes}) =>"
            " ({id, impact, where: nodes.map((node) => node.target.join(' '))}))))"
        )
    )
    return [
        f"{one['impact']}: {one['id']}: {', '.join(one['where'])}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
