"""LightningModules: a net with its loss, its metrics and its optimiser."""
