"""Networks: tensors in, logits or values out."""
