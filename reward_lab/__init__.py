"""The reward lab: tools that show what rewards do to agents, `python -m rewards COMMAND`."""
