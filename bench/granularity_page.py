"""The page of `bench.granularity`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["page"]

HEADS = {
    "before": "120 words, as before",
    "sentence": "sentence",
    "passage": "passage",
    "page": "page",
    "auto": "auto",
}
LIMIT = (
    "A line is ranked by the words that it shares with the text, and by its entity: where it shares"
    " none, as most fields do with test's new words for them, no granularity helps. The router was"
    " made of the words of English questions alone."
)
FIXED = ("sentence", "passage", "page")


def page(result: Mapping[str, Any]) -> str:
    """Return the page of a result."""
    told = (
        f"Commit `{result['commit']}`, {result['date']}, {result['machine']['cores']} cores, seed"
        f" {result['seed']}: `{result['command']}`. {result['test']['n']} questions on test,"
        f" {result['valid']['n']} on valid. What is asked says `bench/granularity_sets.py`, what is"
        " compared `bench/granularity.py`. Choices were made on valid; test was looked at once, in"
        " words that valid does not have."
    )
    lines = ["<!-- Written by `python -m bench.granularity`. -->", ""]
    lines += ["# Prose in a context: sentence, passage or page", "", told, ""]
    lines += [_verdict(result), "", LIMIT, ""]
    lines += _cells(result, "shares", "Share of the answer's characters in the context", "{:.2f}")
    lines += _cells(result, "density", "The answer's characters that a token buys", "{:.2f}")
    return "\n".join([*lines, *_choices(result), ""])


def _verdict(result: Mapping[str, Any]) -> str:
    valid, test = result["valid"], result["test"]
    best = max(FIXED, key=lambda name: float(valid["means"][name]))
    means = ", ".join(f"{HEADS[name]} {test['means'][name]:.3f}" for name in HEADS)
    low, gap, high = test["gaps"][best]
    wins = "beats" if low > 0 else "does not beat"
    was_low, was, was_high = test["gaps"]["before"]
    return (
        f"Mean share on test over kinds, layouts and budgets: {means}. `auto` {wins} the one"
        f" granularity that is best for all on valid, {best}: {gap:+.3f} [{low:+.3f}, {high:+.3f}];"
        f" against the cut by 120 words {was:+.3f} [{was_low:+.3f}, {was_high:+.3f}] (95 %"
        f" intervals of a paired bootstrap over countries). On valid: {_gap(valid, best)} and"
        f" {_gap(valid, 'before')}. The default is"
        f" `{result['default']}`."
    )


def _gap(found: Mapping[str, Any], name: str) -> str:
    low, mean, high = found["gaps"][name]
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"


def _cells(result: Mapping[str, Any], figure: str, title: str, form: str) -> Iterator[str]:
    """Yield a table: a row for each layout and kind, at each budget."""
    yield from (f"## {title}", "", f"Test, within {_budgets(result)} tokens:", "")
    yield f"| layout, kind | {' | '.join(HEADS.values())} |"
    yield f"|---|{'---:|' * len(HEADS)}"
    for cell in sorted(result["test"][figure]["auto"]):
        rows = [result["test"][figure][name][cell] for name in HEADS]
        shown = [" / ".join(form.format(value) for value in row) for row in rows]
        yield f"| {cell} | {' | '.join(shown)} |"
    yield ""


def _budgets(result: Mapping[str, Any]) -> str:
    return " / ".join(f"{budget:,}" for budget in result["budgets"])


def _choices(result: Mapping[str, Any]) -> Iterator[str]:
    chosen = result["choices"]
    yield from ("## What was chosen on valid", "", "Mean share by what the text asks for:", "")
    yield f"| asks for | {' | '.join(FIXED)} | auto takes |"
    yield f"|---|{'---:|' * len(FIXED)}---|"
    for kind, suited in sorted(result["suited"].items()):
        shown = [f"{chosen[kind][name]:.3f}" for name in FIXED]
        yield f"| {kind} | {' | '.join(shown)} | {suited} |"
    tried = ", ".join(f"{one}: {share:.3f}" for one, share in chosen["thirds"].items())
    yield ""
    yield f"Mean share by the thirds of a budget that a passage may take: {tried}; taken is 1."
