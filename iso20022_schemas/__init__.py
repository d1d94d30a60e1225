"""The message schemas that this project writes, and the catalogue that finds them."""
