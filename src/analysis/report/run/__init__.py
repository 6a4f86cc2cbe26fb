"""A quarter's report from start to end: plan, notebooks, publication, verification."""
