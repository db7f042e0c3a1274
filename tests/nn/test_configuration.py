import json
import os
import subprocess
import sys
from pathlib import Path


def test_the_users_configuration_of_keras_has_no_say(root: Path, tmp_path: Path) -> None:
    own = {"floatx": "float16", "epsilon": 0.01, "backend": "jax", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(own))
    env = os.environ | {"KERAS_HOME": str(tmp_path), "KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1"}
    names = ("floatx", "epsilon", "backend", "image_data_format", "max_epochs", "max_steps_per_epoch")
    code = f"import vae.nn, keras; print([getattr(keras.config, name)() for name in {names}])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env | {"PYTHONPATH": str(root / "src")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "['float32', 1e-07, 'tensorflow', 'channels_last', None, None]\n"
