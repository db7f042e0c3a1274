import sys
from pathlib import Path

import pytest

from benchmarks.turns import Contender, in_turn

# Answers each line with the number of steps times a constant, as if it had taken that long.
STEADY = "import sys\nfor line in sys.stdin: print(max(1, int(line)) * {}, flush=True)"
BROKEN = "import sys\nsys.exit('no compiler')"


def contender(name: str, program: str) -> Contender:
    return Contender(name, [sys.executable, "-c", program])


def test_the_table_contains_the_seconds_of_one_step() -> None:
    table = in_turn([contender("slow", STEADY.format(10.0)), contender("fast", STEADY.format(0.25))], rounds=3)
    assert table.to_dict("list") == {"slow": [10.0] * 3, "fast": [0.25] * 3}


def test_a_contender_that_cannot_run_is_reported_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    table = in_turn([contender("broken", BROKEN), contender("fast", STEADY.format(0.25))], rounds=2)
    assert list(table) == ["fast"]
    assert "left out: broken: no compiler" in capsys.readouterr().out


def test_each_round_starts_with_another_contender(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = f"import sys\nfor line in sys.stdin:\n open({str(log)!r}, 'a').write('{{0}}'); print(2.0, flush=True)"
    in_turn([contender(name, program.format(name)) for name in "abc"], rounds=3)
    assert log.read_text() == "aabbcc" + "abc" + "bca" + "cab"
