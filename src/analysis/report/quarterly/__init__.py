"""What a report says every quarter beyond its chapters: changes and their causes, forecasts, actions, the review."""
