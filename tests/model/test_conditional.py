"""A conditional model against plain layers and NumPy; that the labels matter; and a default model without any."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import KerasTensor, layers, ops
from numpy.typing import NDArray

import vae
from benchmarks import plain_layers
from vae.errors import InputError
from vae.model.architectures import ARCHITECTURES
from vae.model.checkpoint import load_model, save_model
from vae.model.conditional import ConditionalArchitecture
from vae.model.vae import VAE

SHAPE, CLASSES, LATENT_DIM = (12, 12, 1), 3, 2
NAMES = ["a", "b", "c"]
ORIGIN = np.zeros((1, LATENT_DIM), "float32")
Images = NDArray[np.float32]
architectures = pytest.mark.parametrize("architecture", ARCHITECTURES)


def conditional(**options: Any) -> VAE:
    keras.utils.set_random_seed(0)
    return VAE(SHAPE, LATENT_DIM, conditional=True, class_names=NAMES, **{"seed": 0} | options)


@pytest.fixture(scope="module")
def images() -> Images:
    return np.random.default_rng(0).random((6, *SHAPE), dtype=np.float32)


@pytest.fixture(scope="module")
def labels() -> NDArray[np.uint8]:
    return np.array([0, 1, 2, 2, 1, 2], np.uint8)


@pytest.fixture(scope="module")
def model() -> VAE:
    """A model that is not to be trained."""
    return conditional()


@architectures
def test_a_model_that_is_not_conditional_has_the_layers_and_the_weights_of_its_architecture(
    architecture: str, images: Images
) -> None:
    keras.utils.set_random_seed(1)
    model = VAE(SHAPE, LATENT_DIM, architecture=architecture, seed=1, class_names=NAMES)
    keras.utils.set_random_seed(1)
    build = ARCHITECTURES[architecture]
    encoder = build.build_encoder(SHAPE, LATENT_DIM, dropout=0.0, seed=0, precision="float32")
    decoder = build.build_decoder(SHAPE, LATENT_DIM, outputs=1, precision="float32")
    for part, alone in ((model.encoder, encoder), (model.decoder, decoder)):
        assert [layer.name for layer in part.layers] == [layer.name for layer in alone.layers]
        for weight, expected in zip(part.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, expected)
    np.testing.assert_array_equal(model(images).z_mean, encoder(images)[0])
    assert "conditional" not in model.get_config()
    assert conditional().get_config()["conditional"] is True


def plain_block(h: KerasTensor) -> KerasTensor:
    y = h
    for _ in range(2):
        y = layers.Conv2D(h.shape[-1], 3, padding="same")(layers.ReLU()(y))
    return layers.Add()([h, y])


def plain_resnet(channels: int, inputs: int) -> tuple[keras.Model, keras.Model]:
    x = keras.Input((12, 12, channels))
    h = plain_block(layers.Conv2D(48, 3, padding="same")(ops.space_to_depth(x, 2)))
    h = plain_block(layers.Conv2D(64, 2, strides=2)(h))
    h = layers.Flatten()(layers.ReLU()(h))
    z = keras.Input((inputs,))
    g = plain_block(layers.Reshape((3, 3, 64))(layers.Dense(3 * 3 * 64)(z)))
    g = plain_block(ops.depth_to_space(layers.Conv2D(4 * 48, 1)(g), 2))
    g = ops.depth_to_space(layers.Conv2D(4, 3, padding="same")(layers.ReLU()(g)), 2)
    return keras.Model(x, [layers.Dense(LATENT_DIM)(h), layers.Dense(LATENT_DIM)(h)]), keras.Model(z, g)


def plain_mlp(channels: int, inputs: int) -> tuple[keras.Model, keras.Model]:
    x, z = keras.Input((12, 12, channels)), keras.Input((inputs,))
    h, g = layers.Flatten()(x), z
    for _ in range(2):
        h, g = layers.Dense(200, "tanh")(h), layers.Dense(200, "tanh")(g)
    heads = [layers.Dense(LATENT_DIM)(h), layers.Dense(LATENT_DIM)(h)]
    return keras.Model(x, heads), keras.Model(z, layers.Reshape(SHAPE)(layers.Dense(144)(g)))


def plain_tutorial(channels: int, inputs: int) -> tuple[keras.Model, keras.Model]:
    encoder = plain_layers.build_encoder((12, 12, channels), LATENT_DIM, dropout=0.0, seed=0, precision="float32")
    return encoder, plain_layers.build_decoder(SHAPE, inputs, outputs=1, precision="float32")


PLAIN = {"tutorial": plain_tutorial, "resnet": plain_resnet, "mlp": plain_mlp}


@architectures
def test_the_conditional_likelihood_equals_that_of_plain_layers(
    architecture: str, images: Images, labels: NDArray[np.uint8]
) -> None:
    model, rng = conditional(architecture=architecture, epsilon_std=0.0), np.random.default_rng(1)
    for weight in model.trainable_weights:  # also the kernels that start at zero
        weight.assign(weight + 0.02 * rng.normal(size=weight.shape))
    encoder, decoder = PLAIN[architecture](channels=2, inputs=LATENT_DIM + CLASSES)
    for plain, part in ((encoder, model.encoder), (decoder, model.decoder)):
        plain.set_weights(part.get_layer(part.name).get_weights())
    kernel, bias = model.encoder.get_layer("plane").get_weights()
    first, second = (part.get_layer("label_embedding").get_weights()[0] for part in (model.encoder, model.decoder))
    assert first.shape == second.shape == (CLASSES, CLASSES)

    planes = (first[labels] @ kernel + bias).reshape(6, 12, 12, 1)
    mean, log_var = (np.asarray(head, float) for head in encoder(np.concatenate([images, planes], axis=-1)))
    logits = np.asarray(decoder(np.concatenate([mean, second[labels]], axis=-1).astype("float32")), float)
    p = 1 / (1 + np.exp(-logits))
    nll = -(images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=(1, 2, 3))
    kl = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)

    for found, expected in zip(model.encode(images, labels=labels), (mean, log_var), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(model.likelihood.nll(images, model((images, labels)).parameters), nll, rtol=1e-5)
    np.testing.assert_allclose(model.reconstruct(images, labels=labels), p, atol=1e-5)
    model.compile()
    found = model.evaluate((images, labels), batch_size=4, verbose=0, return_dict=True)
    assert found["reconstruction"] == pytest.approx(nll.mean(), rel=1e-5)
    assert found["loss"] == pytest.approx((nll + kl).mean(), rel=1e-5)


def test_many_classes_get_short_codes_and_labels_above_255() -> None:
    model = VAE(SHAPE, 2, architecture="mlp", conditional=True, class_names=[str(k) for k in range(300)], seed=0)
    assert model.decoder.get_layer("label_embedding").get_weights()[0].shape == (300, 32)
    first, last = (model.decode(ORIGIN, labels=label) for label in (299 - 256, 299))
    assert np.abs(first - last).max() > 0.01


@architectures
def test_the_labels_reach_the_encoder_and_the_decoder_and_get_gradients(
    architecture: str, images: Images, labels: NDArray[np.uint8]
) -> None:
    model = conditional(architecture=architecture)
    model.compile()
    with tf.GradientTape() as tape:
        loss = model.compute_loss((images, labels), y_pred=model((images, labels), training=True))
    gradients = tape.gradient(loss, model.trainable_weights)
    of_codes = [g for g, w in zip(gradients, model.trainable_weights, strict=True) if "label_embedding" in w.path]
    assert len(of_codes) == 2
    for gradient in of_codes:
        assert (np.abs(tf.convert_to_tensor(gradient)).max(axis=1) > 0).all()  # of each class
    z_mean = [model.encode(images, labels=label)[0] for label in (0, 1)]
    assert np.abs(z_mean[0] - z_mean[1]).max() > 1e-3
    decoded = [model.decode(ORIGIN, labels=label) for label in (0, 1)]
    assert np.abs(decoded[0] - decoded[1]).max() > 1e-3


@pytest.mark.parametrize("objective", ["elbo", "iwae", "dreg"])
def test_the_labels_are_repeated_with_the_draws(objective: str, images: Images, labels: NDArray[np.uint8]) -> None:
    model = conditional(objective=objective, samples=3)
    model.compile()
    output = model((images, labels), training=True)
    expected = model.decoder((output.z, ops.convert_to_tensor(np.tile(labels, 3))))
    np.testing.assert_array_equal(output.parameters, expected)
    nll = model.likelihood.nll(np.tile(images, (3, 1, 1, 1)), expected)
    model.compute_loss((images, labels), y_pred=output)
    assert float(model.reconstruction_tracker.result()) == pytest.approx(float(ops.mean(nll)), rel=1e-6)


def toy(count: int, seed: int) -> tuple[Images, NDArray[np.uint8]]:
    """Return images with a random pattern for each class, and random columns of the pattern in black."""
    patterns = np.random.default_rng(0).random((8, *SHAPE)) < 0.5
    rng = np.random.default_rng(seed)
    labels = rng.integers(8, size=count, dtype=np.uint8)
    first = rng.integers(9, size=(count, 1))
    columns = np.arange(12)
    lit = (columns < first) | (columns >= first + 4)
    return (patterns[labels] & lit[:, np.newaxis, :, np.newaxis]).astype("float32"), labels


@pytest.mark.slow
def test_an_informative_label_lowers_the_loss_and_decides_the_samples() -> None:
    (train, labels), (test, test_labels) = toy(1000, 1), toy(300, 2)
    losses: dict[bool, float] = {}
    for is_conditional in (False, True):
        keras.utils.set_random_seed(0)
        names = [str(k) for k in range(8)]
        model = VAE(SHAPE, 2, architecture="mlp", conditional=is_conditional, class_names=names, seed=0)
        model.compile(keras.optimizers.Adam(0.005))
        x, held_out = ((train, labels), (test, test_labels)) if is_conditional else (train, test)
        history = model.fit(x, validation_data=held_out, epochs=12, batch_size=50, verbose=0).history
        losses[is_conditional] = history["val_loss"][-1]
    assert losses[True] < losses[False] - np.log(8)  # z has no room for the class
    samples = model.sample(80, seed=0, labels=np.arange(80) % 8)
    means = np.stack([train[labels == label].mean(axis=0).ravel() for label in range(8)])
    distances = ((samples.reshape(80, 1, -1) - means) ** 2).sum(axis=2)
    np.testing.assert_array_equal(distances.argmin(axis=1), np.arange(80) % 8)
    assert model.score(test, samples=5, labels=test_labels).mean() == pytest.approx(losses[True], rel=0.2)
    assert model.score(test, labels=(test_labels + 1) % 8).mean() > 2 * losses[True]


def test_one_label_stands_for_all_and_batches_keep_the_labels_of_their_images(
    model: VAE, images: Images, labels: NDArray[np.uint8]
) -> None:
    methods: list[Callable[..., Any]] = [model.encode, model.reconstruct, model.score]
    for method in methods:
        whole, parts = (method(images, batch_size=size, labels=labels) for size in (6, 4))
        np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(method(images, labels=2), method(images, labels=[2] * 6))
    found = model.reconstruct(images, labels=labels)
    for row in range(6):
        np.testing.assert_allclose(
            found[row : row + 1], model.reconstruct(images[row : row + 1], labels=labels[row]), atol=1e-6
        )


def test_samples_without_labels_are_of_all_classes_by_the_seed(model: VAE) -> None:
    z, chosen = np.asarray(model.prior.sample(50, 3)), np.random.default_rng(3).integers(CLASSES, size=50)
    assert set(chosen) == {0, 1, 2}
    np.testing.assert_array_equal(model.sample(50, 3), model.decode(z, labels=chosen))
    np.testing.assert_array_equal(model.sample(50, 3, labels=1), model.decode(z, labels=1))


NEEDED = "the model is conditional, so it needs the label of each image too, a number from 0 to 2."
SUPERFLUOUS = (
    "labels are given, but the model is not conditional and takes none; model.conditional: true trains one that does."
)

RIGHT = "but must be whole numbers of shape (6,), or a single one."
REFUSALS: dict[str, tuple[Callable[[VAE, Images], Any], str]] = {
    "encode": (lambda model, x: model.encode(x), NEEDED),
    "decode": (lambda model, x: model.decode(ORIGIN), NEEDED),
    "reconstruct": (lambda model, x: model.reconstruct(x), NEEDED),
    "score": (lambda model, x: model.score(x), NEEDED),
    "fit": (lambda model, x: model.fit(x), NEEDED),
    "fit with targets": (lambda model, x: model.fit(x, np.zeros(6, int)), NEEDED),
    "evaluate": (lambda model, x: model.evaluate(tf.constant(x)), NEEDED),
    "a data set of images and targets": (
        lambda model, x: model.fit(tf.data.Dataset.from_tensors((x, np.zeros(6, int))), shuffle=False),
        "the model is conditional, so a tf.data.Dataset must yield ((images, labels),): the pair is the input, and "
        "there is no target.",
    ),
    "validation": (lambda model, x: model.fit((x, np.zeros(6, int)), validation_data=x), NEEDED),
    "too few": (lambda model, x: model.encode(x, labels=[0, 1]), f"labels are int64 of shape (2,), {RIGHT}"),
    "floating-point": (lambda model, x: model.encode(x, labels=0.5), f"labels are float64 of shape (), {RIGHT}"),
    "one-hot": (
        lambda model, x: model.fit((x, np.eye(6, dtype=int))),
        f"labels are int64 of shape (6, 6), {RIGHT}",
    ),
    "too large": (
        lambda model, x: model.score(x, labels=[0, 1, 2, 3, 0, 0]),
        "labels are from 0 to 3, but must be from 0 to 2.",
    ),
    "negative": (lambda model, x: model.sample(6, labels=-1), "labels are from -1 to -1, but must be from 0 to 2."),
}


@pytest.mark.parametrize(("use", "message"), REFUSALS.values(), ids=REFUSALS)
def test_missing_and_wrong_labels_are_refused(
    use: Callable[[VAE, Images], Any], message: str, model: VAE, images: Images
) -> None:
    model.compile("adam")
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        use(model, images)


@pytest.mark.parametrize(
    "use",
    [
        lambda model, x: model.encode(x, labels=0),
        lambda model, x: model.decode(ORIGIN, labels=0),
        lambda model, x: model.reconstruct(x, labels=0),
        lambda model, x: model.sample(6, labels=0),
        lambda model, x: model.score(x, labels=0),
        lambda model, x: model.fit((x, np.zeros(6, int))),
        lambda model, x: model.evaluate((x, np.zeros(6, int))),
    ],
)
def test_labels_for_a_model_that_is_not_conditional_are_refused(
    use: Callable[[VAE, Images], Any], images: Images
) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(SUPERFLUOUS)}$"):
        use(VAE(SHAPE, LATENT_DIM, architecture="mlp", class_names=NAMES), images)


def test_data_sets_and_targets_are_taken_as_keras_takes_them(images: Images, labels: NDArray[np.uint8]) -> None:
    numbers, targets = labels.astype(np.int32), np.zeros(len(images))
    whole = {"batch_size": len(images), "verbose": 0, "shuffle": False}
    losses = []
    for x, held_out in (
        ((images, numbers), (images, numbers)),
        (tf.data.Dataset.from_tensors(((images, numbers),)), ((images, numbers), targets)),
    ):
        model = conditional()
        model.compile("adam")
        options = whole if isinstance(x, tuple) else {"verbose": 0, "shuffle": False}
        losses.append(model.fit(x, validation_data=held_out, validation_batch_size=len(images), **options).history)
    assert losses[0] == losses[1]


def test_a_conditional_model_without_classes_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        VAE(SHAPE, conditional=True)
    assert str(refused.value) == "class_names is empty, but a conditional model needs the name of each class."


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "prior"), [("tutorial", "standard"), ("resnet", "mixture")])
def test_a_copy_has_the_outputs_of_the_model_and_the_same_bytes_when_saved(
    architecture: str, prior: str, images: Images, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    model = conditional(architecture=architecture, prior=prior, precision="mixed_bfloat16", dropout=0.3)
    model.compile("adam")
    model.train_on_batch((images, labels))
    save_model(model, tmp_path / "model.keras")
    copies = [vae.load(tmp_path / "model.keras"), copy.deepcopy(model)]
    save_model(copies[0], tmp_path / "twin.keras")
    assert (tmp_path / "twin.keras").read_bytes() == (tmp_path / "model.keras").read_bytes()
    assert isinstance(load_model(tmp_path / "twin.keras", VAE).decoder, keras.Model)
    for twin in copies:
        assert twin.get_config() == model.get_config()
        assert (twin.conditional, twin.class_names) == (True, tuple(NAMES))
        for method in (VAE.reconstruct, VAE.score):
            np.testing.assert_array_equal(method(twin, images, labels=labels), method(model, images, labels=labels))
        np.testing.assert_array_equal(twin.sample(4, 0), model.sample(4, 0))


@architectures
@pytest.mark.parametrize("shape", [(8, 8, 1), (33, 47, 3)], ids=str)
def test_every_shape_that_the_architecture_takes_is_taken(architecture: str, shape: tuple[int, int, int]) -> None:
    build = ConditionalArchitecture(ARCHITECTURES[architecture], CLASSES)
    images, labels = np.zeros((2, *shape), "float32"), np.array([0, 1])
    encoder = build.build_encoder(shape, 3, dropout=0.5, seed=0, precision="mixed_bfloat16")
    decoder = build.build_decoder(shape, 3, outputs=5, precision="mixed_bfloat16")
    outputs = [*encoder((images, labels)), decoder((np.zeros((2, 3)), labels))]
    assert [output.shape for output in outputs] == [(2, 3), (2, 3), (2, *shape[:2], 5)]
    assert {output.dtype for output in outputs} == {tf.float32}
    at_rest, dropped = (encoder((images + 1, labels), training=training)[0] for training in (False, True))
    assert np.any(at_rest != dropped)
