"""Charts of the figures that the stages measure."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vae.figures.style import COLORS


def training_curves(history: pd.DataFrame) -> Figure:
    """Loss, reconstruction and KL by epoch, for training and validation, with the best epoch marked."""
    best = history.iloc[history.val_loss.argmin()]
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    titles = {"loss": "Loss (−ELBO)", "reconstruction": "Reconstruction", "kl": "KL"}
    for axes, (name, title) in zip(figure.subplots(1, 3), titles.items(), strict=True):
        axes.plot(history.epoch, history[name], "o-", color=COLORS[6], label="training")
        axes.plot(history.epoch, history[f"val_{name}"], "s-", color=COLORS[0], label="validation")
        kept = f"kept: epoch {best.epoch:.0f}, validation {best[f'val_{name}']:.2f}"
        axes.axvline(best.epoch, color="grey", linestyle=":", label=kept)
        axes.set(title=title, xlabel="epoch", ylabel="nats per image")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure
