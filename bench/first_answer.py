"""From the README to a first own answer: its commands, word for word, on a fresh clone.

Question: does a reader who types what the README's section "Your first own answer" says get the
answer that it tells, within ten minutes? No rival. The repository is cloned into a new folder and
the lines are run by one bash, in their order; the page is then asked the same question over REST.

    python -m bench.first_answer --out docs/benchmarks
    python -m bench.first_answer --installed .venv     # leave the download of packages out

Minutes; most of them download and unpack packages (about 2 GB). Port 8321 must be free.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench.run_record import keep, run_record

__all__ = ["commands", "main"]

ROOT = Path(__file__).resolve().parents[1]
SECTION = "Your first own answer"
ADDRESS = "http://127.0.0.1:8321"
READY_WITHIN_S = 120.0
LIMIT_S = 600.0


def commands() -> list[str]:
    """Return the lines of the README's section."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split(f"## {SECTION}", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[0].splitlines()


def bash(lines: Sequence[str], clone: Path) -> subprocess.CompletedProcess[str]:
    """Run the README's own lines, as its reader does."""
    command = ["/bin/bash", "-c", "\n".join(lines)]
    return subprocess.run(  # noqa: S603
        command, cwd=clone, capture_output=True, text=True, check=False
    )


def run_lines(lines: Sequence[str], clone: Path) -> tuple[list[dict[str, Any]], str]:
    """Run lines in one bash; return what each took, and what was printed.

    Raises:
        SystemExit: A line failed.
    """
    times = clone.parent / "times"
    script = ["set -eu"]
    for line in lines:
        script += [line, f"date +%s.%N >> {times}"]
    started = time.time()
    ran = bash(script, clone)
    if ran.returncode:
        raise SystemExit(f"{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}")
    ends = [float(line) for line in times.read_text().splitlines()]
    begins = [started, *ends[:-1]]
    rows = [
        {"command": line, "seconds": round(end - begin, 2)}
        for line, begin, end in zip(lines, begins, ends, strict=True)
    ]
    return rows, ran.stdout


def served(
    serve: str, before: Sequence[str], question: str, clone: Path
) -> tuple[float, list[str]]:
    """Start the page; return the seconds until it answers, and the names of the answers."""
    lines = "\n".join([*before, f"exec {serve}"])
    started = time.monotonic()
    with subprocess.Popen(  # noqa: S603
        ["/bin/bash", "-c", lines], cwd=clone, stderr=subprocess.DEVNULL
    ) as process:
        try:
            body = json.dumps({"query": question}).encode()
            found = _asked(body, deadline=started + READY_WITHIN_S)
            seconds = time.monotonic() - started
        finally:
            process.terminate()
    return seconds, [answer["name"] for answer in found["answers"]]


def _asked(body: bytes, *, deadline: float) -> Any:
    headers = {"Content-Type": "application/json"}
    request = Request(f"{ADDRESS}/v1/query", body, headers)  # noqa: S310 - loopback
    while True:
        try:
            with urlopen(request) as response:  # noqa: S310 - loopback
                return json.load(response)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def measured(installed: Path | None) -> dict[str, Any]:
    """Clone, follow the README, and return what each line took.

    Raises:
        SystemExit: The clone or a line of the README failed, or the page answers otherwise.
    """
    lines = commands()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "umbra"
        cloned = bash([f"git clone --quiet {shlex.quote(str(ROOT))} umbra"], clone.parent)
        if cloned.returncode:
            raise SystemExit(f"git clone failed: {cloned.stderr[-2000:]}")
        if installed is not None:
            lines = [line for line in lines if line != "make setup"]
            (clone / ".venv").symlink_to(installed.resolve())
        here = [line for line in lines if line.startswith(("source ", "cd "))]
        rows, printed = run_lines(lines[:-1], clone)
        asked = next(line for line in lines if line.startswith("umbra ask"))
        question = re.findall(r'"(.+)"', asked)[0]
        seconds, names = served(lines[-1], here, question, clone)
        missing = [name for name in names if name not in printed]
        bash([*here, "umbra store stop"], clone)
        shutil.rmtree(clone, ignore_errors=True)
    if missing or not names:
        raise SystemExit(f"the page answers {names}, the command line does not")
    rows.append({"command": f"{lines[-1]}, until it answers", "seconds": round(seconds, 2)})
    return {"rows": rows, "answers": names, "installed": installed is not None}


def page(result: dict[str, Any]) -> str:
    """Return the page of a result."""
    machine, total = result["machine"], sum(row["seconds"] for row in result["rows"])
    told = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']},"
        f" {machine['cores']} cores, {machine['memory_gb']} GB. A fresh clone, the README's section"
        f" “{SECTION}” word for word; the page then gives the same answers"
        f" ({', '.join(result['answers'])})."
    )
    left_out = " Packages were installed before: `make setup` is not in it."
    lines = ["<!-- Written by `python -m bench.first_answer`. -->", ""]
    lines += ["# From the README to a first own answer", ""]
    lines += [
        told + (left_out if result["installed"] else ""),
        "",
        "| command | seconds |",
        "|---|---:|",
    ]
    lines += [f"| `{row['command']}` | {row['seconds']:.1f} |" for row in result["rows"]]
    lines += [f"| all | {total:.1f} |", "", f"Aim: {LIMIT_S:.0f} s.", ""]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Follow the README, print the page, keep it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--installed", type=Path, help="a virtual environment to use as it is")
    parser.add_argument("--out", type=Path, help="folder of the JSON and the page")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    result = run_record("bench.first_answer", given) | measured(arguments.installed)
    keep(result, page, folder=arguments.out, name="first-answer")
    return 0


if __name__ == "__main__":
    sys.exit(main())
