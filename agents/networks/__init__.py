"""Neural networks and action distributions of the agents."""
