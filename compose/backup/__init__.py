"""Backup and restore of the store and the shards of a Compose project: what holds, and what does not.

Each database is dumped from one snapshot: what is in the file was true of that database at one instant, and its row
counts in the manifest are of that very instant. The snapshots of all databases are opened together, within hundredths
of a second, and are not one: of what was written to two databases in that time, a backup may have one half.

- A link and what the store says of it. The store's snapshot is the first, so a key that it calls settled has its link.
  An alias of that moment may be there without its spelling: another one that looks like it could be had.
- Links that are moved to another shard could be in neither file. So no backup is taken while they are.
- Clicks that are in the log and not counted are not in it. A restored store reads what the log still has from its
  beginning; what it has counted already it knows by the ids.
- The pool and the cache are not in it: a restore empties both. A project that started empty has filled its pool with
  the very codes that the first one began with. The pool is filled anew, from numbers beyond all that may have been
  allotted since the backup (`renewal`): the code of a link that is lost is not given to another one, and a code that is
  in use is refused by the insert in any case. An old copy of the pool must not be put back beside it.
- The secrets are not in it: `compose/secrets` is to be kept apart from it, and as well.
"""
