"""How well sales and marketing work together, from evidence: an index that holds no outcome, and how sure it is."""
