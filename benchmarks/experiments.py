"""The pipeline, or a part of it, with other settings: by DVC, in a folder of its own, what was run before not again."""

import subprocess
import sys
from collections.abc import Sequence

DVC = [sys.executable, "-m", "dvc"]


def run_experiment(name: str, settings: dict[str, object], targets: Sequence[str] = ()) -> None:
    """Run an experiment in the place of a former one of that name; its name is then a revision that DVC and git know.

    Args:
        name: of the experiment.
        settings: what differs from `params.yaml`, by dotted key.
        targets: the stages that are wanted, with those before them; all, if none is named.
    """
    subprocess.run([*DVC, "exp", "remove", "--quiet", name], check=False, capture_output=True)  # noqa: S603
    changes = [word for key, value in settings.items() for word in ("-S", f"{key}={value}")]
    subprocess.run([*DVC, "exp", "run", "--temp", "--name", name, *changes, *targets], check=True)  # noqa: S603
