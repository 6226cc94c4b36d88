/* Stands where libc stands for the hook: functions that return at once, so that only the hook's own cost is left.
 * A receive says that its buffer is full; the caller has put the payload there beforehand. */
#include <sys/socket.h>
#include <unistd.h>

int accept(int fd, struct sockaddr *address, socklen_t *length) { (void)fd; (void)address; (void)length; return 7; }
ssize_t read(int fd, void *buffer, size_t count) { (void)fd; (void)buffer; return (ssize_t)count; }
