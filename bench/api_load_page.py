"""The page of `bench.api_load`."""

from __future__ import annotations

from typing import Any

__all__ = ["page"]


def page(result: dict[str, Any]) -> str:
    """Return the tables of a result in Markdown, with what each line should reach."""
    machine, parts = result["machine"], result["parts"]
    about = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"{machine['cores']} cores, {machine['memory_gb']:.0f} GB, seed {result['seed']}, "
        f"{result['workers']} workers. `bench/api_load.py` says what is measured and against what."
    )
    lines = [
        "<!-- Written by `python -m bench.api_load`; change the code, not this page. -->",
        "", "# REST beside the engine's own calls", "", about,
    ]  # fmt: skip
    sections = {"overhead": _overhead, "kept": _kept, "questions": _questions, "soak": _soak}
    for name, section in sections.items():
        if name in parts:
            lines += ["", *section(parts[name])]
    return "\n".join(lines) + "\n"


def _overhead(part: dict[str, Any]) -> list[str]:
    lines = [
        f"## At a steady {part['rate']:.0f} requests a second", "",
        (
            "Milliseconds from when a call was due, medians of five rounds. Wanted: p50 under 2 ms"
            " and p99 under 15 ms more than from the engine; an answer within 3 s of the start."
        ),
        "",
        "| call | n | engine p50 | REST p50 | more | engine p99 | REST p99 | more |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for name, one in part["calls"].items():
        cells = [name, f"{one['n']:,}"]
        for quantile in ("p50_ms", "p99_ms"):
            cells += [f"{one[side][quantile]:.2f}" for side in ("engine", "rest", "overhead")]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        (
            f"The server answered {part['answers_s']:.2f} s after its start, and had store,"
            f" snapshot and models open after {part['ready_s']:.2f} s."
        ),
    ]
    return lines


def _kept(part: dict[str, Any]) -> list[str]:
    return [
        "## Reads that are kept", "",
        (f"{part['clients']} clients without a pause: **{part['a_second']:,.0f} reads a second**,"
        f" p50 {part['p50_ms']:.1f} ms, p99 {part['p99_ms']:.1f} ms. Wanted: 1,000."),
    ]  # fmt: skip


def _questions(part: dict[str, Any]) -> list[str]:
    rates = part["a_second"]
    small = " (a small one, for this page)" if part["small_model"] else ""
    return [
        f"## Questions on {part['graph']}", "",
        (f"{part['questions']} warm questions of four structures, k = 10, with a model of"
        f" `umbra train FOLDER`{small}: the engine, one after the other, {rates['engine']:.1f} a"
        f" second; over REST, {part['clients']} clients, {rates['rest']:.1f} a second:"
        f" **{part['share']:.2f} of the engine's**. Wanted: 0.8."),
    ]  # fmt: skip


def _soak(part: dict[str, Any]) -> list[str]:
    memory = part["memory"]
    return [
        f"## {part['minutes']:g} minutes of mixed load", "",
        (f"{part['requests']:,} requests at {part['rate']:.0f} a second, while all workers were"
        f" replaced {part['replacements_of_all_workers']} times and the model"
        f" {part['new_models']} times ({part['reloads_counted']} reloads counted):"
        f" **{part['failed']} failed**, p50 {part['p50_ms']:.1f} ms, p99 {part['p99_ms']:.1f} ms."
        " A second key, limited to two requests a second, sent eight: its answers are apart."),
        "",
        "| status | answers | of the limited key |",
        "|---|---:|---:|",
        *(
            f"| {status} | {part['statuses'].get(status, 0):,} |"
            f" {part['statuses_of_limited_key'].get(status, 0):,} |"
            for status in sorted({*part["statuses"], *part["statuses_of_limited_key"]})
        ),
        "",
        (f"Memory of all processes after the first fifth: median {memory['median_mb']:.0f} MB;"
        f" windows of a tenth lie at most **{100 * memory['largest_deviation']:.1f} %** from it"
        f" (first {memory['first_window_mb']:.0f}, last {memory['last_window_mb']:.0f}). Wanted:"
        " 5 %."),
    ]  # fmt: skip
