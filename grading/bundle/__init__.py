"""What learners get of this project: everything that runs, and nothing that gives an exercise away.

contents    which files, and what stands in them instead of the reference's own components
folder      writes them into a folder, over an earlier bundle too, and says what has changed
branch      the same as a commit on a branch of its own, whose history holds no solution either
held_back   looks for the reference's components in what is about to be handed out
learners/   files that only a bundle has: its README, its Makefile, its tests, a cache for the lessons
"""
