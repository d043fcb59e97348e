"""The doctor: says from a run folder why an agent may not have learned."""
