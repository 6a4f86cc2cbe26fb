"""How much a packed file may unpack to: rows that repeat are packed to a fiftieth, no further."""

MOST_TIMES = 300
FEWEST_BYTES = 64 << 20  # unpacked, below which it does not matter
