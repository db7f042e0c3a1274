"""The command that prints the parameters and the multiply-adds of each architecture."""

from pathlib import Path

import pytest

from benchmarks.architectures import main, sizes
from vae.errors import InputError
from vae.model.architectures import ARCHITECTURES
from vae.model.vae import VAE


def test_the_table_of_sizes_has_the_parameters_of_the_models() -> None:
    table = sizes((12, 16, 3), 2)
    assert list(table.index) == list(ARCHITECTURES)
    for name, row in table.iterrows():
        model = VAE((12, 16, 3), 2, architecture=str(name))
        assert row["encoder parameters"] == model.encoder.count_params()
        assert row["decoder parameters"] == model.decoder.count_params()


def test_the_command_prints_the_sizes_for_its_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["architectures"])
    main()
    defaults = capsys.readouterr().out
    assert "50,836" in defaults  # the tutorial's encoder at K = 10
    monkeypatch.setattr(
        "sys.argv", ["architectures", "--image-size", "8", "12", "--channels", "3", "--latent-dim", "2"]
    )
    main()
    printed = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    expected = [[name, *(f"{value:,}" for value in row)] for name, row in sizes((8, 12, 3), 2).iterrows()]
    assert printed == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--channels", "0"], "--channels is 0, but must be at least 1."),
        (["--latent-dim", "-1"], "--latent-dim is -1, but must be at least 1."),
        (
            ["--image-size", "7", "28"],
            "images have 7x28 pixels, but the tutorial's architecture needs a height and a width from 8 to 256.",
        ),
    ],
)
def test_the_command_refuses_sizes_that_are_not_possible(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["architectures", *arguments])
    with pytest.raises(InputError) as refused:
        main()
    assert str(refused.value) == message


def test_the_documents_show_what_the_command_prints(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["architectures"])
    main()
    assert f"```text\n{capsys.readouterr().out}```" in (root / "docs/choices.md").read_text(encoding="utf-8")
