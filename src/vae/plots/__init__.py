"""The figures: charts, grids of images and t-SNE maps, in one style. Importing this package sets Matplotlib up."""

from vae.plots import runtime  # noqa: F401, before any other module imports Matplotlib
