"""Check the whole of `params.yaml`, before DVC runs any stage: `python -m vae.settings`."""

from vae.errors import InputError
from vae.settings.baseline import Baseline
from vae.settings.classify import Classify
from vae.settings.combinations import check_together
from vae.settings.embed import Embed
from vae.settings.evaluate import Evaluate
from vae.settings.explore import Explore
from vae.settings.loader import validate
from vae.settings.model import Model
from vae.settings.prepare import Prepare, require_data_set
from vae.settings.score import Score
from vae.settings.train import Train
from vae.settings.visualize import Visualize
from vae.stage import run_stage

SECTIONS = (Prepare, Model, Train, Evaluate, Embed, Visualize, Baseline, Classify, Score, Explore)


def main() -> None:
    """Report every error in `params.yaml`, unknown sections included, and a data set that is not there."""
    params = validate("params.yaml", SECTIONS, others="forbid")
    try:
        check_together(**dict(params.model), **dict(params.train))
    except InputError as error:
        raise InputError(f"params.yaml: {error}") from None
    require_data_set(params.prepare.dataset)


if __name__ == "__main__":
    run_stage(main)
