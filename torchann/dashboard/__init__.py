"""What TensorBoard shows of a run, and the server that shows it."""
