"""The data sets: the catalogue, downloads, file formats, and the splits that the stages share."""
