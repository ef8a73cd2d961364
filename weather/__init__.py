"""The science, pure: units, time, places, cleaning, judging. Arrays in, arrays out, no I/O.

Docstrings name the source of a figure by a key:

- [K] KMA, meteorological observation standardisation guide, 2026 edition
- [Z] Zahumenský 2004, WMO CBS ET-AWS-3 Doc. 4(1), the basis of quality control in WMO-No. 8 and 488
- [305] WMO-No. 305, VI.21, consistency in time
- [M] NOAA MADIS, notes on the quality control of surface data
- [Q] QARTOD as ioos_qc 3.0 computes it
"""
