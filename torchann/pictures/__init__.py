"""Pictures of what a network learns: tensors and names in, matplotlib figures out."""
