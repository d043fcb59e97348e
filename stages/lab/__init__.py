"""The lab runs the experiments: trials, tables, claims, plots and texts."""
