"""Modules set TensorFlow up before they import it. Otherwise results depend on the processor and on `keras.json`."""

import subprocess
import sys
from pathlib import Path

import pytest

import vae.evaluation

MODULES = sorted(path.stem for path in Path(vae.evaluation.__path__[0]).glob("[a-z]*.py"))
# Import a module up to the first import of Keras or TensorFlow.
CODE = """
import sys

class Stop:
    def find_spec(name, path, target=None):
        if name in ("keras", "tensorflow"):
            print(f"{name}, set up: {'vae.model.runtime' in sys.modules}")
            sys.exit()

sys.meta_path.insert(0, Stop)
import vae.evaluation.{module}
print("no TensorFlow")
"""


@pytest.mark.parametrize("module", MODULES)
def test_tensorflow_is_set_up_before_it_is_imported(module: str) -> None:
    code = CODE.replace("{module}", module)
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() in ("tensorflow, set up: True", "no TensorFlow")
