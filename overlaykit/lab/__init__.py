"""Practice hosts on this machine; the rest of the library knows them only by their inventory."""
