"""Ways to find wrong labels, compared on one data set: same features, same folds, one run.

`case` is what they are given, `tools` and `dynamics` are the ways, `run` measures them over seeds, `table` prints.
`stored` reads the file of a comparison again, for the report.
"""
