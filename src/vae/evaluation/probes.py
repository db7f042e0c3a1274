"""How much a representation of the images says about their classes: simple classifiers and clusters on top of it.

Alain & Bengio, "Understanding intermediate layers using linear classifier probes" (2016),
https://arxiv.org/abs/1610.01644.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier
from tqdm import tqdm

from vae.errors import InputError
from vae.evaluation.accuracy import Labels, accuracy, check_classes

NEIGHBOURS = 5
STARTS = 10  # of K-means
MAX_ITERATIONS = 2000  # of logistic regression; the pixels of MNIST took 260
LARGEST = 1e15  # value of a point: scikit-learn squares them in float32
AGREEMENTS = {"nmi": normalized_mutual_info_score, "ari": adjusted_rand_score}

Points = NDArray[np.float32]
Results = dict[str, dict[str, float | int]]


def principal_components(train: Points, test: Points, count: int, seed: int) -> tuple[Points, Points]:
    """Return the projections of both sets on the first principal components of the training points (Pearson, 1901).

    Args:
        train: (n, …), flattened to vectors (n, d).
        test: (m, …), flattened to vectors (m, d).
        count: the number of components; there are at most n and at most d.
        seed: the seed of the randomized solver.

    Returns:
        (n, count) and (m, count).
    """
    train, test = train.reshape(len(train), -1), test.reshape(len(test), -1)
    pca = PCA(min(count, *train.shape), random_state=seed).fit(train)
    return pca.transform(train), pca.transform(test)


def probe(train: Points, train_labels: Labels, test: Points, test_labels: Labels, *, seed: int, title: str) -> Results:
    """Fit all probes of one representation to the training points, and measure them on the test points.

    Args:
        train: (n, …), flattened to vectors.
        train_labels: (n,), of at least two classes.
        test: (m, …), flattened to vectors.
        test_labels: (m,). Their classes need not be among the classes of the training points.
        seed: the seed of the starts of K-means.
        title: the title of the progress bar.

    Returns:
        `logistic_regression` and `knn` (5 nearest neighbours, or all of fewer training points), as
        `vae.evaluation.accuracy.accuracy` returns them. `nmi`, the normalized mutual information (Strehl & Ghosh,
        2002), and `ari`, the adjusted Rand index (Hubert & Arabie, 1985), of the labels and the clusters of K-means.
        There are as many clusters as classes among the training points. Both are the `mean` over ten starts by
        k-means++ (Arthur & Vassilvitskii, 2007), with its `standard_error` over the starts.
        Where points are equal, as if the posterior has collapsed, there may be fewer clusters.

    Raises:
        InputError: the training points are all of one class, or a value is too large, or NaN.
    """
    check_classes(train_labels)
    train, test = train.reshape(len(train), -1), test.reshape(len(test), -1)
    largest = max(np.abs(train).max(), np.abs(test).max())
    if not largest <= LARGEST:
        raise InputError(
            f"{title}: a value is {largest:.3g}, but must be at most {LARGEST:.0e} to be probed: if the model has "
            "diverged, train it at a lower learning rate."
        )
    classifiers = {
        "logistic_regression": LogisticRegression(max_iter=MAX_ITERATIONS),
        "knn": KNeighborsClassifier(min(NEIGHBOURS, len(train)), n_jobs=-1),
    }
    results: Results = {}
    with tqdm(total=len(classifiers) + STARTS, desc=title, unit="fit", disable=None) as bar:
        for name, classifier in classifiers.items():
            results[name] = accuracy(classifier.fit(train, train_labels).predict(test), test_labels)
            bar.update()
        scores = []
        for state in np.random.SeedSequence(seed).generate_state(STARTS):
            k_means = KMeans(len(np.unique(train_labels)), random_state=int(state))
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Number of distinct clusters", ConvergenceWarning)
                clusters = k_means.fit(train).predict(test)
            scores.append([score(test_labels, clusters) for score in AGREEMENTS.values()])
            bar.update()
    mean, error = np.mean(scores, axis=0), np.std(scores, axis=0, ddof=1) / np.sqrt(STARTS)
    for i, name in enumerate(AGREEMENTS):
        results[name] = {"mean": float(mean[i]), "standard_error": float(error[i])}
    return results


def summary(results: Results) -> str:
    """Return the results of `probe` in one line."""
    return (
        "logistic regression {logistic_regression[accuracy]:.4f}, 5 nearest neighbours {knn[accuracy]:.4f}, "
        "K-means NMI {nmi[mean]:.3f}, ARI {ari[mean]:.3f}".format_map(results)
    )
