"""Results that are left out, because the images have fewer than two classes."""

from pathlib import Path

from vae.io.tables import write_json, write_metrics


def leave_out(what: str, reason: str, details: Path, metrics: Path) -> str:
    """Write a sentence in place of a stage's results, and metrics without numbers; print and return the sentence.

    Args:
        what: what is left out, with its verb, for example `The classifier is`.
        reason: why, as `vae.data.splits.missing_classes` returns it.
        details: the file of all results of the stage.
        metrics: its file of metrics, which DVC requires.

    Raises:
        OSError: as in `vae.io.whole.whole`.
    """
    sentence = f"{what} left out: {reason}."
    write_json(details, {"left_out": sentence})
    write_metrics(metrics, {})
    print(sentence)
    return sentence
