"""Small annotated images in which the predicate follows from classes and boxes."""

from __future__ import annotations

import numpy as np

from scenes.relations.annotations import AnnotatedImage, Vocabulary

VOCABULARY = Vocabulary(("person", "horse", "hat"), ("on", "wear", "left of", "ride"))
ON, WEAR, LEFT, RIDE = range(4)


def images(count: int, *, seed: int = 0, fine: float = 0.5) -> tuple[AnnotatedImage, ...]:
    """Persons on horses with hats; the share `fine` of the riders is said to ride, not only on.

    Args:
        count: Number of images.
        seed: Of places and of what is said.
        fine: Share of riders with the rare predicate.
    """
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        x, y = rng.uniform(0, 60, 2)
        boxes = np.array(
            [
                [x, y, x + 10, y + 20],  # person
                [x - 5, y + 15, x + 20, y + 35],  # horse, under the person
                [x + 2, y - 3, x + 8, y + 1],  # hat, on the person's head
                [x + 50, y + 15, x + 75, y + 35],  # another horse, to the right
            ]
        )
        triplets = [[0, WEAR, 2], [1, LEFT, 3], [0, RIDE if rng.random() < fine else ON, 1]]
        made.append(
            AnnotatedImage(
                name=f"{number}.jpg",
                boxes=boxes + rng.normal(0, 0.3, boxes.shape),
                labels=np.array([0, 1, 2, 1]),
                triplets=np.array(sorted(triplets)),
            )
        )
    return tuple(made)
