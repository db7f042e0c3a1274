"""Wrong images, models, latents and outputs: one sentence, the status 1, and nothing written."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

import vae
from tests.trained import LEVELS, trained, write_photos
from vae.cli.app import app
from vae.errors import InputError
from vae.inference import outputs
from vae.model.checkpoint import save_model


class Case(NamedTuple):
    """A command that is wrong."""

    command: str
    """With `out` as the name of a new file."""
    message: str
    """The beginning of the sentence."""
    make: Callable[[], object] | None = None
    """Makes the files that it needs."""


def archive(**arrays: Any) -> Callable[[], object]:
    return lambda: np.savez("x.npz", **arrays)


def text(name: str, content: str) -> Callable[[], object]:
    return lambda: Path(name).write_text(content)


def with_nan() -> NDArray[np.float32]:
    z = np.zeros((4, 3), np.float32)
    z[2, 1] = np.nan
    return z


def broken_photo() -> None:
    png = io.BytesIO()
    Image.fromarray(LEVELS[0, ..., 0]).save(png, "PNG")
    Path("broken.png").write_bytes(png.getvalue()[:60])


def diverged() -> None:
    model = trained()
    model.save("x.keras")
    content = model.trainable_variables[0]
    content.assign(np.full(content.shape, np.nan, np.float32))
    model.save("x.keras")


def other_model() -> None:
    import keras

    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save("x.keras")


def newer_model() -> None:
    import zipfile

    with zipfile.ZipFile("models/vae.keras") as source, zipfile.ZipFile("x.keras", "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b'"architecture": "mlp"', b'"architecture": "future"'))


PICTURES = "must end in .csv or .npz or .png or / (a folder of PNG files)."
IMAGES = {
    "missing image": Case("encode nothing.png -o out.csv", "nothing.png does not exist."),
    "missing folder": Case("score photos/c -o out.csv", "photos/c does not exist."),
    "pattern without a match": Case("encode *.tif -o out.csv", "no file matches *.tif."),
    "part after the last": Case("encode photos -o out.csv --part 9/8", "the part is 9/8, but must be I/N with"),
    "part before the first": Case("encode photos -o out.csv --part 0/8", "the part is 0/8, but must be I/N with"),
    "part without a number": Case("encode photos -o out.csv --part x", "the part is x, but must be I/N with"),
    "more parts than batches": Case(
        "encode photos -o out.csv --part 1/2", "7 images in batches of 500 make 1 parts at most, but 2 are wanted;"
    ),
    "empty folder": Case("encode empty -o out.csv", "empty contains no images.", lambda: Path("empty").mkdir()),
    "text as an image": Case("encode x.txt -o out.csv", "x.txt: it is not an image", text("x.txt", "hello")),
    "empty file": Case("encode x.png -o out.csv", "x.png: it is empty", text("x.png", "")),
    "damaged image": Case("encode broken.png -o out.csv", "broken.png: ", broken_photo),
    "damaged image among others": Case("encode photos broken.png -o out/", "the output", broken_photo),
    "only unreadable images": Case(
        "encode x.png --skip-unreadable -o out.csv", "no image is left: all are unreadable.", text("x.png", "")
    ),
    "archive that is not one": Case(
        "encode x.npz -o out.csv", "x.npz is not a readable .npz file", text("x.npz", "hello")
    ),
    "archive without images": Case(
        "encode x.npz -o out.csv", "x.npz contains 'pixels', but must", archive(pixels=LEVELS)
    ),
    "archive of objects": Case(
        "encode x.npz -o out.csv", "x.npz: its array 'images' contains Python objects", archive(images=np.array([{}]))
    ),
    "archive of flat images": Case(
        "encode x.npz -o out.csv",
        "x.npz: its array 'images' has the shape (7, 120), but",
        archive(images=LEVELS.reshape(7, -1)),
    ),
    "archive of channels first": Case(
        "encode x.npz -o out.csv",
        "x.npz: its array 'images' has the shape (7, 1, 12, 10), with the channels first",
        archive(images=LEVELS.reshape(7, 1, 12, 10)),
    ),
    "archive of four channels": Case(
        "encode x.npz -o out.csv",
        "x.npz: its array 'images' has the shape (7, 12, 10, 4)",
        archive(images=np.zeros((7, 12, 10, 4), np.uint8)),
    ),
    "archive without rows": Case(
        "encode x.npz -o out.csv", "x.npz: its array 'images' is empty", archive(images=LEVELS[:0])
    ),
    "archive of levels as floats": Case(
        "encode x.npz -o out.csv",
        "x.npz: its array 'images' has values from",
        archive(images=LEVELS.astype(np.float32)),
    ),
    "archive of NaN": Case(
        "encode x.npz -o out.csv",
        "x.npz: its array 'images' has values from nan",
        archive(images=np.full(LEVELS.shape, np.nan, np.float32)),
    ),
    "class for a model that takes none": Case(
        "encode photos --class a -o out.csv", "a class is given (a), but the model is not conditional"
    ),
    "unknown class": Case(
        "encode photos --class c -m models/conditional.keras -o out.csv",
        "the model has no class 'c'; its classes are a, b.",
    ),
    "images without a class": Case(
        "encode x.npz -m models/conditional.keras -o out.csv",
        "the model is conditional, but the images have no classes; --class",
        archive(images=LEVELS),
    ),
    "folder that is no class": Case(
        "score other -m models/conditional.keras -o out.csv",
        "other/z/0.png is of the class 'z', which the model does not know",
        lambda: write_photos(Path("other"), LEVELS[:1], ("z",)),
    ),
    "several images as an end": Case(
        "interpolate photos photos/a/0.png -o out.png", "photos contains 7 images, but must"
    ),
    "missing end": Case("interpolate photos/a/0.png none.png -o out.png", "none.png does not exist."),
}
MODELS = {
    "missing model": Case("encode photos -m none.keras -o out.csv", "none.keras is missing."),
    "missing default model": Case(
        "info", "models/vae.keras is missing; `dvc repro train` makes it.", lambda: Path("models/vae.keras").unlink()
    ),
    "folder as a model": Case("info photos", "photos cannot be read: Is a directory."),
    "text as a model": Case(
        "info x.keras", "x.keras is not a model that this project saved: it is damaged", text("x.keras", "x")
    ),
    "other archive as a model": Case(
        "info x.npz", "x.npz is not a model that this project saved: Keras cannot load it", archive(images=LEVELS)
    ),
    "half a model": Case(
        "info x.keras",
        "x.keras is not a model that this project saved: it is damaged",
        lambda: Path("x.keras").write_bytes(Path("models/vae.keras").read_bytes()[:5000]),
    ),
    "other Keras model": Case(
        "info x.keras", "x.keras is not a model that this project saved: it contains a Sequential", other_model
    ),
    "model of a newer version": Case(
        "info x.keras", "x.keras is not a model that this project saved: Keras cannot load it", newer_model
    ),
    "diverged model": Case(
        "sample -m x.keras -o out.png", "x.keras is not a model that this project saved: it has weights", diverged
    ),
}
LATENTS = {
    "missing latents": Case("decode none.csv -o out.png", "none.csv does not exist."),
    "missing archive of latents": Case("decode none.npz -o out.png", "none.npz does not exist."),
    "latents of another format": Case(
        "decode x.txt -o out.png", "x.txt must end in .csv or .npz", text("x.txt", "z_0\n1\n")
    ),
    "latents too narrow": Case(
        "decode x.csv -o out.png",
        "x.csv has 2 columns z_…, but the model needs 3: z_0 to z_2.",
        text("x.csv", "z_0,z_1\n1,2\n"),
    ),
    "latents too wide": Case(
        "decode x.npz -o out.png",
        "x.npz: z is float64 of shape (4, 5), but the model needs numbers of shape (n, 3).",
        archive(z=np.zeros((4, 5))),
    ),
    "latents without names": Case(
        "decode x.csv -o out.png", "x.csv has no columns of latent vectors", text("x.csv", "a,b,c\n1,2,3\n")
    ),
    "archive without latents": Case(
        "decode x.npz -o out.png", "x.npz contains no array z or z_mean", archive(images=LEVELS)
    ),
    "NaN in a table": Case(
        "decode x.csv -o out.png", "x.csv: row 1 contains NaN", text("x.csv", "z_0,z_1,z_2\n1,2,3\n1,,3\n")
    ),
    "NaN in an archive": Case("decode x.npz -o out.png", "x.npz: z: row 2 contains NaN", archive(z=with_nan())),
    "infinity": Case(
        "decode x.csv -o out.png", "x.csv: row 0 contains NaN or infinity", text("x.csv", "z_0,z_1,z_2\ninf,2,3\n")
    ),
    "text in a table": Case(
        "decode x.csv -o out.png", "x.csv: its column z_1 contains", text("x.csv", "z_0,z_1,z_2\n1,two,3\n")
    ),
    "empty table": Case("decode x.csv -o out.png", "x.csv is not a table of comma-separated values", text("x.csv", "")),
    "table without rows": Case("decode x.csv -o out.png", "x.csv has no rows.", text("x.csv", "z_0,z_1,z_2\n")),
    "archive of latents without rows": Case(
        "decode x.npz -o out.png", "x.npz: z has no rows.", archive(z=np.zeros((0, 3)))
    ),
    "ragged table": Case(
        "decode x.csv -o out.png", "x.csv is not a table", text("x.csv", "z_0,z_1,z_2\n1,2,3\n1,2,3,4,5\n")
    ),
    "names of other rows": Case(
        "decode x.npz -o out.png",
        "x.npz: z has 4 rows, but the array name is",
        archive(z=np.zeros((4, 3)), name=np.array(["a"])),
    ),
    "nothing on standard input": Case("decode - -o out.png", "standard input is not a table"),
    "class for latents of a model that takes none": Case(
        "decode x.npz --class a -o out.png", "a class is given (a), but", archive(z=np.zeros((4, 3)))
    ),
    "latents of a conditional model without a class": Case(
        "decode x.npz -m models/conditional.keras -o out.png",
        "the model is conditional, so it needs the label",
        archive(z=np.zeros((4, 3))),
    ),
    "density without variances": Case(
        "sample --latents x.npz -o out.png", "x.npz contains no array z_log_var", archive(z_mean=np.zeros((4, 3)))
    ),
    "density of missing latents": Case("sample --latents none.npz -o out.png", "none.npz does not exist."),
    "more Gaussians than images": Case(
        "sample --latents x.npz --components 9 -o out.png",
        "components is 9, but must be at most the 4 images.",
        archive(z_mean=np.zeros((4, 3)), z_log_var=np.zeros((4, 3))),
    ),
}
OUTPUTS = {
    "table with another suffix": Case(
        "encode photos -o out.xlsx", "the output is out.xlsx, but must end in .csv or .npz."
    ),
    "table as a picture": Case("score photos -o out.png", "the output is out.png, but must end in .csv or .npz."),
    "picture with another suffix": Case("sample -o out.jpg", f"the output is out.jpg, but {PICTURES}"),
    "existing table": Case(
        "encode photos -o there.csv", "there.csv exists already; --force overwrites it.", text("there.csv", "")
    ),
    "existing picture": Case(
        "sample -o there.png", "there.png exists already; --force overwrites it.", text("there.png", "")
    ),
    "folder with files": Case(
        "sample -o photos/", "photos/ is a folder that is not empty; --force overwrites files in it."
    ),
    "folder for a table": Case("encode photos -o photos", "the output is photos, but must end in .csv or .npz."),
    "file as a folder": Case(
        "sample -o there.csv/x.png",
        "the output is there.csv/x.png, but there.csv is not a folder.",
        text("there.csv", ""),
    ),
}
CASES = IMAGES | MODELS | LATENTS | OUTPUTS


@pytest.mark.parametrize("case", CASES.values(), ids=[*CASES])
def test_wrong_input_ends_in_one_sentence_and_writes_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_model(trained(class_names=["a", "b"]), Path("models/vae.keras"))
    if "conditional" in case.command:
        save_model(trained(conditional=True, class_names=["a", "b"]), Path("models/conditional.keras"))
    write_photos(Path("photos"))
    if case.make:
        case.make()
    before = {path: path.stat().st_mtime_ns for path in sorted(Path().rglob("*"))}
    result = CliRunner().invoke(app, case.command.split(), input="")
    assert result.exit_code == 1, result.output
    *before_it, line = result.stderr.splitlines()
    assert bool(before_it) == ("--skip-unreadable" in case.command), result.stderr
    assert line.startswith(f"error: {case.message}")
    assert line.endswith(".")
    assert result.stdout == ""
    assert {path: path.stat().st_mtime_ns for path in sorted(Path().rglob("*"))} == before


@pytest.mark.parametrize(
    "options",
    [
        "encode photos --batch-size 0",
        "sample -o x.png --count 0",
        "sample -o x.png --seed -1",
        "sample -o x.png --components 0",
        "score photos --samples 0",
        "interpolate a b -o x.png --steps 1",
        "encode photos --format png",
        "sample",
        "decode",
    ],
)
def test_wrong_options_end_with_the_status_two_and_name_the_option(options: str) -> None:
    result = CliRunner().invoke(app, options.split())
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")
    assert "Traceback" not in result.output


def test_a_full_disk_leaves_the_former_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_model(trained(), Path("models/vae.keras"))
    write_photos(Path("photos"))
    Path("x.csv").write_text("former")

    def full(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outputs, "_write_csv", full)
    result = CliRunner().invoke(app, ["encode", "photos", "-o", "x.csv", "--force"])
    assert (result.exit_code, result.stderr) == (1, "error: x.csv: No space left on device.\n")
    assert sorted(path.name for path in Path().iterdir()) == ["models", "photos", "x.csv"]
    assert Path("x.csv").read_text() == "former"


CALLS: list[tuple[Callable[[], object], str]] = [
    (lambda: vae.encode(np.zeros((2, 5, 5, 1), np.float32), trained()), "images are float32 of shape"),
    (lambda: vae.encode([], trained()), "no images are given"),
    (lambda: vae.encode("none", "none.keras"), "none.keras is missing."),
    (lambda: vae.sample(0, trained()), "count is 0, but must be at least 1."),
    (lambda: vae.decode(np.zeros((2, 4), np.float32), trained()), "the array is float32 of shape (2, 4)"),
]


@pytest.mark.parametrize(("call", "message"), CALLS, ids=["shape", "nothing", "model", "count", "width"])
def test_functions_raise_the_same_sentences(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError) as refused:
        call()
    assert str(refused.value).startswith(message)
