/* The cheapest possible client: one request after the other on one connection, with the stamps of the load generator.
 *
 *   floor PORT REQUESTS STAMPS(0|1) SPIN(0|1)   prints median RTT (ns), mean RTT (ns), requests per second
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

static ssize_t receive(int fd, void *buffer, size_t room, int flags) {
    char control[512];
    struct iovec part = {buffer, room};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    return recvmsg(fd, &message, flags);
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    long count = atol(argv[2]), stamps = atol(argv[3]), wait = atol(argv[4]) ? MSG_DONTWAIT : 0;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    int flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
                SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) { perror("connect"); return 1; }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (stamps && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags)) { perror("stamps"); return 1; }
    long long *rtt = calloc(count, sizeof *rtt), sum = 0, start = now();
    char buffer[65536];
    for (long i = 0; i < count; i++) {
        long long sent = now();
        if (send(fd, request, sizeof request - 1, 0) != sizeof request - 1) return 1;
        while (receive(fd, buffer, sizeof buffer, wait) <= 0)
            if (errno != EAGAIN) { perror("recvmsg"); return 1; }
        sum += rtt[i] = now() - sent;
        if (stamps) while (receive(fd, buffer, 0, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) {}
    }
    long long total = now() - start;
    qsort(rtt, count, sizeof *rtt, ascending);
    printf("%lld %lld %f\n", rtt[count / 2], sum / count, count / (total / 1e9));
    return 0;
}
