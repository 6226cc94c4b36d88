/* Calls read on an accepted socket (with `other`: on another descriptor) and prints nanoseconds.
 * Usage: caller tracked|other BATCHES CALLS FILE [KIB], where FILE contains the payload. Without KIB it prints the mean time per call
 * of each batch. With KIB, other work stands before each call: it touches KIB of memory and calls many functions. It then prints the
 * median time of one call of each batch, the two readings of the clock included, and the mean time of the work. */
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

/* Functions of 1 KiB each, 160 in all, so that calls of them use the instruction cache, its TLB and the branch predictor. */
#define FUNCTION(n) \
    __attribute__((noinline, aligned(1024))) static unsigned f##n(unsigned x) { \
        if (x & (n % 7 + 1)) x = x * 2654435761u + n; \
        if (x & (n % 5 + 8)) x ^= x >> 7; \
        return x + n; \
    }
#define TEN(n) FUNCTION(n##0) FUNCTION(n##1) FUNCTION(n##2) FUNCTION(n##3) FUNCTION(n##4) \
    FUNCTION(n##5) FUNCTION(n##6) FUNCTION(n##7) FUNCTION(n##8) FUNCTION(n##9)
#define NAMES(n) f##n##0, f##n##1, f##n##2, f##n##3, f##n##4, f##n##5, f##n##6, f##n##7, f##n##8, f##n##9
TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7) TEN(8) TEN(9) TEN(10) TEN(11) TEN(12) TEN(13) TEN(14) TEN(15) TEN(16)
static unsigned (*const functions[])(unsigned) = {
    NAMES(1), NAMES(2), NAMES(3), NAMES(4), NAMES(5), NAMES(6), NAMES(7), NAMES(8),
    NAMES(9), NAMES(10), NAMES(11), NAMES(12), NAMES(13), NAMES(14), NAMES(15), NAMES(16)};

/* Reads every cache line of the memory in a random order, writes to each fourth, and calls a function after each 32 lines. */
static unsigned other_work(unsigned char *memory, size_t lines, unsigned x) {
    size_t line = x % lines;
    for (size_t step = 0; step < lines; step++) {
        line = (line * 5 + 3) & (lines - 1);
        x += memory[line * 64];
        if (step % 4 == 0) memory[line * 64 + 8] = (unsigned char)x;
        if (step % 32 == 0) x = functions[(x >> 3) % (sizeof functions / sizeof *functions)](x);
    }
    return x;
}

static int ascending(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static int cold(int fd, size_t length, long batches, long calls, size_t kib) {
    size_t lines = 16;
    while (lines * 2 * 64 <= kib * 1024) lines *= 2;
    unsigned char *memory = calloc(lines, 64);
    double *times = malloc(calls * sizeof *times);
    unsigned x = 1;
    if (!memory || !times) return 2;
    for (long batch = -1; batch < batches; batch++) {
        double work = 0;
        for (long call = 0; call < calls; call++) {
            double begun = now_ns();
            x = other_work(memory, lines, x);
            double start = now_ns();
            if (read(fd, payload, length) != (ssize_t)length) return 3;
            times[call] = now_ns() - start;
            work += start - begun;
        }
        qsort(times, calls, sizeof *times, ascending);
        /* x takes part in the output, so that the compiler keeps the work. */
        if (batch >= 0) printf("%.2f %.0f\n", times[calls / 2], work / calls + (x == 0));
    }
    return 0;
}

int main(int count, char **arguments) {
    if (count != 5 && count != 6) return 2;
    long batches = atol(arguments[2]), calls = atol(arguments[3]);
    FILE *file = fopen(arguments[4], "r");
    if (!file) return 2;
    size_t length = fread(payload, 1, sizeof payload, file);
    int fd = accept(3, NULL, NULL);
    if (strcmp(arguments[1], "tracked")) fd++;
    if (count == 6) return cold(fd, length, batches, calls, atol(arguments[5]));
    for (long batch = -1; batch < batches; batch++) {
        double start = now_ns();
        for (long call = 0; call < calls; call++)
            if (read(fd, payload, length) != (ssize_t)length) return 3;
        if (batch >= 0) printf("%.2f\n", (now_ns() - start) / calls);
    }
    return 0;
}
