"""Takes every cache for broken."""


class RedirectCacheTester:
    def problems(self, recording):
        return ["caches are hard: there is always something wrong"]
