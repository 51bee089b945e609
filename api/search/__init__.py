"""Search over everything: by words and by meaning, fused, with the reasons for each hit."""
