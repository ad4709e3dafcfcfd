"""Outside programs and stores, one file each; each passes the contract suite of its port."""
