"""What a representation of the images carries of their classes: simple classifiers and clusters on top of it.

Alain & Bengio, "Understanding intermediate layers using linear classifier probes" (2016),
https://arxiv.org/abs/1610.01644. A representation is an array (n, d); labels are (n,).
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier

NEIGHBOURS = 5
STARTS = 10  # of K-means
PRINCIPAL_COMPONENTS = 10

Points = NDArray[np.float32]
Labels = NDArray[np.uint8]
Figures = dict[str, dict[str, float]]


def principal_components(train: Points, test: Points, seed: int) -> tuple[Points, Points]:
    """The first ten principal components of the training points, of both sets: (n, 10) each."""
    pca = PCA(min(PRINCIPAL_COMPONENTS, *train.shape), random_state=seed).fit(train)
    return pca.transform(train), pca.transform(test)


def probe(train: Points, train_labels: Labels, test: Points, test_labels: Labels, seed: int) -> Figures:
    """All the figures of one representation, fitted on the training points and taken on the test points.

    Returns:
        `logistic_regression` and `knn` (5 nearest neighbours): each the `accuracy` and its binomial `standard_error`.
        `nmi` and `ari`, normalized mutual information and adjusted Rand index of the labels and of K-means' clusters,
        as many as there are classes: each the `mean` over ten random starts and its `standard_error`.
    """
    # convex: the limit of iterations is there not to be reached
    classifiers = {
        "logistic_regression": LogisticRegression(max_iter=2000),
        "knn": KNeighborsClassifier(NEIGHBOURS, n_jobs=-1),
    }
    figures = {
        name: accuracy(classifier.fit(train, train_labels).predict(test), test_labels)
        for name, classifier in classifiers.items()
    }
    return figures | agreement_of_clusters(train, test, test_labels, seed)


def accuracy(predicted: Labels, labels: Labels) -> dict[str, float]:
    """The share of labels that are right, with its binomial standard error, sqrt(p (1 - p) / n)."""
    share = float((predicted == labels).mean())
    return {"accuracy": share, "standard_error": float(np.sqrt(share * (1 - share) / len(labels)))}


def agreement_of_clusters(train: Points, test: Points, test_labels: Labels, seed: int) -> Figures:
    """`nmi` and `ari` of K-means from ten starts by k-means++; see `probe`."""
    scores = []
    for state in np.random.SeedSequence(seed).generate_state(STARTS):
        clusters = KMeans(len(np.unique(test_labels)), random_state=int(state)).fit(train).predict(test)
        scores.append((normalized_mutual_info_score(test_labels, clusters), adjusted_rand_score(test_labels, clusters)))
    mean, error = np.mean(scores, axis=0), np.std(scores, axis=0, ddof=1) / np.sqrt(STARTS)
    return {name: {"mean": float(mean[i]), "standard_error": float(error[i])} for i, name in enumerate(("nmi", "ari"))}


def summary(figures: Figures) -> str:
    """What `probe` found, in a line."""
    return (
        "logistic regression {logistic_regression[accuracy]:.4f}, 5 nearest neighbours {knn[accuracy]:.4f}, "
        "K-means NMI {nmi[mean]:.3f}, ARI {ari[mean]:.3f}".format_map(figures)
    )
