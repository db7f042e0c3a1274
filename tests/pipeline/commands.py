"""Commands in a folder, in an environment of variables that a test chooses."""

import subprocess
from pathlib import Path


class Commands:
    """A folder and the variables with which commands run in it."""

    path: Path
    env: dict[str, str]

    def start(self, *command: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, so that all of it can be killed."""
        return subprocess.Popen(
            command,
            cwd=self.path,
            env=self.env | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *command: str, status: int = 0, **variables: str) -> str:
        """Return what a command prints, and compare its exit status."""
        with self.start(*command, **variables) as process:
            output = process.communicate()[0]
        assert process.returncode == status, output
        return output
