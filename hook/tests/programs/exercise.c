/* Calls every function that the hook replaces, in ways that succeed and fail. Prints result, errno and bytes of each call.
 * The output with and without the hook must be the same.
 *
 *   exercise all                  calls all functions; the last line is the sum of the payload receives
 *   exercise requests N FUNCTION  receives N requests on one accepted socket, every tenth with a word; getppid() marks them
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __recv_chk(int, void *, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);

static char *buffer; /* 4096 bytes that end at an inaccessible page */
static long payloads, payload_bytes;

#define SENTINEL 4242

static long report(const char *what, long result) {
    int left = errno;
    printf("%s = %ld errno %d", what, result, left);
    if (result > 0 && result <= 64) {
        printf(" [");
        for (long i = 0; i < 64; i++) printf("%02x", (unsigned char)buffer[i]);
        printf("]");
    }
    printf("\n");
    return result;
}

/* DO makes any call, GET makes a call that must be a payload receive. */
#define DO(call) (memset(buffer, '#', 4096), errno = SENTINEL, report(#call, (long)(call)))
#define GET(call) do { long got = DO(call); if (got > 0) { payloads++; payload_bytes += got; } } while (0)

static int listener(struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof *address;
    memset(address, 0, len);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)address, len) || listen(fd, 64) || getsockname(fd, (struct sockaddr *)address, &len)) {
        perror("listener");
        exit(2);
    }
    return fd;
}

static int client(const struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)address, sizeof *address)) { perror("connect"); exit(2); }
    return fd;
}

static void say(int fd, const char *text) {
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text)) { perror("write"); exit(2); }
}

static void receives(int c, int s) {
    char *end = buffer + 4096;
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    say(c, "GET /.git/config"); GET(read(s, buffer, 4096));
    say(c, "GET /.gi"); GET(read(s, buffer, 64));
    say(c, "t split"); GET(recv(s, buffer, 64, 0));
    say(c, "at the guard page .env"); GET(read(s, end - 22, 22));
    say(c, "peeked .env"); DO(recv(s, buffer, 64, MSG_PEEK)); GET(recv(s, buffer, 64, 0));
    say(c, "truncated .env"); GET(recv(s, buffer, 64, MSG_TRUNC));
    say(c, "begun .en"); GET(read(s, buffer, 64));
    say(c, "between"); GET(recv(s, buffer, 64, MSG_TRUNC));
    say(c, "v after a gap"); GET(read(s, buffer, 64));
    say(c, "from .env"); GET(recvfrom(s, buffer, 64, 0, (struct sockaddr *)&from, &len));
    say(c, "null from"); GET(recvfrom(s, buffer, 64, 0, NULL, NULL));
    say(c, "checked read .env"); GET(__read_chk(s, buffer, 64, 4096));
    say(c, "checked recv .env"); GET(__recv_chk(s, buffer, 64, 4096, 0));
    say(c, "checked from .env"); GET(__recvfrom_chk(s, buffer, 64, 4096, 0, NULL, NULL));
    struct iovec parts[3] = {{buffer, 3}, {NULL, 0}, {buffer + 3, 60}};
    say(c, "/.env over parts"); GET(readv(s, parts, 3));
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    say(c, "/.env in a message"); GET(recvmsg(s, &message, 0));
    struct mmsghdr messages[2] = {{.msg_hdr = message}, {.msg_hdr = message}};
    say(c, "/.env in messages");
    if (DO(recvmmsg(s, messages, 2, MSG_DONTWAIT, NULL)) == 1) { payloads++; payload_bytes += messages[0].msg_len; }
    printf("msg_len %u\n", messages[0].msg_len);
    say(c, "by number .env"); GET(syscall(SYS_read, s, buffer, 64L));
    say(c, "by number from"); GET(syscall(SYS_recvfrom, s, buffer, 64L, 0L, NULL, NULL));
    DO(recv(s, buffer, 64, MSG_DONTWAIT));
    DO(read(s, buffer, 0));
    DO(readv(s, parts, -1));
    DO(recvmsg(s, NULL, MSG_DONTWAIT));
    say(c, "lost"); DO(read(s, NULL, 4)); GET(read(s, buffer, 4));
    say(c, "urgent"); GET(read(s, buffer, 64));
    DO(recv(s, buffer, 64, MSG_ERRQUEUE));
}

static void descriptors(int l, const struct sockaddr_in *address) {
    int c = client(address), s = (int)DO(accept(l, NULL, NULL));
    int d = (int)DO(dup(s));
    say(c, "dup"); GET(read(d, buffer, 64));
    DO(close(s));
    int file = (int)DO(open("/proc/self/comm", O_RDONLY)); /* takes the number of s */
    DO(read(file, buffer, 64));
    DO(dup2(d, 40)); DO(dup3(d, 41, O_CLOEXEC)); DO(dup3(d, d, 0)); DO(dup2(d, d));
    say(c, "dup2"); GET(read(40, buffer, 64));
    say(c, "dup3"); GET(read(41, buffer, 64));
    DO(dup2(file, 41)); DO(read(41, buffer, 64)); DO(dup2(-1, 41)); DO(dup(-1));
    int e = (int)DO(fcntl(d, F_DUPFD, 50));
    say(c, "fcntl"); GET(read(e, buffer, 64));
    e = (int)DO(fcntl(d, F_DUPFD_CLOEXEC, 51));
    say(c, "cloexec"); GET(read(e, buffer, 64));
    DO(fcntl(d, F_GETFL)); DO(fcntl(d, F_GETFD)); DO(fcntl(-1, F_GETFD));
    DO(close_range(40, 60, 0)); DO(close_range(60, 40, 0)); DO(read(40, buffer, 64));
    DO(syscall(SYS_close, (long)d)); DO(syscall(SYS_close, (long)d)); DO(close(d)); DO(close(-1));
    DO(close(file)); DO(close(c));
    DO(syscall(SYS_getuid) == getuid());
    c = client(address);
    s = (int)DO(syscall(SYS_accept4, (long)l, NULL, NULL, 0L));
    say(c, "raw accept"); GET(read(s, buffer, 64));
    fflush(stdout);
    say(c, "forked");
    pid_t child = fork();
    if (child == 0) { long got = read(s, buffer, 64); _exit(got == 6 && close(s) == 0 ? 7 : 8); }
    int status = 0;
    DO(waitpid(child, &status, 0) == child);
    printf("child %d\n", WEXITSTATUS(status));
    payloads++; payload_bytes += 6;
    say(c, "after"); GET(read(s, buffer, 64));
    DO(close(c)); DO(read(s, buffer, 64)); DO(recv(s, buffer, 64, 0)); DO(close(s));
}

static void all(void) {
    struct sockaddr_in address;
    int l = listener(&address);
    DO(accept(-1, NULL, NULL)); DO(accept4(-1, NULL, NULL, 0)); DO(accept(0, NULL, NULL)); DO(accept4(l, NULL, NULL, 1));
    fcntl(l, F_SETFL, O_NONBLOCK);
    DO(accept(l, NULL, NULL)); DO(accept4(l, NULL, NULL, SOCK_CLOEXEC)); DO(syscall(SYS_accept, (long)l, NULL, NULL));
    fcntl(l, F_SETFL, 0);
    DO(read(-1, buffer, 1)); DO(recv(-1, buffer, 1, 0)); DO(recvfrom(-1, buffer, 1, 0, NULL, NULL));
    int c = client(&address), s = (int)DO(accept4(l, NULL, NULL, SOCK_CLOEXEC));
    receives(c, s);
    DO(close(c)); DO(read(s, buffer, 64)); DO(close(s)); DO(read(s, buffer, 64));
    descriptors(l, &address);
    int pipes[2];
    if (pipe(pipes)) exit(2);
    say(pipes[1], "a pipe .env"); DO(read(pipes[0], buffer, 64));
    int closed = 0;
    for (int fd = 3; fd < 2000; fd++) closed += close(fd) == 0;
    printf("closed %d\n", closed);
    printf("payloads %ld bytes %ld\n", payloads, payload_bytes);
}

static void requests(long count, const char *function) {
    struct sockaddr_in address;
    int l = listener(&address), c = client(&address);
    int s = accept(l, NULL, NULL);
    getppid();
    for (long i = 0; i < count; i++) {
        say(c, i % 10 == 3 ? "GET /.git HTTP/1.1\r\n\r\n" : "GET / HTTP/1.1\r\n\r\n");
        errno = SENTINEL;
        long got = !strcmp(function, "read") ? read(s, buffer, 4096) : recv(s, buffer, 4096, 0);
        if (got != (i % 10 == 3 ? 22 : 18) || errno != SENTINEL) { printf("request %ld: %ld errno %d\n", i, got, errno); exit(1); }
    }
    printf("done\n");
}

int main(int argc, char **argv) {
    setvbuf(stdout, malloc(1 << 16), _IOFBF, 1 << 16);
    printf("errno at start %d\n", errno);
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mprotect(pages + 4096, 4096, PROT_NONE)) return 2;
    buffer = pages;
    if (argc == 2 && !strcmp(argv[1], "all")) all();
    else if (argc == 4 && !strcmp(argv[1], "requests")) requests(atol(argv[2]), argv[3]);
    else return 2;
    return 0;
}
