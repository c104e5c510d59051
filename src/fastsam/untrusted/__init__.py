"""Reading files of which nothing is believed: budgets, zips, pickles, ONNX files, npz files."""
