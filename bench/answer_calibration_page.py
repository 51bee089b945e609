"""The page of `bench.answer_calibration`; every figure comes from its result."""

from __future__ import annotations

from evaluation import RunResult

__all__ = ["DEALT", "KNOWN", "page"]

KNOWN = {
    "answer-calibration": "training",
    "answer-calibration-valid-known": "training and validation, as a user runs",
}
"""Known edges of each protocol."""

DEALT = "-dealt"
"""End of a protocol where validation and test edges were dealt anew."""

OF_MODEL = "The maps are the model's, fitted by its training on sampled validation queries. "
OF_DEAL = (
    "Validation and test edges were dealt anew; mix and maps were fitted again on the validation "
    "edges of that deal, the maps on sampled queries. Embeddings and rules are of the training "
    "edges, and stay; how long embeddings were trained had been chosen by the split as it was. "
)


def page(result: RunResult, stem: str = "answer-calibration") -> str:
    """Return the page of a result; every figure comes from it."""
    metrics, looks = result.metrics, result.by["earlier"]["looks"]["n"]
    lines = [
        "# Calibration of answers\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, {result.machine.memory_gb:.0f} GB, no GPU, "
            f"seed {result.seed}.\n"
        ),
        (
            "Population: the ten best likely answers of each test query, known edges are those of "
            f"{KNOWN[result.protocol.removesuffix(DEALT)]}. ECE over 15 bins of equal mass. "
            f"{OF_DEAL if result.protocol.endswith(DEALT) else OF_MODEL}"
            f"Answers **{metrics['ece']:.3f}** (scores taken for probabilities: "
            f"{metrics['ece_of_scores']:.3f}), edges (1p) "
            f"**{metrics.get('ece_of_edges', 0.0):.3f}**.\n"
        ),
        (
            f"Calibration on test queries had been looked at {looks} times "
            "before this run; the way to fit the maps was chosen on validation queries alone.\n"
            if looks
            else "Calibration on these test queries had not been looked at before this run.\n"
        ),
        (
            f"The risk that the probabilities promise lies within the 95 % band of the observed "
            f"risk at {metrics['risk_within_band']:.0%} of the coverages. With all answers kept, "
            f"{metrics['risk_promised']:.1%} are promised to be wrong and "
            f"{metrics['risk_observed']:.1%} ± {metrics['half_band']:.1%} are. The band holds "
            "three chances: the draw of queries; the draw of held-out edges, by the edge that each "
            "answer hangs on, since one edge makes answers to many queries true at once; and "
            "the sample of validation answers that the maps were fitted on, by fitting them again "
            "with random weights of its queries and edges. A band of the queries alone would hold "
            f"{metrics['risk_within_band_of_queries']:.0%}, one of queries and edges "
            f"{metrics['risk_within_band_of_queries_and_edges']:.0%}. It does not hold that test "
            "may have more held-out edges than validation, nor other ways to draw queries.\n"
        ),
        f"![Reliability and risk–coverage]({stem}.svg)\n",
        "| answers of | queries | share true | ECE | ECE of scores |",
        "|---|---|---|---|---|",
    ]
    rows = {**result.by["part"], **result.by["structure"]}
    for name, part in rows.items():
        cells = (part["share_true"], part["ece"], part["ece_of_scores"])
        lines.append(
            f"| {name} | {part['n']:,} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |"
        )
    return "\n".join(lines) + "\n"
