"""How the running service bears load, bombs and kills, and its parsers nonsense."""
