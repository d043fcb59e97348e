"""Labelled, unlabelled and text data sets, as environments whose episodes last one step."""
