"""Image files as Pillow writes them, decoded as a person sees them."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vae.data.formats.decoding import Picture, decode, stamp_of
from vae.data.formats.options import Options
from vae.errors import InputError

HEIGHT, WIDTH = 12, 10
RAMP = np.linspace(0, 255, HEIGHT * WIDTH).astype(np.uint8).reshape(HEIGHT, WIDTH)
COLOUR = np.stack([RAMP, 255 - RAMP, np.full_like(RAMP, 40)], axis=-1)
GREY_IMAGE, COLOUR_IMAGE = Image.fromarray(RAMP), Image.fromarray(COLOUR)
LOSSY = 12
"""Levels by which JPEG and WebP may differ."""


def read(path: Path, **options: Any) -> NDArray[Any]:
    stamp = stamp_of(path)
    assert stamp
    picture = decode(path, stamp, Options(**options))
    assert isinstance(picture, Picture), picture
    assert picture.pixels is not None
    assert picture.pixels.shape[:2] == (picture.height, picture.width)
    return picture.pixels


def close(found: NDArray[Any], expected: NDArray[Any], tolerance: float = 0) -> None:
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    assert np.abs(found.astype(float) - expected.astype(float)).max() <= tolerance


@pytest.mark.parametrize("suffix", ["png", "webp", "bmp", "tif", "jpg"])
def test_grey_and_colour_are_read_from_each_format(tmp_path: Path, suffix: str) -> None:
    lossless: dict[str, Any] = {"lossless": True} if suffix == "webp" else {}
    if suffix == "jpg":
        lossless = {"quality": 100, "subsampling": 0}
    for image, expected in ((GREY_IMAGE, RAMP), (COLOUR_IMAGE, COLOUR)):
        image.save(tmp_path / f"a.{suffix}", **lossless)
        close(read(tmp_path / f"a.{suffix}"), expected, LOSSY if suffix == "jpg" else 0)


def test_the_content_decides_not_the_suffix(tmp_path: Path) -> None:
    COLOUR_IMAGE.save(tmp_path / "a.jpg", format="PNG")
    close(read(tmp_path / "a.jpg"), COLOUR)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_the_first_of_several_frames_is_read(tmp_path: Path, suffix: str) -> None:
    options: dict[str, Any] = {"lossless": True} if suffix == "webp" else {}
    others = [Image.fromarray(255 - RAMP), Image.fromarray(RAMP // 2)]
    GREY_IMAGE.save(tmp_path / f"a.{suffix}", save_all=True, append_images=others, **options)
    close(read(tmp_path / f"a.{suffix}"), RAMP)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_rotation_in_the_exif_data_is_applied(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    # What the camera stores so that a viewer, which follows the EXIF specification, shows RAMP.
    stored = {
        1: RAMP,
        2: RAMP[:, ::-1],
        3: RAMP[::-1, ::-1],
        4: RAMP[::-1],
        5: RAMP.T,
        6: np.rot90(RAMP, 1),
        7: RAMP[::-1, ::-1].T,
        8: np.rot90(RAMP, -1),
    }[orientation]
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    close(read(tmp_path / "a.png"), RAMP)


def test_a_palette_is_resolved(tmp_path: Path) -> None:
    image = Image.fromarray(np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH) % 3, mode="P")
    image.putpalette([255, 0, 0, 0, 255, 0, 10, 20, 30])
    image.save(tmp_path / "a.png")
    assert read(tmp_path / "a.png")[0, :3].tolist() == [[255, 0, 0], [0, 255, 0], [10, 20, 30]]


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    bits = RAMP > 100
    for suffix in ("png", "tif", "bmp"):
        Image.fromarray(bits).save(tmp_path / f"a.{suffix}")
        close(read(tmp_path / f"a.{suffix}"), bits.astype(np.uint8) * 255)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_is_scaled_not_clipped(tmp_path: Path, suffix: str) -> None:
    levels = RAMP.astype(np.uint16) * 257
    levels[0, 1] = 1  # kept, although it is less than one 8-bit level
    Image.fromarray(levels).save(tmp_path / f"a.{suffix}")
    close(read(tmp_path / f"a.{suffix}"), (levels / np.float32(65535)).astype(np.float32), 1e-7)


def test_floats_from_0_to_1_are_read(tmp_path: Path) -> None:
    values = (RAMP / np.float32(255)).astype(np.float32)
    Image.fromarray(values).save(tmp_path / "a.tif")
    close(read(tmp_path / "a.tif"), values)


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_printing_colours_become_screen_colours(tmp_path: Path, suffix: str) -> None:
    inks = {"red": (0, 255, 255, 0), "white": (0, 0, 0, 0), "black": (0, 0, 0, 255)}
    colours = {"red": (255, 0, 0), "white": (255, 255, 255), "black": (0, 0, 0)}
    for name, ink in inks.items():
        Image.new("CMYK", (16, 16), ink).save(tmp_path / f"a.{suffix}")
        found = read(tmp_path / f"a.{suffix}", channels=3)
        expected = np.array(colours[name])
        found = np.repeat(found[..., None], 3, -1) if found.ndim == 2 else found
        assert np.abs(found.astype(int) - expected).max() <= LOSSY


@pytest.mark.parametrize(
    ("mode", "suffix"), [("LA", "png"), ("LA", "tif"), ("RGBA", "png"), ("RGBA", "tif"), ("RGBA", "webp")]
)
def test_transparent_areas_are_white(tmp_path: Path, mode: str, suffix: str) -> None:
    image = GREY_IMAGE.convert(mode)
    alpha = np.full_like(RAMP, 255)
    alpha[:4], alpha[4:6] = 0, 128
    image.putalpha(Image.fromarray(alpha))
    options: dict[str, Any] = {"lossless": True, "exact": True} if suffix == "webp" else {}
    image.save(tmp_path / f"a.{suffix}", **options)
    weight = alpha / 255
    close(read(tmp_path / f"a.{suffix}"), np.rint(RAMP * weight + 255 * (1 - weight)).astype(np.uint8), 1)


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_the_transparent_colour_of_a_palette_is_white(tmp_path: Path, suffix: str) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 10, 10])
    image.putpixel((0, 0), 0)
    image.save(tmp_path / f"a.{suffix}", transparency=0)
    found = read(tmp_path / f"a.{suffix}")
    assert found[0, :2].tolist() == [[255, 255, 255], [200, 10, 10]]


def test_the_transparent_level_of_a_grey_png_is_white(tmp_path: Path) -> None:
    GREY_IMAGE.save(tmp_path / "a.png", transparency=int(RAMP[3, 3]))
    expected = RAMP.copy()
    expected[3, 3] = 255
    close(read(tmp_path / "a.png"), expected)


def test_three_equal_channels_are_grey_unless_colour_is_asked_for(tmp_path: Path) -> None:
    GREY_IMAGE.convert("RGB").save(tmp_path / "a.png")
    close(read(tmp_path / "a.png"), RAMP)
    close(read(tmp_path / "a.png", channels=3), np.repeat(RAMP[..., None], 3, -1))


def test_colour_becomes_its_luma_where_grey_is_asked_for(tmp_path: Path) -> None:
    COLOUR_IMAGE.save(tmp_path / "a.png")
    close(read(tmp_path / "a.png", channels=1), np.rint(COLOUR @ [0.299, 0.587, 0.114]).astype(np.uint8), 1)


WHITE: dict[str, NDArray[Any]] = {
    "8-bit": np.full((20, 40), 255, np.uint8),
    "16-bit": np.full((20, 40), 65535, np.uint16),
}


@pytest.mark.parametrize("levels", WHITE.values(), ids=WHITE)
@pytest.mark.parametrize(("fit", "rows"), [("pad", range(8, 24)), ("crop", range(32)), ("stretch", range(32))])
def test_a_wide_image_gets_black_bars_or_is_cropped_or_stretched(
    tmp_path: Path, levels: NDArray[Any], fit: Literal["pad", "crop", "stretch"], rows: range
) -> None:
    Image.fromarray(levels).save(tmp_path / "a.png")
    found = read(tmp_path / "a.png", image_size=(32, 32), fit=fit)
    white = np.zeros((32, 32), found.dtype)
    white[rows] = 255 if found.dtype == np.uint8 else 1
    close(found, white, 1e-6)


def test_the_centre_is_kept_where_edges_are_cut_off(tmp_path: Path) -> None:
    stripes = np.zeros((20, 60), np.uint8)
    stripes[:, 20:40] = 200
    Image.fromarray(stripes).save(tmp_path / "a.png")
    close(read(tmp_path / "a.png", image_size=(20, 20), fit="crop"), np.full((20, 20), 200, np.uint8))


def test_an_image_is_reduced_smoothly(tmp_path: Path) -> None:
    board = np.indices((640, 640)).sum(axis=0) % 2 * np.uint8(255)
    Image.fromarray(board.astype(np.uint8)).save(tmp_path / "a.png")
    assert np.abs(read(tmp_path / "a.png", image_size=(16, 16)).astype(int) - 127).max() <= 3


def test_a_large_photo_is_reduced_like_its_pixels(tmp_path: Path) -> None:
    photo = COLOUR_IMAGE.resize((1600, 1200), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.save(tmp_path / "a.jpg", quality=95, exif=exif)
    expected = photo.rotate(-90, expand=True).resize((30, 40), Image.Resampling.LANCZOS)
    close(read(tmp_path / "a.jpg", image_size=(40, 30)), np.asarray(expected), LOSSY)


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_extreme_shapes_fit_too(tmp_path: Path, size: tuple[int, int], fit: str) -> None:
    Image.new("RGB", size, (255, 0, 0)).save(tmp_path / "a.png")
    found = read(tmp_path / "a.png", image_size=(8, 16), fit=fit)
    assert found.shape == (8, 16, 3)
    assert found[..., 0].max() > 100


def test_a_file_that_changes_is_noticed(tmp_path: Path) -> None:
    GREY_IMAGE.save(tmp_path / "a.png")
    stamp = stamp_of(tmp_path / "a.png")
    assert stamp
    (tmp_path / "a.png").touch()
    with pytest.raises(InputError) as refused:
        decode(tmp_path / "a.png", stamp, Options())
    assert str(refused.value) == f"{tmp_path / 'a.png'} changed while it was read; run this stage again."
