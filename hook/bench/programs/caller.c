/* Calls read on an accepted socket (with `other`: on another descriptor) and prints the nanoseconds per call of each batch.
 * Usage: caller tracked|other BATCHES CALLS FILE, where FILE contains the payload. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char payload[1 << 16];

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int count, char **arguments) {
    if (count != 5) return 2;
    long batches = atol(arguments[2]), calls = atol(arguments[3]);
    FILE *file = fopen(arguments[4], "r");
    if (!file) return 2;
    size_t length = fread(payload, 1, sizeof payload, file);
    int fd = accept(3, NULL, NULL);
    if (strcmp(arguments[1], "tracked")) fd++;
    for (long batch = -1; batch < batches; batch++) {
        double start = now_ns();
        for (long call = 0; call < calls; call++)
            if (read(fd, payload, length) != (ssize_t)length) return 3;
        if (batch >= 0) printf("%.2f\n", (now_ns() - start) / calls);
    }
    return 0;
}
