/* Hooks for the tests, one for each of what a hook can do to a server; -DDO_WHAT says which. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static ssize_t (*next_read)(int, void *, size_t);
static ssize_t (*next_recv)(int, void *, size_t, int);
static ssize_t (*next_send)(int, const void *, size_t, int);
static ssize_t (*next_write)(int, const void *, size_t);
static int (*next_accept)(int, struct sockaddr *, socklen_t *);
static int (*next_accept4)(int, struct sockaddr *, socklen_t *, int);
static char accepted[65536];
static long payloads;

__attribute__((constructor)) static void find(void)
{
    next_read = dlsym(RTLD_NEXT, "read");
    next_recv = dlsym(RTLD_NEXT, "recv");
    next_send = dlsym(RTLD_NEXT, "send");
    next_write = dlsym(RTLD_NEXT, "write");
    next_accept = dlsym(RTLD_NEXT, "accept");
    next_accept4 = dlsym(RTLD_NEXT, "accept4");
#ifdef DO_EXIT
    _exit(7);
#endif
}

static int mark(int fd)
{
    if (fd >= 0 && fd < (int)sizeof accepted)
        accepted[fd] = 1;
    return fd;
}

/* A payload was received on an accepted socket. */
static void payload(void)
{
    payloads++;
#ifdef DO_SPIN_NS
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000000000L + now.tv_nsec - begin.tv_nsec < DO_SPIN_NS);
#endif
#ifdef DO_CRASH_AT
    if (payloads == DO_CRASH_AT) {
        static const char words[] = "about to crash\n";
        next_write(2, words, sizeof words - 1);
        raise(SIGSEGV);
    }
#endif
#ifdef DO_HANG_AT
    if (payloads >= DO_HANG_AT)
        for (;;)
            pause();
#endif
}

static ssize_t received(int fd, ssize_t count)
{
    if (count > 0 && fd >= 0 && fd < (int)sizeof accepted && accepted[fd])
        payload();
    return count;
}

int accept(int fd, struct sockaddr *address, socklen_t *length) { return mark(next_accept(fd, address, length)); }
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    return mark(next_accept4(fd, address, length, flags));
}
ssize_t read(int fd, void *to, size_t size) { return received(fd, next_read(fd, to, size)); }
ssize_t recv(int fd, void *to, size_t size, int flags) { return received(fd, next_recv(fd, to, size, flags)); }

#ifdef DO_CHANGE
/* The last byte of what is sent is another. */
static ssize_t changed(int fd, const void *from, size_t size)
{
    char copy[65536];
    if (size < 2 || size > sizeof copy)
        return next_write(fd, from, size);
    memcpy(copy, from, size);
    copy[size - 2] ^= 1;
    return next_write(fd, copy, size);
}
ssize_t send(int fd, const void *from, size_t size, int flags)
{
    (void)flags;
    return changed(fd, from, size);
}
ssize_t write(int fd, const void *from, size_t size)
{
    return fd >= 0 && fd < (int)sizeof accepted && accepted[fd] ? changed(fd, from, size) : next_write(fd, from, size);
}
#endif
