"""A whole company whose effects we chose: the demo data, and the truth the tests know."""
