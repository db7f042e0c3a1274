"""A small DVC project whose training takes no TensorFlow and a second, for tests of what is around trainings."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from commands import Commands
from imports import ROOT

EPOCHS = 4
DIVERGES = 7
"""The latent dimensions with which the training fails in its second epoch."""
SLOW = (17, 2)
"""The latent dimensions whose epochs take four times as long."""
LEARNING_RATE = 0.5
NAME = "lat"

DVC_YAML: dict[str, Any] = {
    "stages": {
        "train": {
            "cmd": "python src/train.py",
            "params": ["seed", "prepare", "model", "train"],
            "deps": ["src/train.py", "${prepare.dataset}"],
            "outs": ["models/vae.keras"],
            "plots": [{"reports/history.csv": {"cache": False}}],
        },
        "evaluate": {
            "cmd": "python src/evaluate.py",
            "params": ["seed", "evaluate"],
            "deps": ["models/vae.keras", "src/evaluate.py"],
            "metrics": [{"reports/metrics.json": {"cache": False}}],
        },
        "embed": {
            "cmd": "python src/embed.py",
            "params": ["embed"],
            "deps": ["models/vae.keras"],
            "metrics": [{"reports/latents.json": {"cache": False}}],
        },
    }
}

# It resumes as the real one does: from a folder of its own in models/unfinished. Each epoch also adds a line to a file
# outside, by which the tests see what was computed.
TRAIN = f"""\
import json, os, pathlib, time
from ruamel.yaml import YAML
params = YAML(typ="safe").load(pathlib.Path("params.yaml"))
latent_dim, rate = params["model"]["latent_dim"], params["train"]["learning_rate"]
state = pathlib.Path(f"models/unfinished/{{latent_dim}}-{{rate}}")
for folder in (state, pathlib.Path("reports")):
    folder.mkdir(parents=True, exist_ok=True)
done = len(list(state.iterdir()))
lines = ["epoch,loss,val_loss"]
def report():
    part = pathlib.Path("reports/.part")
    part.write_text("\\n".join(lines) + "\\n")
    part.rename("reports/history.csv")
for epoch in range(1, params["train"]["epochs"] + 1):
    lines.append(f"{{epoch}},1,{{100 - latent_dim + 8 / epoch}}")
    if epoch <= done:
        report()
        continue
    if latent_dim == {DIVERGES} and epoch == 2:
        raise SystemExit("error: the loss became NaN or infinite in epoch 2.")
    while f"{{latent_dim}} {{epoch}}" in os.environ["HOLD"].split(", "):  # until it is killed
        time.sleep(0.1)
    time.sleep(float(os.environ["SECONDS"]) * (4 if latent_dim in {SLOW} else 1))
    (state / str(epoch)).touch()
    with open(os.environ["COMPUTED"], "a") as computed:
        print(latent_dim, rate, epoch, len(os.sched_getaffinity(0)), file=computed)
    report()
for file in state.iterdir():
    file.unlink()
state.rmdir()
report()
pathlib.Path("models/vae.keras").write_text(json.dumps([latent_dim, rate]))
"""
EVALUATE = """\
import json, pathlib
latent_dim, rate = json.loads(pathlib.Path("models/vae.keras").read_text())
pathlib.Path("reports/metrics.json").write_text(json.dumps({"loss": latent_dim + rate}))
"""


class Project(Commands):
    """The project in a git repository, in which `vae sweep` runs as a user would run it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.computed = path.parent / "computed"
        home = path.parent / "home"
        home.mkdir()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "RAY_"))} | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "COMPUTED": str(self.computed),
            "SECONDS": "0",
            "HOLD": "",
        }

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text, encoding="utf-8")

    def sweep(self, **changes: Any) -> None:
        """Write sweep.yaml."""
        sweep = {"name": NAME, "vary": {"model.latent_dim": [2]}} | changes
        self.write("sweep.yaml", yaml.safe_dump({"seed": 1, "sweep": sweep}))

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments).strip()

    def experiments(self) -> list[str]:
        """Return the experiments, as DVC names them in git: the commit that they start from, and their names."""
        return self.git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/exps").splitlines()

    def commit_of(self, name: str) -> str:
        """Return the commit of an experiment."""
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{name}")

    def epochs(self, latent_dim: int) -> list[float]:
        """Return the epochs that were computed with a latent dimension."""
        return [epoch for computed, _, epoch, _ in self.lines() if computed == latent_dim]

    def lines(self) -> list[list[float]]:
        """Return what was computed: latent dimension, learning rate, epoch, cores."""
        return [[float(word) for word in line.split()] for line in self.computed.read_text().splitlines()]


def make_project(path: Path) -> Project:
    """Make the project, commit it, and return it. Its committed results are of no trial."""
    path.mkdir(parents=True)
    project = Project(path)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= {"epochs": EPOCHS, "learning_rate": LEARNING_RATE}
    project.write("params.yaml", yaml.safe_dump(params))
    project.write("dvc.yaml", yaml.safe_dump(DVC_YAML))
    project.write("mnist", "a file as in the real project")
    project.write("src/train.py", TRAIN)
    project.write("src/evaluate.py", EVALUATE)
    project.write("reports/history.csv", "epoch,loss,val_loss\n1,1,1\n")
    project.write("reports/metrics.json", '{"loss": 0}')
    project.write("reports/latents.json", '{"accuracy": 1}')
    project.write(".gitignore", "/models\n/data\n__pycache__/\n")
    for name in ("config", ".gitignore"):
        (path / ".dvc").mkdir(exist_ok=True)
        shutil.copy(ROOT / ".dvc" / name, path / ".dvc" / name)
    project.git("init", "--quiet")
    for key, value in {"user.name": "test", "user.email": "test@example.org"}.items():
        project.git("config", key, value)
    project.git("add", ".")
    project.git("commit", "--quiet", "--message", "project")
    return project


def kill(process: subprocess.Popen[str]) -> None:
    """Kill only this process, as nobody can prevent."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
