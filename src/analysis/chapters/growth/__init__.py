"""Whether teams that joined the alignment programme grow faster for it, and what the company could
tell at best.
"""
