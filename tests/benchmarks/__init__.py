"""How fast the adapter is, as ratios to a baseline measured in the same run. Never a timed test.

``python -m tests.benchmarks`` runs all parts; see ``__main__`` for the options. One part is one module:
conversion (one core), processes (two), exchange (a sandbox server: push, pull, push again), memory. What is
compared alternates (A B A B ...), and the median of the pairs counts, so that a noisy machine harms both
alike.
"""
