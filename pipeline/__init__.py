"""From nine departments' exports to a county's discrepancy report: `pipeline/run.py` is the table of contents."""
