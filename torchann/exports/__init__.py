"""Models as files that serve without this package: ONNX, torch.export."""
