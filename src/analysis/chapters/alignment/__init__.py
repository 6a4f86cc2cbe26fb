"""How well sales and marketing work together, from evidence.

An index that holds no outcome, and how sure it is.
"""
