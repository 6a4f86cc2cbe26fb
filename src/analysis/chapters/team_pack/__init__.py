"""One team's pack: its own figures, and the company's where enough others are behind."""
