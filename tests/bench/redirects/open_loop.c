/* An open-loop client: requests leave when they are due, however slow the answers are, and latency counts from then.
 *
 * A closed-loop client such as wrk waits for an answer before it asks again: while a server hangs it asks nothing, and
 * so hardly notices. This one asks on. Arrivals are a Poisson process, as those of people who know nothing of each
 * other. In C, as it has to make 30,000 requests a second on a core that it shares with a Redis: a client in Python
 * that does so measures its own lateness.
 *
 * `open_loop PORT RATE SECONDS CONNECTIONS WORKLOAD_FOLDER TURN`; prints JSON. Every TICK it sends what has become due
 * and takes what has come, so each latency is up to a tick too long. A request takes the connection that has been idle
 * the longest; if none is, it goes behind another one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TICK_NANOSECONDS = 100000, WAITING = 4096, BUFFER = 65536, MOST = 1024 };

struct connection {
    int socket;
    long due[WAITING]; /* nanoseconds; a ring of those that were asked and not answered */
    unsigned asked, answered;
    char rest[BUFFER]; /* of an answer that has come in part */
    size_t kept;
};

static struct connection *connections;
static int idle[MOST], idle_first, idle_count; /* a ring, of whoever was idle first */
static double *latencies;
static long answers, redirects;

static void fail(const char *what) {
    fprintf(stderr, "open_loop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static char *read_file(const char *folder, const char *name, size_t *size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    fseek(file, 0, SEEK_END);
    *size = ftell(file);
    rewind(file);
    char *data = malloc(*size + 1);
    if (fread(data, 1, *size, file) != *size) fail(path);
    data[*size] = 0;
    fclose(file);
    return data;
}

/* Cuts a file of lines up; returns how many there are. */
static size_t lines(char *data, char ***found) {
    size_t count = 0, room = 1024;
    *found = malloc(room * sizeof **found);
    for (char *line = strtok(data, "\n"); line; line = strtok(NULL, "\n")) {
        if (count == room) *found = realloc(*found, (room *= 2) * sizeof **found);
        (*found)[count++] = line;
    }
    return count;
}

static int by_size(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

static void become_idle(int number) { idle[(idle_first + idle_count++) % MOST] = number; }

/* Takes every answer whose head has come. */
static void take(int number) {
    struct connection *c = &connections[number];
    for (;;) {
        ssize_t got = recv(c->socket, c->rest + c->kept, BUFFER - c->kept, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) fail("the server closed a connection");
        long t = now();
        c->kept += got;
        char *begin = c->rest, *end, *last = c->rest + c->kept;
        while ((end = memmem(begin, last - begin, "\r\n\r\n", 4))) {
            if (memmem(begin, end - begin, "HTTP/1.1 302 ", 13)) redirects++; /* behind the last one's body, if any */
            latencies[answers++] = (t - c->due[c->answered++ % WAITING]) / 1e6;
            if (c->asked == c->answered) become_idle(number);
            begin = end + 4;
        }
        c->kept = last - begin;
        memmove(c->rest, begin, c->kept);
    }
}

int main(int argc, char **argv) {
    if (argc != 7) fail("PORT RATE SECONDS CONNECTIONS WORKLOAD_FOLDER TURN");
    double rate = atof(argv[2]), seconds = atof(argv[3]);
    int count = atoi(argv[4]), turn = atoi(argv[6]), next_busy = 0;
    if (count < 1 || count > MOST) fail("CONNECTIONS");
    long total = rate * seconds, sent = 0;
    size_t size, keys_size;
    char **codes, **heads;
    size_t head_count, code_count = lines(read_file(argv[5], "codes.txt", &size), &codes);
    head_count = lines(read_file(argv[5], "heads.txt", &size), &heads);
    unsigned *keys = (unsigned *)read_file(argv[5], "keys.bin", &keys_size);
    size_t key_count = keys_size / sizeof *keys;
    /* A header block's lines are parted by | in the file. */
    for (size_t n = 0; n < head_count; n++) {
        char *wide = malloc(2 * strlen(heads[n]) + 1), *to = wide;
        for (char *from = heads[n]; *from; from++)
            if (*from == '|') *to++ = '\r', *to++ = '\n';
            else *to++ = *from;
        *to = 0;
        heads[n] = wide;
    }
    latencies = malloc((total + 1) * sizeof *latencies);
    connections = calloc(count, sizeof *connections);
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int poll = epoll_create1(0), yes = 1;
    for (int n = 0; n < count; n++) {
        int s = connections[n].socket = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(s, (struct sockaddr *)&server, sizeof server)) fail("connect");
        setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        fcntl(s, F_SETFL, O_NONBLOCK);
        struct epoll_event wanted = {.events = EPOLLIN, .data.u32 = n};
        epoll_ctl(poll, EPOLL_CTL_ADD, s, &wanted);
        become_idle(n);
    }
    prctl(PR_SET_TIMERSLACK, 1000UL);
    srand48(1 + turn);
    long began = now() + 50000000, tick = began, late = 0;
    double due = began;
    while (answers < total && now() < began + (long)((seconds + 5) * 1e9)) {
        struct timespec until = {tick / 1000000000L, tick % 1000000000L};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        long t = now();
        while (sent < total && due <= t) {
            int number;
            if (idle_count) {
                number = idle[idle_first], idle_first = (idle_first + 1) % MOST, idle_count--;
            } else {
                number = next_busy, next_busy = (next_busy + 1) % count;
            }
            struct connection *c = &connections[number];
            if (c->asked - c->answered == WAITING) fail("the server is too far behind");
            char request[4096];
            size_t n = turn + sent;
            int length = snprintf(
                request, sizeof request, "GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n\r\n",
                codes[keys[n % key_count] % code_count], heads[n % head_count]);
            c->due[c->asked++ % WAITING] = due;
            if (send(c->socket, request, length, 0) != length) fail("send");
            if (now() - (long)due > late) late = now() - (long)due;
            due += -log(1 - drand48()) / rate * 1e9;
            sent++;
        }
        struct epoll_event ready[MOST];
        int some = epoll_wait(poll, ready, MOST, 0);
        for (int n = 0; n < some; n++) take(ready[n].data.u32);
        tick += TICK_NANOSECONDS;
        if (tick < now()) tick = now();
    }
    double took = (now() - began) / 1e9;
    qsort(latencies, answers, sizeof *latencies, by_size);
    printf("{\"requests\": %ld, \"answers\": %ld, \"redirects\": %ld, \"rate\": %.0f, \"milliseconds\": {",
           total, answers, redirects, answers / took);
    const char *names[] = {"0.5", "0.95", "0.99", "0.999"};
    for (int n = 0; n < 4; n++) {
        long at = atof(names[n]) * answers;
        printf("%s\"%s\": %.3f", n ? ", " : "", names[n], answers ? latencies[at < answers ? at : answers - 1] : -1);
    }
    printf("}, \"largest_delay_of_the_client_ms\": %.3f}\n", late / 1e6);
    return 0;
}
