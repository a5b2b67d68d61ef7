raise RuntimeError("read although it is ignored")
