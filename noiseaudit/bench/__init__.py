"""The paper's comparisons, run again: its tables as data, the grids of runs behind them, and what they gave."""
