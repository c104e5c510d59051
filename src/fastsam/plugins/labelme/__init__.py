"""FastSAM in labelme's list of models.

labelme is a program of its own under the GPL: nothing here imports it. `launch.py` starts labelme's own command, with
the folder `preload/` on Python's path; the file there makes labelme's process load `listed.py`, which tells osam about
FastSAM and puts its name into the list.
"""
