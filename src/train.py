"""Stage `train`: train the VAE and keep the weights of its best validation epoch and the history of all epochs."""

from pathlib import Path

from vae.data.splits import load_splits
from vae.errors import InputError
from vae.io.tables import write_csv
from vae.model.checkpoint import save_model
from vae.settings.loader import load_settings
from vae.settings.model import Model
from vae.settings.train import Train
from vae.stage import run_stage
from vae.training.callbacks import DivergenceError
from vae.training.fit import build_model, fit
from vae.training.resume import fingerprint, unfinished

UNFINISHED = Path("models/unfinished")  # from which a killed training resumes


def main() -> None:
    seed, model_settings, settings = load_settings(Model, Train)
    train, validation = load_splits(Path("data/prepared"), ("train", "validation"))
    model = build_model(train, model_settings, settings, seed)
    everything = {"seed": seed, "model": dict(model_settings), "train": dict(settings)}
    with unfinished(UNFINISHED, fingerprint(everything, train.images, validation.images)) as state:
        try:
            history = fit(model, train.images, validation.images, settings, seed, state)
        except DivergenceError as diverged:
            if diverged.best_epoch is None:
                raise
            kept = state.path.with_name("best.keras")
            save_model(model, kept)
            raise InputError(
                f"{diverged} The weights of epoch {diverged.best_epoch}, the best, are in {kept}."
            ) from None
        save_model(model, Path("models/vae.keras"))
        # Without the seconds, which differ from run to run, so that equal trainings give equal files.
        write_csv(Path("reports/history.csv"), history.drop(columns="seconds"))
    best = history.iloc[history.val_loss.argmin()]
    print(f"kept epoch {best.epoch:.0f}: validation loss {best.val_loss:.2f} nats per image")


if __name__ == "__main__":
    run_stage(main)
