"""What every room stands on: where things lie, settings, quarters, published claims, errors."""
