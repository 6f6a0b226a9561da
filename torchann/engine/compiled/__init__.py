"""The chapter's six steps as machine code: a block of mini-batches is one call, without Python and without its lock."""
