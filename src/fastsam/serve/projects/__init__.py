"""Photos that are labelled: a folder's photos and their annotations, and files of them in other programs' formats."""
