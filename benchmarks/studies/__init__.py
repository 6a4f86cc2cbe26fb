"""What the estimators make of companies whose truth is known.

Slow studies that benchmarks and few tests run.
"""
