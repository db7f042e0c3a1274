"""How much a representation of the images says about their classes: simple classifiers and clusters on top of it.

Alain & Bengio, "Understanding intermediate layers using linear classifier probes" (2016),
https://arxiv.org/abs/1610.01644.
"""

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier
from tqdm import tqdm

from vae.data.splits import Split, sample
from vae.errors import InputError
from vae.evaluation.accuracy import Labels, accuracy, check_classes

NEIGHBOURS = 5
STARTS = 10  # of K-means
MAX_ITERATIONS = 2000  # of logistic regression; the pixels of MNIST took 260
LARGEST = 1e15  # value of a point: scikit-learn squares them in float32
MAX_VALUES = 2**26
"""The most values of the points of a part. Logistic regression copies them as float64, which takes 0.5 GB."""
MAX_SCORES = 2**24
"""The most scores of a part, one for each point and class. Logistic regression holds several arrays of them, of 0.1 GB
each, and takes up to a second for so many in an iteration; it took 44 to 101 iterations."""
MAX_PRODUCTS = 2**30
"""The most products of a value and a weight, for all points and classes, in an iteration of logistic regression or of
K-means. MNIST's pixels need 2**28.7."""
BASIS = 100
"""A basis of the points' span takes as long as about so many iterations of logistic regression for each class."""
MAX_POINTS = 200_000
"""The most points of a part, since each test point is compared with each training point to find neighbours."""
AGREEMENTS = {"nmi": normalized_mutual_info_score, "ari": adjusted_rand_score}

Points = NDArray[np.float32]
Results = dict[str, Any]


def largest_part(values: int, classes: int) -> int:
    """Return how many points can be probed within some minutes and 1 GB.

    The limits are `MAX_VALUES`, `MAX_SCORES`, `MAX_PRODUCTS` and `MAX_POINTS`. An iteration takes n · d · C products
    for n points of d values and C classes. Since n points span at most n dimensions (see `_in_their_span`) and are of
    at most n classes, it takes no more than n · min(n, d) · min(n, C). So there is room for 1,024 points whatever d and
    C are, unless a point has more than 65,536 values.

    The limit is 85,598 points for MNIST's pixels (784 values, 10 classes), 1,036 for 64x64 images in colour with 1,000
    classes, 1,170 for 28x28 pixels with 5,000 classes, and 16,777 for 10 latent dimensions with 1,000 classes.

    Args:
        values: d.
        classes: C.
    """
    pairs = math.isqrt(MAX_PRODUCTS // min(values, classes))
    products = max(MAX_PRODUCTS // (values * classes), pairs, round(math.cbrt(MAX_PRODUCTS)))
    return max(1, min(products, MAX_VALUES // values, max(MAX_SCORES // classes, math.isqrt(MAX_SCORES)), MAX_POINTS))


def parts_to_probe(train: Split, test: Split, seed: int, title: str) -> tuple[Split, Split, Results]:
    """Return the splits in memory, or random parts of them if they are larger than `largest_part`, with a line printed.

    Args:
        train: the training points in place of the images, with their labels.
        test: the test points.
        seed: the seed of the draw.
        title: of the points, in the line.

    Returns:
        The two parts. For the results, `images`, with the number of `train` and of `test` images; empty if the parts
        are the splits.
    """
    count = largest_part(math.prod(train.images.shape[1:]), len(np.unique(train.known_labels)))
    parts = sample(train, count, seed), sample(test, count, seed)
    numbers = {name: len(part.images) for name, part in zip(("train", "test"), parts, strict=True)}
    if numbers == {"train": len(train.images), "test": len(test.images)}:
        return *parts, {}
    print(
        f"{title}: the probes use {numbers['train']:,} of {len(train.images):,} training images, drawn at random, "
        f"and {numbers['test']:,} of {len(test.images):,} test images",
        flush=True,
    )
    return *parts, {"images": numbers}


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
        Where all test points are of one class, `nmi` and `ari` say nothing, and `left_out` says so in their place.

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
    classes = len(np.unique(train_labels))
    if len(train) < min(train.shape[1], BASIS * classes):
        train, test = _in_their_span(train, test)
    classifiers = {
        "logistic_regression": LogisticRegression(max_iter=MAX_ITERATIONS),
        "knn": KNeighborsClassifier(min(NEIGHBOURS, len(train)), n_jobs=-1),
    }
    results: Results = {}
    one_class = len(np.unique(test_labels)) < 2
    starts = np.random.SeedSequence(seed).generate_state(0 if one_class else STARTS)
    scores = []
    with (
        tqdm(total=len(classifiers) + len(starts), desc=title, unit="fit", disable=None) as bar,
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Number of distinct clusters", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%", UserWarning)
        for name, classifier in classifiers.items():
            bar.set_postfix_str(name)
            results[name] = accuracy(classifier.fit(train, train_labels).predict(test), test_labels)
            bar.update()
        bar.set_postfix_str("K-means")
        for state in starts:
            clusters = KMeans(classes, random_state=int(state)).fit(train).predict(test)
            scores.append([score(test_labels, clusters) for score in AGREEMENTS.values()])
            bar.update()
    if one_class:
        return results | {"left_out": "NMI and ARI are left out: all test images are of one class."}
    mean, error = np.mean(scores, axis=0), np.std(scores, axis=0, ddof=1) / np.sqrt(STARTS)
    for i, name in enumerate(AGREEMENTS):
        results[name] = {"mean": float(mean[i]), "standard_error": float(error[i])}
    return results


def _in_their_span(train: Points, test: Points) -> tuple[Points, Points]:
    """Return the coordinates of both sets in an orthonormal basis of the span of n training points, (…, n).

    All probes give the same results with them: the weights of logistic regression and the centers of K-means lie in the
    span, and all distances between test and training points change by an amount that depends on the test point only.
    """
    basis = np.linalg.qr(train.T).Q
    return train @ basis, test @ basis


def summary(results: Results) -> str:
    """Return the results of `probe` in one line."""
    accuracies = "logistic regression {logistic_regression[accuracy]:.4f}, 5 nearest neighbours {knn[accuracy]:.4f}"
    agreements = "; {left_out}" if "left_out" in results else ", K-means NMI {nmi[mean]:.3f}, ARI {ari[mean]:.3f}"
    return (accuracies + agreements).format_map(results)
