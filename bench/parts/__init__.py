"""Parts as answers: ConE, RConE, a plain classifier and rough truth on graphs with images."""
