"""How sure an estimate is: absorbed effects, cluster-robust errors, and what to do with few
clusters.
"""
