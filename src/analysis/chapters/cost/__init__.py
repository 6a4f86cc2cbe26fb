"""What an hour of selling costs, and what it has to bring in."""
