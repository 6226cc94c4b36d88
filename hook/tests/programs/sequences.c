/* Executes call sequences from standard input and prints result, errno and buffer of each call. The output with and without
 * the hook must be the same.
 *
 * A sequence is a number of calls (one byte) and five bytes for each call. Only Unix sockets are used, because their data
 * has arrived when the send call returns. The program prints one line for each sequence: a hash over all calls, or with the
 * argument `show` the calls themselves. The last line is the sum of the payload receives. The kernel identifies accepted
 * sockets: their own address is that of the listener.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __recv_chk(int, void *, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);

#ifdef SYS_dup2
#define DUP2_BY_NUMBER(from, to) syscall(SYS_dup2, (long)(from), (long)(to))
#else /* AArch64 has dup3 only. */
#define DUP2_BY_NUMBER(from, to) syscall(SYS_dup3, (long)(from), (long)(to), 0L)
#endif

#define ROOM 512
#define SENTINEL 4242
#define BASE 3 /* the listeners, by stream and by packets, then whatever comes */
#define SLOTS 14

static int last_client, last_accepted, last_kind; /* so that most calls meet a connection */

static char *buffer; /* ROOM bytes that end at an inaccessible page */
static int show;
static uint64_t hash;
static long payloads, payload_bytes;

static void note(const char *what, int fd, long result) {
    int left = errno;
    for (int i = 0; i < ROOM; i++) hash = (hash ^ (unsigned char)buffer[i]) * 0x100000001b3;
    hash = (hash ^ (uint64_t)result) * 0x100000001b3;
    hash = (hash ^ (uint64_t)left) * 0x100000001b3;
    if (show) printf("%s(%d) = %ld errno %d %016llx\n", what, fd, result, left, (unsigned long long)hash);
}

#define DO(what, fd, call) (memset(buffer, '#', ROOM), errno = SENTINEL, note(what, fd, (long)(call)))

static struct sockaddr_un address(int packets, socklen_t *len) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    *len = offsetof(struct sockaddr_un, sun_path) + 1 + sprintf(a.sun_path + 1, "sequences-%d-%d", getpid(), packets);
    return a;
}

static void listen_again(int packets) {
    socklen_t len;
    struct sockaddr_un a = address(packets, &len);
    int fd = socket(AF_UNIX, (packets ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_NONBLOCK, 0);
    if (fd != BASE + packets || bind(fd, (struct sockaddr *)&a, len) || listen(fd, 16)) { perror("listener"); exit(2); }
}

static int is_accepted(int fd) {
    struct sockaddr_un a;
    socklen_t len = sizeof a;
    int before = errno, found = getsockname(fd, (struct sockaddr *)&a, &len) == 0;
    errno = before;
    return found && a.sun_family == AF_UNIX && len > sizeof(sa_family_t) && !strncmp(a.sun_path + 1, "sequences-", 10);
}

static int descriptor(uint8_t a, int likely) {
    if (a < 140) return likely;
    if (a < 240) return BASE + a % SLOTS;
    static const int odd[] = {-1, 999, 1 << 20, 0x7fffffff};
    return odd[a % 4];
}

/* Parts of words, so that words are split, and whole words. */
static const char *const texts[] = {"GET / HTTP/1.1\r\n\r\n", "GET /.git/config", "/.e", "nv", ".gi", "t", "x", "wget http://",
                                    "; cat /etc/passwd", "<script>", "a longer text without anything in it, for the filters "
                                    "to pass over: 0123456789 0123456789 0123456789 0123456789"};

static void send_some(int fd, uint8_t b, uint8_t c) {
    char text[1400];
    const char *one = texts[b % (sizeof texts / sizeof *texts)];
    size_t len = strlen(one);
    memcpy(text, one, len);
    if (c > 200) { /* long, and the text at its end */
        memset(text, c, 1200);
        memcpy(text + 1200, one, len);
        len += 1200;
    }
    DO("send", fd, send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static long receive(int fd, uint8_t how, int flags, size_t room, uint8_t d, long *extra) {
    static const size_t cuts[] = {0, 1, 3, 64};
    char *start = buffer + ROOM - room; /* the page after it is inaccessible */
    size_t first = cuts[d % 4] < room ? cuts[d % 4] : room;
    struct iovec parts[3] = {{start, first}, {NULL, 0}, {start + first, room - first}};
    struct sockaddr_un from;
    socklen_t len = sizeof from;
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3, .msg_name = d & 4 ? &from : NULL, .msg_namelen = sizeof from};
    struct mmsghdr messages[2] = {{.msg_hdr = message}, {.msg_hdr = message}};
    if (d > 250) start = NULL;
    *extra = 0;
    switch (how % 13) {
    case 0: return read(fd, start, room);
    case 1: return recv(fd, start, room, flags);
    case 2: return recvfrom(fd, start, room, flags, d & 4 ? (struct sockaddr *)&from : NULL, d & 4 ? &len : NULL);
    case 3: return readv(fd, parts, d & 8 ? 3 : d % 5 - 1);
    case 4: return recvmsg(fd, d > 250 ? NULL : &message, flags);
    case 5: {
        /* Both messages have the same buffers, so the second would overwrite the first. Therefore only one is requested. */
        long count = recvmmsg(fd, messages, d & 8 ? 1 : 0, flags, NULL);
        *extra = count > 0 ? messages[0].msg_len : 0;
        return count;
    }
    case 6: return __read_chk(fd, start, room, ROOM);
    case 7: return __recv_chk(fd, start, room, ROOM, flags);
    case 8: return __recvfrom_chk(fd, start, room, ROOM, flags, NULL, NULL);
    case 9: return syscall(SYS_read, (long)fd, start, room);
    case 10: return syscall(SYS_recvfrom, (long)fd, start, room, (long)flags, NULL, NULL);
    case 11: return syscall(SYS_readv, (long)fd, parts, 3L);
    default: return syscall(SYS_recvmsg, (long)fd, &message, (long)flags);
    }
}

static int takes_flags(uint8_t how) { return !(how % 13 == 0 || how % 13 == 3 || how % 13 == 6 || how % 13 == 9 || how % 13 == 11); }

static void receive_and_count(int fd, uint8_t b, uint8_t c, uint8_t d) {
    static const int choice[] = {0, 0, 0, 0, MSG_PEEK, MSG_TRUNC, MSG_PEEK | MSG_TRUNC, MSG_ERRQUEUE, MSG_CMSG_CLOEXEC};
    static const size_t rooms[] = {ROOM, ROOM, 64, 16, 5, 1, 0};
    int flags = choice[c % 9] | MSG_DONTWAIT, accepted = is_accepted(fd);
    long extra, result;
    memset(buffer, '#', ROOM);
    errno = SENTINEL;
    result = receive(fd, b, flags, rooms[d % 7], d, &extra);
    note("receive", fd, result);
    hash = (hash ^ (uint64_t)extra) * 0x100000001b3;
    int left = b % 13 == 5 ? extra > 0 : result > 0;
    if (left && accepted && !(takes_flags(b) && flags & (MSG_PEEK | MSG_ERRQUEUE))) {
        long bytes = b % 13 == 5 ? extra : result;
        payloads++;
        payload_bytes += bytes;
    }
}

static volatile int in_handler_fd;
static void on_signal(int number) {
    (void)number;
    char small[8];
    int before = errno;
    long got = read(in_handler_fd, small, sizeof small);
    if (got > 0 && is_accepted(in_handler_fd)) { payloads++; payload_bytes += got; }
    hash = (hash ^ (uint64_t)got) * 0x100000001b3;
    errno = before;
}

static void in_a_child(int fd, uint8_t b, uint8_t c, uint8_t d) {
    struct { uint64_t hash; long payloads, bytes; } *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        receive_and_count(fd, b, c, d);
        close(fd);
        fflush(stdout);
        shared->hash = hash, shared->payloads = payloads, shared->bytes = payload_bytes;
        _exit(7);
    }
    int status = 0;
    waitpid(child, &status, 0);
    hash = shared->hash ^ (uint64_t)status;
    payloads = shared->payloads, payload_bytes = shared->bytes;
    munmap(shared, 4096);
}

/* Returns a descriptor that is neither standard input nor standard output. */
static int target(uint8_t b) { return b > 250 ? -1 : BASE + b % SLOTS; }

static void play(const uint8_t *op) {
    uint8_t a = op[1], b = op[2], c = op[3], d = op[4];
    int kind = op[0] % 24, fd = descriptor(a, kind >= 5 && kind <= 8 ? last_client : last_accepted);
    switch (kind) {
    case 0: case 1: {
        socklen_t len;
        struct sockaddr_un to = address(b % 2, &len);
        int client = socket(AF_UNIX, (b % 2 ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_NONBLOCK, 0);
        DO("connect", client, connect(client, (struct sockaddr *)&to, len));
        last_client = client;
        last_kind = b % 2;
        break;
    }
    case 2: case 3: case 4: {
        struct sockaddr_un from;
        socklen_t len = sizeof from;
        int listener = a < 230 ? BASE + last_kind : fd, accepted;
        memset(buffer, '#', ROOM);
        errno = SENTINEL;
        if (b % 3 == 0) accepted = accept(listener, c & 1 ? (struct sockaddr *)&from : NULL, c & 1 ? &len : NULL);
        else if (b % 3 == 1) accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | (c & 2 ? SOCK_CLOEXEC : 0));
        else accepted = syscall(SYS_accept4, (long)listener, NULL, NULL, (long)SOCK_NONBLOCK);
        note("accept", listener, accepted);
        if (accepted >= 0) DO("fcntl", last_accepted = accepted, fcntl(accepted, F_SETFL, O_NONBLOCK));
        break;
    }
    case 5: case 6: case 7: case 8: send_some(fd, b, c); break;
    case 9: case 10: case 11: case 12: case 13: case 14: receive_and_count(fd, b, c, d); break;
    case 15:
        if (b % 2) DO("close", fd, close(fd));
        else DO("close by number", fd, syscall(SYS_close, (long)fd));
        break;
    case 16: {
        unsigned first = BASE + b % SLOTS, last = first + c % 4;
        if (d % 4 == 3) DO("close_range by number", first, syscall(SYS_close_range, (long)first, (long)last, 0L));
        else DO("close_range", first, close_range(first, last, d % 4 == 2 ? CLOSE_RANGE_CLOEXEC : d % 4 ? 64 : 0));
        break;
    }
    case 17: DO("dup", fd, dup(fd)); break;
    case 18:
        if (d % 2) DO("dup2", fd, dup2(fd, target(b)));
        else DO("dup2 by number", fd, DUP2_BY_NUMBER(fd, target(b)));
        break;
    case 19: DO("dup3", fd, dup3(fd, target(b), c & 1 ? O_CLOEXEC : c & 2 ? 12345 : 0)); break;
    case 20: {
        static const int commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL};
        int command = commands[b % 4], argument = d % 8 == 7 ? -1 : BASE + c % SLOTS;
        if (d & 8) DO("fcntl by number", fd, syscall(SYS_fcntl, (long)fd, (long)command, (long)argument));
        else DO("fcntl", fd, fcntl(fd, command, argument));
        break;
    }
    case 21: DO("shutdown", fd, shutdown(fd, b % 3)); break;
    case 22:
        if (b % 2) {
            int ends[2] = {-1, -1};
            DO("pipe", fd, pipe2(ends, O_NONBLOCK));
            if (ends[1] >= 0 && write(ends[1], "a pipe with .git", 16) != 16) exit(2);
        } else {
            DO("open", fd, open("/dev/zero", O_RDONLY));
        }
        break;
    default:
        if (b % 16 == 0) {
            in_a_child(fd, c, d, op[4] / 7);
        } else {
            in_handler_fd = fd;
            DO("raise", fd, raise(SIGUSR1));
        }
    }
}

int main(int argc, char **argv) {
    show = argc == 2 && !strcmp(argv[1], "show");
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mprotect(pages + 4096, 4096, PROT_NONE)) return 2;
    buffer = pages + 4096 - ROOM;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    int calls;
    while ((calls = getchar()) != EOF) {
        uint8_t ops[256][5];
        if (fread(ops, 5, calls, stdin) != (size_t)calls) return 2;
        hash = 0xcbf29ce484222325;
        listen_again(0);
        listen_again(1);
        last_client = last_accepted = -1;
        last_kind = 0;
        if (calls > 1 && ops[0][4] < 220) { /* most begin with a connection */
            play((uint8_t[]){0, 0, ops[0][3], 0, 0});
            play((uint8_t[]){2, 0, ops[0][2], 0, 0});
        }
        for (int i = 0; i < calls; i++) play(ops[i]);
        /* Closes descriptors one by one, so that the hash shows a descriptor that was left open. */
        for (int fd = BASE; fd < 300; fd++) hash = (hash ^ (uint64_t)close(fd)) * 0x100000001b3;
        printf("%016llx\n", (unsigned long long)hash);
    }
    printf("payloads %ld bytes %ld\n", payloads, payload_bytes);
    return 0;
}
