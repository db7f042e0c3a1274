"""The figures: charts, grids of images and t-SNE maps, drawn in one style."""
