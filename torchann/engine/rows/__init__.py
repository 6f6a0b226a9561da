"""What is trained on, and in which order: rows in memory or read in blocks, shuffled, sharded."""
