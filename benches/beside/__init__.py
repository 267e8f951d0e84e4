"""What the questions have in common: the machine, the shop's columns, the peers, and the comparison of answers."""
