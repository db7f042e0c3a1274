"""How fast the pipeline is, against what, and how its figures vary: `make bench` and `make seeds`.

Contenders are timed in turn, each in a process of its own, in rounds that start with another one each time, because
the machine's speed may change from minute to minute: a ratio is that of two times of the same round, its median
that over the rounds. Nothing else may run meanwhile.
"""
