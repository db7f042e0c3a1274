"""The command `vae`: its outputs, its help and its start, its exit statuses, and Ctrl-C."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import vae
from tests.trained import LEVELS, trained, write_photos
from vae.cli.app import COMMANDS, app
from vae.data.binarization import binarize
from vae.data.shards import save_split
from vae.exporting.comparison import images_to_compare
from vae.model.checkpoint import save_model

IMAGES = LEVELS.astype(np.float32) / np.float32(255)
VAE = [str(Path(sys.executable).with_name("vae"))]
"""The installed command."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model, models/vae.keras, and images, photos."""
    path = tmp_path_factory.mktemp("cli")
    save_model(trained(class_names=["a", "b"]), path / "models/vae.keras")
    write_photos(path / "photos")
    return path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command in that folder, in this process."""
    monkeypatch.chdir(folder)

    def run(*arguments: str, status: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(app, arguments, input=stdin, prog_name="vae")
        assert result.exit_code == status, result.output
        return result

    return run


def test_encode_prints_a_table_that_decode_takes(run: Callable[..., Result], tmp_path: Path) -> None:
    printed = run("encode", "photos").stdout
    table = pd.read_csv(io.StringIO(printed))
    found = vae.encode("photos")
    assert table.name.tolist() == found["name"].tolist()
    np.testing.assert_array_equal(table.filter(like="z_mean").to_numpy("float32"), found["z_mean"])
    result = run("decode", "-", "--output", f"{tmp_path}/images.npz", stdin=printed)
    assert result.stderr == f"wrote 7 images to {tmp_path}/images.npz\n"
    with np.load(tmp_path / "images.npz") as images:
        np.testing.assert_array_equal(images["image"], vae.decode(found["z_mean"])["image"])
        assert images["name"].tolist() == found["name"].tolist()


def test_score_ranks_images(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("score", "photos", "--samples", "2", "--seed", "1", "-o", f"{tmp_path}/scores.csv")
    table, found = pd.read_csv(tmp_path / "scores.csv"), vae.score("photos", samples=2, seed=1)
    assert [*table.columns] == ["rank", "name", "score", "reconstruction", "kl"]
    assert table.name.tolist() == found["name"].tolist()
    np.testing.assert_allclose(table.score, found["score"], rtol=1e-8)
    assert "wrote 7 scores, in nats per image of the grey levels as Bernoulli targets," in result.stderr


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        (("reconstruct", "photos"), (2 * 20 + 2, 4 * 12 + 6)),  # seven pairs of 12x20 pixels
        (("sample", "--count", "9", "--seed", "3"), (3 * 10 + 4, 3 * 12 + 4)),
        (("interpolate", "photos/a/0.png", "photos/b/1.png", "--steps", "5"), (5 * 10 + 8, 12)),
    ],
    ids=["reconstruct", "sample", "interpolate"],
)
def test_commands_write_a_picture(
    arguments: tuple[str, ...], size: tuple[int, int], run: Callable[..., Result], tmp_path: Path
) -> None:
    run(*arguments, "--output", f"{tmp_path}/x.png")
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.size == size


def test_sample_near_latents_of_the_command_itself(run: Callable[..., Result], tmp_path: Path) -> None:
    run("encode", "photos", "photos", "--output", f"{tmp_path}/latents.csv")
    arguments = ("--latents", f"{tmp_path}/latents.csv", "--components", "1", "--count", "3")
    run("sample", *arguments, "--output", f"{tmp_path}/x.npz")
    with np.load(tmp_path / "x.npz") as found:
        expected = vae.sample(3, latents=tmp_path / "latents.csv", components=1)
        np.testing.assert_array_equal(found["z"], expected["z"])


def test_info_describes_the_model_as_text_and_as_json(run: Callable[..., Result]) -> None:
    assert json.loads(run("info", "--json").stdout) == vae.info()
    assert "\nimage: height 12, width 10, channels 1, fit pad\n" in run("info", "models/vae.keras").stdout


def test_an_existing_file_is_overwritten_only_by_force(run: Callable[..., Result], tmp_path: Path) -> None:
    output = tmp_path / "x.csv"
    output.write_text("former")
    assert "--force" in run("encode", "photos", "-o", str(output), status=1).stderr
    assert output.read_text() == "former"
    run("encode", "photos", "-o", str(output), "--force")
    assert len(pd.read_csv(output)) == 7


@pytest.mark.parametrize("command", [function.__name__ for function in COMMANDS])
def test_help_describes_every_option_and_has_examples(command: str, run: Callable[..., Result]) -> None:
    text = run(command, "--help").stdout
    assert f"\n    vae {command}" in text.split("Examples:")[1]
    described = [line for line in text.splitlines() if re.match(r"  (-\w, )?--", line)]
    assert described
    assert all(re.search(r"\S  +\S|>$", line.strip()) for line in described)


def test_wrong_usage_ends_with_the_status_two(run: Callable[..., Result]) -> None:
    assert "No such option" in run("encode", "photos", "--outptu", "x.csv", status=2).stderr
    assert "Missing argument" in run("encode", status=2).stderr


def test_help_starts_without_tensorflow(folder: Path) -> None:
    code = (
        "import sys; from vae.cli.app import app; from typer.testing import CliRunner\n"
        "assert 'sample' in CliRunner().invoke(app, ['--help']).stdout\n"
        "print(sorted({'tensorflow', 'keras', 'pandas', 'numpy', 'PIL'} & {*sys.modules}))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    assert printed == "[]\n"


def test_help_appears_within_three_tenths_of_a_second(folder: Path) -> None:
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([*VAE, "--help"], cwd=folder, capture_output=True, check=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3


def test_a_closed_reader_and_a_full_disk_end_the_command_in_one_line_or_none(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([*VAE, "encode", "photos"], cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (ended.returncode, ended.stderr) == (1, "error: No space left on device.\n")
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run([*VAE, "encode", "photos"], cwd=folder, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_a_closed_standard_output_does_not_fail_a_command_that_writes_a_file(folder: Path, tmp_path: Path) -> None:
    arguments = [str(tmp_path / "x.csv"), *VAE, "encode", "photos"]
    subprocess.run(["sh", "-c", 'exec "$@" -o "$0" >&-', *arguments], cwd=folder, check=True)
    assert len(pd.read_csv(tmp_path / "x.csv")) == 7


def test_ctrl_c_leaves_whole_files(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "former.csv").write_text("former")
    many = tmp_path / "many.npz"
    np.savez(many, images=np.zeros((200_000, 12, 10, 1), np.uint8))
    arguments = ["encode", str(many), "--batch-size", "10", "--force", "-o", str(tmp_path / "former.csv")]
    with subprocess.Popen([*VAE, *arguments], cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        while not any(part.stat().st_size for part in tmp_path.glob(".part-*")):
            time.sleep(0.05)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.stderr
        assert process.stderr.read().splitlines()[-1:] == ["interrupted"]
    assert process.returncode == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == ["former.csv", "many.npz"]
    assert (tmp_path / "former.csv").read_text() == "former"


def test_memory_does_not_grow_with_the_number_of_images(folder: Path, tmp_path: Path) -> None:
    """200,000 more images of 120 bytes would need 96 MB as float32."""
    code = (
        "import resource, sys; from vae.cli.app import app\n"
        "for source in sys.argv[1:]:\n"
        "    try: app(['encode', source, '-o', source + '.csv', '--batch-size', '5000'])\n"
        "    except SystemExit: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    sources = [str(tmp_path / f"{count}.npz") for count in (20_000, 220_000)]
    for source, count in zip(sources, (20_000, 220_000), strict=True):
        np.savez(source, images=np.zeros((count, 12, 10, 1), np.uint8))
    command = [sys.executable, "-c", code, *sources]
    printed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    before, after = (int(line) / 1000 for line in printed.split())
    assert after - before < 60


def test_export_writes_the_files_and_prints_the_differences(run: Callable[..., Result], tmp_path: Path) -> None:
    arguments = ["--format", "saved_model", "--output", f"{tmp_path}/out"]
    result = run("export", *arguments, "--images", "photos")
    assert result.stderr == f"wrote encoder, decoder and vae.json to {tmp_path}/out\n"
    assert re.match(r"largest differences from Keras on 7 images: z_mean \d\.\de[+-]\d\d, z_log_var", result.stdout)
    assert "contains an export already; --force replaces it." in run("export", *arguments, status=1).stderr
    result = run("export", *arguments, "--force")
    assert "from Keras on 500 draws from the model: " in result.stdout


def test_export_takes_the_test_images_of_the_pipeline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for likelihood in ("bernoulli", "binarized"):
        model = trained(likelihood=likelihood, conditional=True, class_names=["a", "b"])
        save_split(Path("data/prepared/test.npz"), LEVELS, np.arange(7, dtype=np.uint8) % 2, np.array(["a", "b"]))
        images, labels, what = images_to_compare(None, model)
        np.testing.assert_array_equal(images, binarize(IMAGES) if likelihood == "binarized" else IMAGES)
        assert labels is not None
        assert labels.tolist() == [0, 1, 0, 1, 0, 1, 0]
        assert what == "test images"
        shutil.rmtree("data")
        images, labels, what = images_to_compare(None, model)
        assert model.checked(images).shape == (500, *model.image_shape)
        assert what == "draws from the model"


def test_explore_opens_the_page_and_prints_its_address(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("explore", status=1).stderr == "error: reports/explorer.html is missing; `dvc repro explore` makes it.\n"
    (folder / "reports").mkdir()
    page = folder / "reports/explorer.html"
    page.touch()
    opened: list[str] = []

    def open_page(address: str) -> bool:
        opened.append(address)
        return len(opened) == 1

    monkeypatch.setattr(webbrowser, "open", open_page)
    assert run("explore").output == f"{page.as_uri()}\n"
    assert run("explore", str(page)).stderr == "no browser was found here: open this address in one\n"
    assert run("explore", "--no-browser").output == f"{page.as_uri()}\n"
    assert opened == [page.as_uri()] * 2
