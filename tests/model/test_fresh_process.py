"""What a fresh Python process sees when it imports the package: TensorFlow's set-up, and a model from a file."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.model.checkpoint import save_model
from vae.model.vae import VAE

Run = Callable[..., subprocess.CompletedProcess[str]]

LOAD = """
import sys
import vae
imported = {"tensorflow", "keras"} & set(sys.modules)
import vae.model.vae
import keras, numpy as np
names = ("floatx", "epsilon", "backend", "image_data_format", "max_epochs", "max_steps_per_epoch")
print([getattr(keras.config, name)() for name in names])
model = keras.models.load_model("../vae.keras")
images = np.load("../images.npy")
np.save("../loaded.npy", [model.reconstruct(images), vae.load("../vae.keras").reconstruct(images)])
print(imported, type(model) is vae.VAE, model.latent_dim, model.class_names, vae.__version__.count("."))
"""


@pytest.mark.slow
def test_keras_loads_the_file_in_any_folder_whatever_the_user_has_configured(
    tmp_path: Path, images: NDArray[np.float32], run_python: Run
) -> None:
    model = VAE((28, 28, 1), 4, class_names=["a", "b"])
    save_model(model, tmp_path / "vae.keras")
    np.save(tmp_path / "images.npy", images)
    (tmp_path / "elsewhere").mkdir()
    own = {"floatx": "float16", "epsilon": 0.01, "backend": "jax", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(own))
    done = run_python(
        LOAD, tmp_path / "elsewhere", KERAS_HOME=str(tmp_path), KERAS_MAX_EPOCHS="1", KERAS_MAX_STEPS_PER_EPOCH="1"
    )
    assert done.stderr == ""  # nor any of TensorFlow's start-up lines
    assert done.stdout.splitlines() == [
        "['float32', 1e-07, 'tensorflow', 'channels_last', None, None]",
        "set() True 4 ('a', 'b') 2",
    ]
    for reconstructed in np.load(tmp_path / "loaded.npy"):
        np.testing.assert_array_equal(reconstructed, model.reconstruct(images))


# A TensorFlow that prints the file `said` on stderr, and then aborts if `ABORTS` is set; and a Keras.
STUBS = {
    "tensorflow.py": """
import os
os.write(2, open("said", "rb").read())
if os.environ.get("ABORTS"):
    os.abort()
class config:
    list_logical_devices = list
    list_physical_devices = staticmethod(lambda kind: [])
""",
    "keras.py": """
from unittest.mock import Mock
config = Mock(backend=lambda: "jax")
""",
}
CHATTER = b"I0000 00:00:1.2 port.cc:153] oneDNN custom operations are on."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the stubs, and with one line to be filtered out and one to be printed in `said`."""
    for name, code in STUBS.items():
        (tmp_path / name).write_text(code)
    (tmp_path / "said").write_bytes(CHATTER + b"\n\0 a warning")
    return tmp_path


def test_only_the_start_up_lines_of_tensorflow_are_filtered_out(folder: Path, run_python: Run) -> None:
    done = run_python("import vae.model, sys; print('after', file=sys.stderr)", folder, folder)
    assert (done.returncode, done.stderr) == (0, "\0 a warning\nafter\n")


def test_last_words_of_a_tensorflow_that_aborts_are_printed(folder: Path, run_python: Run) -> None:
    done = run_python("import vae.model", folder, folder, ABORTS="1")
    assert (done.returncode, done.stderr) == (-signal.SIGABRT, "\0 a warning\n")


def test_the_filter_stays_after_an_error_for_which_it_should(folder: Path, run_python: Run) -> None:
    code = """
import os
from vae.model.runtime import without_chatter
for error in ValueError, KeyError:
    try:
        with without_chatter("^noise", until_the_end=(KeyError,)):
            os.write(2, b"noise within\\n")
            raise error
    except error:
        os.write(2, b"noise after %s\\nwords\\n" % error.__name__.encode())
"""
    (folder / "said").write_bytes(b"")
    assert run_python(code, folder, folder).stderr == "noise after ValueError\nwords\nwords\n"


def test_a_closed_stderr_does_no_harm(folder: Path, run_python: Run) -> None:
    code = """
import os
os.close(2)
import vae.model
with open("file", "wb"):
    os.write(2, b"a later message of TensorFlow")
print(os.path.getsize("file"))
"""
    done = run_python(code, folder, folder)
    assert (done.returncode, done.stdout) == (0, "0\n")


def test_keras_with_another_backend_is_refused_in_one_sentence(folder: Path, run_python: Run) -> None:
    done = run_python("import keras, vae.model", folder, folder)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: vae needs Keras with the backend tensorflow, but Keras was imported with jax: "
        "import vae.model before keras, or set KERAS_BACKEND=tensorflow."
    )


def test_importing_the_training_sets_tensorflow_up_too(folder: Path, run_python: Run) -> None:
    done = run_python("import vae.training, sys; print('vae.model.runtime' in sys.modules)", folder, folder)
    assert done.stdout == "True\n"
