"""What becomes of a trained model: saved, loaded, described, exported, predicting a table."""
