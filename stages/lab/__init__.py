"""What every experiment shares: trials, intervals, verdicts and slides."""
