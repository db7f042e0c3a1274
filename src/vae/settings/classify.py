"""Section `classify` of `params.yaml`."""

from pydantic import Field

from vae.settings import BatchSize, Epochs, LearningRate, Section


class Classify(Section):
    """The classifier and its training."""

    epochs: Epochs = Field(description="Number of epochs. All of them run; the best is kept.")
    batch_size: BatchSize = Field(description="Images in one step.")
    learning_rate: LearningRate = Field(
        description="Adam's learning rate at the start; it falls to 0 by half a cosine."
    )
