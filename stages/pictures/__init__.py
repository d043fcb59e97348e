"""Drawing primitives and pictures that data sets and viewers share."""
