"""The gate between cleaning and report: which questions the cleaned tables can answer."""
