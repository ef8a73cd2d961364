"""Replays: a part of the past judged once more, looked at beside what stands, and made to stand."""
