"""A trained model's encoder and decoder as files that need no Keras: ONNX, LiteRT and SavedModel."""
