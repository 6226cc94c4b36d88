/* Replaces libc for the hook: its functions return immediately, so that only the cost of the hook is left.
 * A receive call reports a full buffer; the caller has written the payload to it before. */
#include <sys/socket.h>
#include <unistd.h>

int accept(int fd, struct sockaddr *address, socklen_t *length) { (void)fd; (void)address; (void)length; return 7; }
ssize_t read(int fd, void *buffer, size_t count) { (void)fd; (void)buffer; return (ssize_t)count; }
