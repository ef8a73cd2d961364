"""The second agent: it reads clean readings again, and asks the stations around what they think."""
