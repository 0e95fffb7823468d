"""Files written whole or not at all. Standard library only; knows nothing of the other rooms."""
