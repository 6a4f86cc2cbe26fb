"""What a report says every quarter beyond its chapters.

Changes and their causes, forecasts, actions, feedback.
"""
