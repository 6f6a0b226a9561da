"""The chapter's experiments and the figures that its book published."""
