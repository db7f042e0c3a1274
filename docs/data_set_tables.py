"""Generate the table of the results with Fashion-MNIST next to MNIST's, from the committed comparison of both runs.

`reports/fashion_mnist.json` is what `dvc metrics diff --all --json` prints: each metric of both runs. docs/results.md
says how to make it.
"""

from docs.tables import report, samples, table

ACCURACIES = {
    "latents": "logistic regression on the latent means",
    "pixels": "logistic regression on the pixels",
    "classifier": "the classifier whose features `score` uses",
}


def fashion_mnist() -> str:
    """Return the table of the metrics of MNIST and of Fashion-MNIST, with the same seed and parameters."""
    metrics = report("fashion_mnist.json")
    bound = f"importance-weighted bound, {samples()}"
    results = {
        "loss (−ELBO), nats per image": ("metrics", "loss", "{:.2f}"),
        "its reconstruction term": ("metrics", "reconstruction", "{:.2f}"),
        "its KL term": ("metrics", "kl", "{:.2f}"),
        bound: ("metrics", "iw_bound", "{:.2f}"),
        "active latent dimensions": ("metrics", "active_units", "{:g}"),
        "loss of the binarized images": ("binarized", "loss", "{:.2f}"),
        f"their {bound}": ("binarized", "iw_bound", "{:.2f}"),
        **{f"accuracy of {text}, %": (file, "accuracy", "{:.2%}") for file, text in ACCURACIES.items()},
        "Fréchet distance of decoded samples of the prior": ("frechet", "frechet", "{:.4f}"),
    }
    rows = []
    for text, (file, name, form) in results.items():
        values = metrics[f"reports/{file}.json"][name]
        rows.append((text, *(form.format(values[run]).removesuffix("%") for run in ("old", "new"))))
    return table(("result", "MNIST", "Fashion-MNIST"), rows)
