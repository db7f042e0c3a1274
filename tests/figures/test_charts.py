import pandas as pd

from vae.figures import charts


def test_training_curves_mark_the_best_epoch() -> None:
    history = pd.DataFrame({"epoch": [1, 2, 3]})
    for k, name in enumerate(("loss", "reconstruction", "kl")):
        history[name] = [9.0 + k, 8.0, 7.0]
        history[f"val_{name}"] = [9.5 + k, 7.25, 8.0]
    figure = charts.training_curves(history)
    assert [axes.get_title() for axes in figure.axes] == ["Loss (−ELBO)", "Reconstruction", "KL"]
    for axes, name in zip(figure.axes, ("loss", "reconstruction", "kl"), strict=True):
        training, validation, mark = axes.lines
        assert list(training.get_ydata()) == history[name].tolist()
        assert list(validation.get_ydata()) == history[f"val_{name}"].tolist()
        assert list(mark.get_xdata()) == [2, 2]
        assert mark.get_label() == "kept: epoch 2, validation 7.25"
