"""Drawing primitives and pictures that datasets and viewers share."""
