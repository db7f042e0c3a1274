"""Run a command, and end it with all its processes when the process that started this one ends.

`python -m vae.sweeps.guard CORES COMMAND...` expects a pipe from its parent on standard input, and to be the leader of
its process group. However the parent ends, by `kill -9` too, the pipe closes. The processes of a stage are children of
DVC's children, so that nothing else ends all of them.

When a Ray worker exits, it kills its own children, but not their children. So a child of the guard watches the pipe.
If that child is killed, the guard kills the others.
"""

import os
import signal
import subprocess
import sys
from threading import Thread


def main() -> None:
    """Run the command on the cores with these numbers; an empty list leaves all."""
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            os.killpg(0, signal.SIGKILL)
        sys.exit(os.waitstatus_to_exitcode(status))
    numbers, *command = sys.argv[1:]
    if numbers:  # inherited by all processes, so that TensorFlow starts as many threads
        os.sched_setaffinity(0, map(int, numbers.split(",")))
    Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode)  # noqa: S603


def _end_with_parent() -> None:
    while os.read(0, 1):  # nothing, until the parent has closed the pipe
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
