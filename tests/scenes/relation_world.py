"""Made images for the tests of relations: boxes and classes decide the predicate."""

from __future__ import annotations

import numpy as np

from scenes.relations.annotations import AnnotatedImage, Vocabulary

VOCABULARY = Vocabulary(
    ("person", "hat", "table", "cup", "dog"), ("wear", "on", "under", "next to", "hold")
)


def made_images(count: int, *, seed: int = 0) -> tuple[AnnotatedImage, ...]:
    """People wear hats and hold cups; what lies higher is on, what lies lower under, a table."""
    generator = np.random.default_rng(seed)
    images = []
    for number in range(count):
        size = int(generator.integers(2, 6))
        labels = generator.integers(0, 5, size=size)
        low = generator.integers(0, 80, size=(size, 2)).astype(float)
        boxes = np.concatenate([low, low + generator.integers(5, 40, size=(size, 2))], axis=1)
        triplets = []
        for s in range(size):
            for o in range(size):
                pair, above = (labels[s], labels[o]), boxes[s, 1] < boxes[o, 1]
                if s == o or generator.random() < 0.3:
                    continue
                if pair == (0, 1):
                    triplets.append((s, 0, o))
                elif pair == (0, 3):
                    triplets.append((s, 4, o))
                elif pair[1] == 2 and pair[0] != 2:
                    triplets.append((s, 1 if above else 2, o))
                elif pair in ((0, 4), (4, 0)) and generator.random() < 0.3:
                    triplets.append((s, 3, o))
        images.append(
            AnnotatedImage(
                name=f"{seed}-{number}.jpg",
                boxes=boxes,
                labels=labels,
                triplets=np.empty((0, 3), dtype=np.int64),
            ).with_triplets(np.array(triplets, dtype=np.int64))
        )
    return tuple(images)
