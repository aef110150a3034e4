"""Tree ensembles run by treelite instead of the framework, when the answers are the same.

A scikit-learn forest takes 3 ms for one row, treelite's GTIL a hundredth of that. `translation` says how a model is run
there, `probes` makes the rows and `check` compares the answers that decide whether it may be, `compiled` is the model
that then serves. Nothing here is trusted: what differs in one answer is not used, and the framework serves.
"""
