"""Who learns from answers; the list of all agents is in `agents`."""
