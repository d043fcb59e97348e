"""The bicycle: `game` says what it is, `model` and `dynamics` how it rides, `tasks` what for."""
