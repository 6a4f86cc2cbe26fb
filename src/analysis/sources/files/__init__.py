"""Each kind of file → a table of texts, every line of it accounted for."""
