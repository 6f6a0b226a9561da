"""How training steps run, in plain torch."""
