"""Sweeps: many trainings with other parameters, each a DVC experiment, several at once, under Ray Tune."""
