"""Clean tables → a row a rep and week, a rep and quarter, a team and quarter, a deal won."""
