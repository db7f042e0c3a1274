import numpy as np
import pytest
from matplotlib.figure import Figure

from vae.plots.names import labels


def test_short_names_stay_as_they_are() -> None:
    assert labels(np.array(["0", "T-shirt/top", "é ü", "собака"]), 11) == ["0", "T-shirt/top", "é ü", "собака"]


def test_a_long_name_is_broken_between_words_or_loses_its_middle() -> None:
    names = np.array(["Ankle boot", "a_very_long_name_of_a_class"])
    assert labels(names, 8, lines=2) == ["Ankle\nboot", "a_very_l\non…class"]
    assert labels(names, 12) == ["Ankle boot", "a_very_l…ass"]


def test_a_name_is_broken_after_hyphens_underscores_and_slashes() -> None:
    names = np.array(["person-fantasy", "hand-fingers-open", "sea_lion", "T-shirt/top", "a  b"])
    assert labels(names, 10, lines=3) == [
        "person-\nfantasy",
        "hand-\nfingers-\nopen",
        "sea_lion",
        "T-shirt/\ntop",
        "a  b",
    ]


def test_what_the_font_lacks_is_drawn_as_the_number_of_the_class() -> None:
    assert labels(np.array(["猫", "cat", "a\tb", "हिन्दी", ""]), 20) == [
        "class 0",
        "cat",
        "class 2",
        "class 3",
        "class 4",
    ]


def test_names_that_are_equal_when_shortened_are_drawn_as_numbers() -> None:
    names = np.array(["photo_of_a_cat_in_a_box", "photo_of_a_dog_in_a_box", "bird"])
    assert labels(names, 10) == ["class 0", "class 1", "bird"]


@pytest.mark.parametrize("name", ["$x$", "$\\frac$", "a$b", "\\alpha", "{x}_1^2"])
def test_no_name_is_set_as_a_formula(name: str) -> None:
    figure = Figure()
    text = figure.text(0, 0, labels(np.array([name]), 40)[0])
    figure.draw_without_rendering()
    assert text.get_text().replace("\\$", "$") == name


def test_names_in_any_alphabet_are_drawn_without_a_warning() -> None:
    names = np.array(
        ["猫科动物", "собака", "γάτα", "قطة", "חתול", "😀", "🦊", "ไทย", "한국어", "e\u0301", "\u200b", "\ue000"]
    )
    figure = Figure()
    for weight in ("normal", "bold"):
        for name in labels(names, 20):
            figure.text(0, 0, name, weight=weight)
    figure.draw_without_rendering()
