/* Prints the end of a stream as a program sees it. With `ending closed` the client closes the stream after data without a
 * word. With `ending word` the client sends a word and more bytes. With mode `block` the second looks like the first. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>


enum { READ, RECV, RECVFROM, PEEK, READV, RECVMSG, RECVMMSG, NUMBER, FUNCTIONS };
static const char *names[] = {"read", "recv", "recvfrom", "peek", "readv", "recvmsg", "recvmmsg", "by number"};
static char buffer[64];
static struct iovec parts[2] = {{buffer, 3}, {buffer + 3, 61}};

static long receive(int function, int fd) {
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct mmsghdr messages[2] = {{.msg_hdr = message, .msg_len = 99}, {.msg_hdr = message}};
    long got;
    memset(buffer, '#', sizeof buffer);
    errno = 4242;
    switch (function) {
    case READ: return read(fd, buffer, 64);
    case RECV: return recv(fd, buffer, 64, 0);
    case RECVFROM: return recvfrom(fd, buffer, 64, 0, (struct sockaddr *)&from, &len);
    case PEEK: got = recv(fd, buffer, 64, MSG_PEEK); return got > 0 ? recv(fd, buffer, 64, 0) : got;
    case READV: return readv(fd, parts, 2);
    case RECVMSG: return recvmsg(fd, &message, 0);
    case RECVMMSG: got = recvmmsg(fd, messages, 2, MSG_WAITFORONE, NULL); return got == 1 ? (long)messages[0].msg_len : -got;
    default: return syscall(SYS_read, (long)fd, buffer, 64L);
    }
}

static void show(const char *when, int function, int fd) {
    long got = receive(function, fd);
    int left = errno;
    printf("%s %s: %ld errno %d%s\n", names[function], when, got, left, memmem(buffer, 64, "env", 3) ? " LEAKED" : "");
}

static int events(int fd) {
    struct pollfd one = {.fd = fd, .events = POLLIN | POLLRDHUP};
    return poll(&one, 1, 100) == 1 ? one.revents & (POLLIN | POLLRDHUP) : -1;
}

int main(int count, char **arguments) {
    int word = count == 2 && !strcmp(arguments[1], "word");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 8) || getsockname(listener, (struct sockaddr *)&address, &len)) return 2;
    for (int function = 0; function < FUNCTIONS; function++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(client, (struct sockaddr *)&address, sizeof address)) return 2;
        int server = accept(listener, NULL, NULL);
        int queue = epoll_create1(0);
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};
        epoll_ctl(queue, EPOLL_CTL_ADD, server, &event);
        if (send(client, "clean", 5, 0) != 5) return 2;
        show("of clean data", function, server);
        epoll_wait(queue, &event, 1, 0);
        if (word) send(client, "GET /.env", 9, 0); else shutdown(client, SHUT_WR);
        printf("an event: %d\n", epoll_wait(queue, &event, 1, 100));
        show("at the end", function, server);
        if (word) { send(client, "more", 4, 0); usleep(10000); }
        show("after it", function, server);
        printf("poll: %d\n", events(server));
        long got = recv(server, buffer, 64, MSG_DONTWAIT);
        printf("without waiting: %ld\n", got);
        printf("answer: %zd\n", send(server, "bye", 3, 0));
        printf("arrives: %zd\n", recv(client, buffer, 64, 0));
        close(server);
        close(client);
        close(queue);
    }
    return 0;
}
