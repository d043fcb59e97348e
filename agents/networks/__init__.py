"""Neural networks and action distributions that the agents are built from."""
