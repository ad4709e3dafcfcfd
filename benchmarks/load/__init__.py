"""How docqa bears load, bombs and kills, and how much it judges at once, measured."""
