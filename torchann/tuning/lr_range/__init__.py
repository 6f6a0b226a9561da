"""The learning-rate range test: the rate grows by each step, and the loss tells where to stop."""
