"""A table of your own: read, its columns inferred, split and encoded."""
