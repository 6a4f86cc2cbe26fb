"""What becomes of a lead after marketing handed it over: the loop back from sales."""
