"""How sales and marketing work together in a simulated company, and the files that tell of it."""
