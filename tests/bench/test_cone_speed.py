import gzip
import json

import numpy as np

from bench.cone_speed import main


def test_the_bench_of_cone_training_measures_both_ways_of_drawing(tmp_path):
    draw = np.random.default_rng(0)
    for split, count in (("train", 300), ("valid", 20), ("test", 20)):
        with gzip.open(tmp_path / f"{split}.tsv.gz", "wt") as lines:
            for head, relation, tail in draw.integers(0, (40, 3, 40), (count, 3)):
                lines.write(f"e{head}\tr{relation}\te{tail}\n")
    out = tmp_path / "found.json"
    quick = ["--batch", "8", "--negatives", "4", "--dim", "8", "--steps", "1", "--queries", "20"]
    assert main(["--graph", str(tmp_path), *quick, "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert set(found["samples_per_second"]) == {"ours_own", "ours_shared"}
    assert all(rate > 0 for rate in found["samples_per_second"].values())
    assert found["times_the_public_rate"] == {}
    for lines in found["profile"].values():
        assert 0.0 < sum(line["share"] for line in lines) <= 1.001
