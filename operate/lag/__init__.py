"""How far each hop lags, and whether that is well: judged by what its consumer does about it."""
