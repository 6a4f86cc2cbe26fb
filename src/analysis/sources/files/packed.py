"""How far a packed file may expand: repeated rows pack to a fiftieth, no further."""

MOST_TIMES = 300
FEWEST_BYTES = 64 << 20  # unpacked, below which it does not matter
