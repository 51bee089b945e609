"""Build the wheel and check what is in it: every package, the page, the types, no tests or data.

Run by `make check`; exits 1 with the list of what is wrong.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kg", "encoders", "evaluation", "reasoning", "linkers", "scenes", "api", "umbra")
UNWANTED = ("tests/", "bench/", "examples/", "docs/")


def faults(names: list[str]) -> list[str]:
    """Return what is wrong with the names in a wheel."""
    tracked = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    missing = [f"missing: {name}" for name in tracked if name not in names]
    extra = [f"unwanted: {name}" for name in names if name.startswith(UNWANTED)]
    notices = [] if any(n.endswith("licenses/NOTICE") for n in names) else ["missing: NOTICE"]
    return missing + extra + notices


def main() -> int:
    """Build, look, report."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
        built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if built.returncode:
            print(built.stdout[-2000:], built.stderr[-2000:], file=sys.stderr)
            return 1
        wheel = next(Path(folder).glob("*.whl"))
        names = zipfile.ZipFile(wheel).namelist()
    wrong = faults(names)
    print("\n".join(wrong) or f"wheel: {len(names)} files, as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
