"""The model card of the pipeline's model: what it is, its data, what was measured, and what it is not good for."""
