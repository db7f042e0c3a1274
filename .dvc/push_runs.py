"""Push all runs in DVC's run cache, with their outputs, to the default remote (`make push-runs`).

`dvc push --run-cache` uploads the records of all runs, but only the outputs of the current commit, and none that git
keeps (DVC 3.67). Without the outputs, another clone cannot restore a run.
"""

import sys
from pathlib import Path

from dvc.repo import Repo


def main() -> None:
    """Push the outputs that the records name, then the records."""
    with Repo() as repo, repo.lock:
        records = [(path.parent.name, path.name) for path in Path(repo.stage_cache.cache_dir).glob("*/*/*")]
        outputs = set().union(*repo.stage_cache.get_used_objs(records).values())
        pushed = repo.cloud.push(outputs)
        if pushed.failed:
            sys.exit(f"error: {len(pushed.failed)} of {len(outputs)} outputs could not be pushed.")
        repo.stage_cache.push(None)
    print(f"the remote contains {len(records)} runs; {len(pushed.transferred)} files are new")


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # each kind of storage raises its own
        sys.exit(f"error: {error}")
