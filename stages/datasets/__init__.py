"""Labelled, unlabelled and text datasets, as environments of one step."""
