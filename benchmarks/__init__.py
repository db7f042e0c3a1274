"""How fast the pipeline is, compared with what, and how its results vary: `make bench`, `make seeds`, `make effects`.

The contenders of a comparison take turns, each in its own process, because the speed of a machine may change from
minute to minute. Each round starts with another contender. A ratio compares two times of the same round, and its median
is taken over the rounds. Nothing else may run meanwhile.
"""
