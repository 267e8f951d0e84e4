"""How long do questions of who is in which segment take, beside DuckDB, Polars and chDB; see `selections.py`, whose they are.

    benches/run bitmaps [the arguments of selections]
"""

import sys

import selections

if __name__ == "__main__":
    selections.main([*sys.argv[1:], "--questions", "Q16,Q17,Q18,V1,V2,V3"])
