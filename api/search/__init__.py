"""Search by words, meaning and neighbours, weighed by query, with the reasons for each hit."""
