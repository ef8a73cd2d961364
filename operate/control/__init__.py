"""Steering the stages from outside: orders, how they are, their offsets."""
