"""The functions on files and arrays: they give what the model's methods give, whatever the source and the batches."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import vae
from tests.trained import LEVELS, SHAPE, trained, write_photos
from vae.data.binarization import binarize
from vae.errors import InputError
from vae.inference import operations
from vae.inference.description import info
from vae.model.checkpoint import save_model

Images = NDArray[np.float32]
IMAGES: Images = LEVELS.astype(np.float32) / np.float32(255)


@pytest.fixture(scope="module")
def model() -> vae.VAE:
    return trained()


def close(measured: Any, expected: Any) -> None:
    np.testing.assert_allclose(measured, expected, rtol=1e-5, atol=1e-6)


def test_each_function_is_an_attribute_of_the_package() -> None:
    for name in ("decode", "encode", "interpolate", "reconstruct", "sample", "score"):
        assert getattr(vae, name) is getattr(operations, name)
    assert vae.info is info


@pytest.mark.parametrize("batch_size", [1, 3, 7, 500])
def test_encode_gives_z_mean_and_z_log_var_of_every_image(model: vae.VAE, batch_size: int) -> None:
    found = vae.encode(IMAGES, model, batch_size=batch_size)
    assert found["name"].tolist() == list("0123456")
    for measured, expected in zip((found["z_mean"], found["z_log_var"]), model.encode(IMAGES), strict=True):
        close(measured, expected)


@pytest.mark.parametrize("source", ["levels", "without channels", "folder", "pattern", "npz", "train and test", "idx"])
def test_every_source_gives_the_same_images(source: str, model: vae.VAE, tmp_path: Path) -> None:
    paths = write_photos(tmp_path / "photos")
    order = [int(path.stem) for path in paths]
    names, what = [str(number) for number in range(7)], Path()
    if source == "levels":
        found = vae.encode(LEVELS, model)
    elif source == "without channels":
        found = vae.encode(IMAGES[..., 0], model)
    else:
        if source in ("folder", "pattern"):
            names, what = (
                [str(path) for path in paths],
                tmp_path / ("photos" if source == "folder" else "photos/*/*.png"),
            )
        elif source == "npz":
            what = tmp_path / "images.npz"
            np.savez(what, images=LEVELS)
        elif source == "train and test":
            what = tmp_path / "images.npz"
            np.savez(what, x_train=LEVELS[:4], x_test=LEVELS[4:])
            names = [*(f"train/{i}" for i in range(4)), *(f"test/{i}" for i in range(3))]
        else:
            what = tmp_path
            header = np.array([0x803, 7, *SHAPE[:2]], ">i4").tobytes()
            (tmp_path / "train-images-idx3-ubyte").write_bytes(header + LEVELS.tobytes())
        found = vae.encode(what, model)
    assert found["name"].tolist() == names
    expected = model.encode(IMAGES[order] if source in ("folder", "pattern") else IMAGES)
    close(found["z_mean"], expected[0])


def test_images_of_another_form_are_fitted_as_the_training_images_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    colour = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
    Image.fromarray(colour).save(tmp_path / "wide.png")
    Image.fromarray(LEVELS[0, ..., 0]).save(tmp_path / "right.png")
    found = {
        fit: vae.reconstruct(tmp_path, trained(image_fit=fit))["original"][1] for fit in ("pad", "crop", "stretch")
    }
    assert np.all(found["pad"][:3] == 0)  # 24x40 in 12x10: 6 rows
    assert np.all(found["pad"][3:9].mean(axis=1) > 0)
    stretched = Image.fromarray(colour).convert("L").resize((10, 12), Image.Resampling.LANCZOS)
    np.testing.assert_allclose(255 * found["stretch"][..., 0], np.asarray(stretched), atol=0.01)
    assert not np.array_equal(found["crop"], found["stretch"])
    line = "of 2 images, 1 resized and 1 made grey to have the model's form (fit: {})\n"
    assert capsys.readouterr().err == "".join(line.format(fit) for fit in found)


def test_an_archive_of_another_form_is_fitted_too(
    tmp_path: Path, model: vae.VAE, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "large.npz", images=np.repeat(np.repeat(LEVELS, 2, axis=1), 2, axis=2))
    found = vae.reconstruct(tmp_path / "large.npz", model)
    assert found["original"].shape == (7, *SHAPE)
    assert "images of 24x20x1 are brought to the model's 12x10x1 (fit: pad)" in capsys.readouterr().err


def test_reconstruct_gives_the_originals_and_the_means(model: vae.VAE) -> None:
    found = vae.reconstruct(IMAGES, model, batch_size=2)
    np.testing.assert_array_equal(found["original"], IMAGES)
    close(found["image"], model.reconstruct(IMAGES))


def test_score_ranks_by_the_negative_elbo_and_repeats(model: vae.VAE) -> None:
    found = vae.score(IMAGES, model, samples=2, seed=3, batch_size=3)
    reconstruction, kl = model.terms(IMAGES, samples=2, seed=3)
    order = np.argsort(-(reconstruction + kl))
    assert found["name"].tolist() == [str(number) for number in order]
    assert found["rank"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_allclose(found["reconstruction"], reconstruction[order], rtol=1e-5)
    np.testing.assert_allclose(found["kl"], kl[order], rtol=1e-5)
    np.testing.assert_allclose(found["score"], found["reconstruction"] + found["kl"])
    again = vae.score(IMAGES, model, samples=2, seed=3, batch_size=3)
    np.testing.assert_array_equal(again["score"], found["score"])


def test_an_image_unlike_the_others_is_ranked_first() -> None:
    model = vae.VAE((12, 12, 1), 2, architecture="mlp", seed=0)
    rng = np.random.default_rng(0)
    images = np.zeros((41, 12, 12, 1), np.float32)
    images[:40, 4:8, 2:10] = rng.uniform(0.7, 1, size=(40, 4, 8, 1))
    images[40, ::2] = 1
    model.compile("adam")
    model.fit(images[:40], epochs=40, batch_size=8, verbose=0)
    assert vae.score(images, model)["name"][0] == "40"


def test_decode_inverts_the_path_to_a_file(model: vae.VAE, tmp_path: Path) -> None:
    z = np.random.default_rng(0).standard_normal((7, 3)).astype("float32")
    expected = model.decode(z)
    close(vae.decode(z, model, batch_size=2)["image"], expected)
    np.savez(tmp_path / "z.npz", z_mean=z, name=np.array(list("abcdefg")))
    found = vae.decode(tmp_path / "z.npz", model)
    close(found["image"], expected)
    assert found["name"].tolist() == list("abcdefg")
    rows = "\n".join(",".join(f"{value:.9g}" for value in row) for row in z)
    (tmp_path / "z.csv").write_text(f"z_0,z_1,z_2\n{rows}\n")
    np.testing.assert_array_equal(vae.decode(tmp_path / "z.csv", model)["image"], vae.decode(z, model)["image"])


def test_sample_draws_from_the_prior_and_repeats(model: vae.VAE) -> None:
    found = vae.sample(6, model, seed=2)
    np.testing.assert_array_equal(found["z"], np.asarray(model.prior.sample(6, 2)))
    close(found["image"], model.decode(found["z"]))
    np.testing.assert_array_equal(vae.sample(6, model, seed=2)["image"], found["image"])


def test_sample_draws_near_given_latents(model: vae.VAE, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    z_mean = (rng.standard_normal((3000, 3)) * 0.1 + [[5, -5, 0]]).astype("float32")
    np.savez(tmp_path / "latents.npz", z_mean=z_mean, z_log_var=np.full((3000, 3), -4, "float32"))
    z = vae.sample(2000, model, latents=tmp_path / "latents.npz", components=1)["z"]
    np.testing.assert_allclose(z.mean(axis=0), [5, -5, 0], atol=0.05)
    np.testing.assert_allclose(z.var(axis=0), 0.01 + np.exp(-4), rtol=0.1)


def test_draws_near_given_latents_are_not_sorted_by_their_gaussian(model: vae.VAE, tmp_path: Path) -> None:
    z_mean = np.repeat(np.array([[-5, 0, 0], [5, 0, 0]], "float32"), 50, axis=0)
    np.savez(tmp_path / "latents.npz", z_mean=z_mean, z_log_var=np.full((100, 3), -4, "float32"))
    is_second = vae.sample(100, model, latents=tmp_path / "latents.npz", components=2)["z"][:, 0] > 0
    assert 30 < np.sum(is_second[1:] != is_second[:-1]) < 70  # one change if they are sorted, and half of 99 if not


def test_interpolate_goes_from_one_posterior_mean_to_the_other(model: vae.VAE) -> None:
    found = vae.interpolate(IMAGES[:1], IMAGES[1:2], model, steps=5)
    ends = model.encode(IMAGES[:2])[0]
    close(found["z"], ends[0] + np.linspace(0, 1, 5)[:, np.newaxis] * (ends[1] - ends[0]))
    close(found["image"], model.decode(found["z"]))
    assert found["name"].tolist() == ["0.000", "0.250", "0.500", "0.750", "1.000"]
    with pytest.raises(InputError, match=r"^an end contains 2 images, but must be a single one\.$"):
        vae.interpolate(IMAGES[:2], IMAGES[:1], model)


def test_a_binarized_model_sees_the_same_binary_images_whatever_the_batches() -> None:
    model = trained(likelihood="binarized")
    found = vae.reconstruct(IMAGES, model, batch_size=3)
    np.testing.assert_array_equal(found["original"], binarize(IMAGES))
    close(vae.score(IMAGES, model, batch_size=2)["score"], np.sort(model.score(binarize(IMAGES), samples=8))[::-1])


@pytest.mark.parametrize("class_name", [None, "b"])
def test_a_conditional_model_takes_the_class_from_the_folder_or_the_option(
    class_name: str | None, tmp_path: Path
) -> None:
    model = trained(conditional=True, class_names=["a", "b"])
    paths = write_photos(tmp_path)
    order = [int(path.stem) for path in paths]
    labels = np.array([number % 2 for number in order]) if class_name is None else 1
    found = vae.encode(tmp_path, model, class_name=class_name)
    close(found["z_mean"], model.encode(IMAGES[order], labels=labels)[0])
    np.savez(tmp_path / "labelled.npz", images=LEVELS, labels=np.array(list("abababa")))
    found = vae.reconstruct(tmp_path / "labelled.npz", model, class_name=class_name)
    close(found["image"], model.reconstruct(IMAGES, labels=np.arange(7) % 2 if class_name is None else 1))
    found = vae.sample(4, model, class_name="b")
    close(found["image"], model.decode(found["z"], labels=1))
    found = vae.interpolate(paths[0], paths[-1], model, class_name=class_name)
    close(found["image"], model.decode(found["z"], labels=0 if class_name is None else 1))


def test_unreadable_files_can_be_left_out(tmp_path: Path, model: vae.VAE, capsys: pytest.CaptureFixture[str]) -> None:
    paths = write_photos(tmp_path)
    paths[2].write_bytes(b"no image")
    found = vae.encode(tmp_path, model, skip_unreadable=True, batch_size=2)
    assert found["name"].tolist() == [str(path) for path in paths if path != paths[2]]
    assert f"1 images cannot be read and are left out:\n  {paths[2]}: it is not an image" in capsys.readouterr().err


def test_a_colour_model_takes_grey_images_and_levels_of_colour(tmp_path: Path) -> None:
    model = trained((12, 10, 3))
    write_photos(tmp_path)
    assert vae.reconstruct(tmp_path, model)["original"].shape == (7, 12, 10, 3)


def test_info_describes_the_file(tmp_path: Path) -> None:
    model = trained(prior="mixture", image_fit="crop", class_names=["a", "b"])
    save_model(model, tmp_path / "model.keras")
    found = info(tmp_path / "model.keras")
    assert (found["architecture"], found["prior"], found["latent_dim"]) == ("mlp", "mixture", 3)
    assert found["parameters"] == model.count_params()
    assert found["image"] == {"height": 12, "width": 10, "channels": 1, "fit": "crop"}
    assert found["class_names"] == ["a", "b"]
