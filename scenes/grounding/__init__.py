"""A phrase ("the white star in the upper left") to the region of an image that it means.

`phrases` reads the words, `candidates` says what could be meant, `terms` how well each candidate
agrees with each part of the phrase, and `grounder` weighs the terms into one probability.
"""
