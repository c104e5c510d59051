"""A user's photo becomes an RGB array, and that array the network's input."""
