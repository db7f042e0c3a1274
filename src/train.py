"""Stage `train`: the prepared images to a checkpoint of the best validation epoch, and the history of all epochs."""

from pathlib import Path

from vae.errors import InputError, run_stage
from vae.files import write_csv
from vae.nn.checkpoint import save_checkpoint
from vae.nn.progress import DivergenceError
from vae.nn.resume import fingerprint, unfinished
from vae.nn.training import build_model, fit
from vae.settings import Train, load_settings
from vae.splits import load_split

UNFINISHED = Path("models/unfinished")  # from which a killed training goes on


def main() -> None:
    settings, seed = load_settings(Train)
    images = load_split(Path("data/prepared/train.npz")).images
    validation_images = load_split(Path("data/prepared/validation.npz")).images
    model = build_model(settings, seed)
    computed = fingerprint({"seed": seed, **dict(settings)}, images, validation_images)
    with unfinished(UNFINISHED, computed) as state:
        try:
            history = fit(model, images, validation_images, settings, seed, state)
        except DivergenceError as diverged:
            if diverged.best_epoch is None:
                raise
            kept = state.path.with_name("best")
            save_checkpoint(model, kept)
            raise InputError(
                f"{diverged} The weights of epoch {diverged.best_epoch}, the best, are in {kept}."
            ) from None
        save_checkpoint(model, Path("models/vae"))
        # without the seconds, which differ from run to run: equal trainings give equal files
        write_csv(Path("reports/history.csv"), history.drop(columns="seconds"))
    best = history.iloc[history.val_loss.argmin()]
    print(f"kept epoch {best.epoch:.0f}: validation loss {best.val_loss:.2f} nats per image")


if __name__ == "__main__":
    run_stage(main)
