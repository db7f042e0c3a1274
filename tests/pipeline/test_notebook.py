"""The notebook runs on what the pipeline made, in a kernel of its own."""

from repository import Repository


def test_the_tour_runs(repository: Repository) -> None:
    arguments = ["-m", "pytest", "-c", "/dev/null", "--rootdir", ".", "-p", "no:cacheprovider"]
    output = repository.run(repository.python, *arguments, "--nbmake", "notebooks/tour.ipynb")
    assert "1 passed" in output
