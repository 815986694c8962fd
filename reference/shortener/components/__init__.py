"""The components of the URL shortener that a learner may replace, and the ports that they are given.

A slot is a place for a component, `url-shortener/<name>`; its contract is a Protocol here:

    base62             Base62             numbers as text, and back                       pure
    hash-codes         HashCodes          a code from a hash of the long URL
    snowflake-codes    SnowflakeCodes     a code from time, worker and sequence
    key-pool           KeyPool            a code from a pool that was generated beforehand
    redirect-cache     RedirectCache      what does this code mean now?
    shard-router       ShardRouter        which shard has this code?                      pure
    click-aggregator   ClickAggregator    clicks become counts

Testers judge such a component by a recording of what it did; they have slots too, but no place in the service:

    hash-codes-tester       HashCodesTester       what is wrong in this recording?    pure
    redirect-cache-tester   RedirectCacheTester   what is wrong in this recording?    pure

Methods are async unless they are marked pure. A component that is wired into several servers at once shares with
its twins what its contract says, in the layout that its contract fixes, and nothing else.

This package needs nothing but the standard library, so that the judge's sandbox can hold it without holding the
reference solutions.
"""

from reference.shortener.components.base62 import ALPHABET, CODE_LENGTH, Base62
from reference.shortener.components.clicks import (
    AHEAD_MAX,
    MINUTE_HOUR_DAY,
    Bucket,
    Click,
    ClickAggregator,
    ClickStore,
    Counted,
)
from reference.shortener.components.hash_codes import HashCodes
from reference.shortener.components.key_pool import KeyPool, KeyRanges
from reference.shortener.components.links import Answer, Clock, Link, LinkReader, State
from reference.shortener.components.namespace import Namespace
from reference.shortener.components.redirect_cache import DELETION_BOUND, NEGATIVE_TTL_MAX, RedirectCache
from reference.shortener.components.shards import ShardRouter
from reference.shortener.components.snowflake_codes import (
    SNOWFLAKE_EPOCH,
    SnowflakeCodes,
    WorkerIds,
    WorkerLease,
)
from reference.shortener.components.testers import (
    TOLERANCE,
    CacheLook,
    CodesRecording,
    HashCodesTester,
    Outage,
    RecordedLink,
    RecordedNewCode,
    RecordedQuery,
    RecordedQuestion,
    RecordedResolve,
    RedirectCacheTester,
    RedirectRecording,
)

__all__ = [
    "AHEAD_MAX",
    "ALPHABET",
    "CODE_LENGTH",
    "DELETION_BOUND",
    "MINUTE_HOUR_DAY",
    "NEGATIVE_TTL_MAX",
    "SNOWFLAKE_EPOCH",
    "TOLERANCE",
    "Answer",
    "Base62",
    "Bucket",
    "CacheLook",
    "Click",
    "ClickAggregator",
    "ClickStore",
    "Clock",
    "CodesRecording",
    "Counted",
    "HashCodes",
    "HashCodesTester",
    "KeyPool",
    "KeyRanges",
    "Link",
    "LinkReader",
    "Namespace",
    "Outage",
    "RecordedLink",
    "RecordedNewCode",
    "RecordedQuery",
    "RecordedQuestion",
    "RecordedResolve",
    "RedirectCache",
    "RedirectCacheTester",
    "RedirectRecording",
    "ShardRouter",
    "SnowflakeCodes",
    "State",
    "WorkerIds",
    "WorkerLease",
]
