"""Does alignment pay: benefit, cost, their uncertainty, and what to do next."""
