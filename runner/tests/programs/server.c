/* A server for the tests that answers every read with the same bytes, and is awkward as its second argument says. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

static void *serve(void *argument)
{
    int client = (int)(long)argument;
    char buffer[4096];
    while (read(client, buffer, sizeof buffer) > 0)
        if (write(client, answer, sizeof answer - 1) < 0)
            break;
    close(client);
    return NULL;
}

static int listening(int port, const char *how)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr *address = (struct sockaddr *)&four;
    socklen_t size = sizeof four;
    if (!strcmp(how, "ipv6"))
        address = (struct sockaddr *)&six, size = sizeof six;
    if (!strcmp(how, "unix")) {
        snprintf(local.sun_path, sizeof local.sun_path, "/tmp/awkward-%d", (int)getpid());
        unlink(local.sun_path);
        address = (struct sockaddr *)&local, size = sizeof local;
    }
    int listener = socket(address->sa_family, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, address, size) || listen(listener, 16)) {
        perror("listen");
        exit(1);
    }
    return listener;
}

int main(int count, char **words)
{
    const char *how = count > 2 ? words[2] : "";
    int port = count > 1 ? atoi(words[1]) : 18000;
    if (!strcmp(how, "ends")) {
        fprintf(stderr, "no licence found\n");
        return 5;
    }
    if (!strcmp(how, "stubborn"))
        signal(SIGTERM, SIG_IGN);
    if (!strcmp(how, "slow"))
        sleep(2);
    if (!strcmp(how, "nowhere"))
        for (;;)
            pause();
    if (!strcmp(how, "chatty"))
        for (int line = 0; line < 20000; line++)
            printf("line %d of much that nobody reads\n", line);
    fflush(stdout);
    int listener = listening(port, how);
    if (!strcmp(how, "daemon") && (fork() || setsid() < 0 || fork()))
        _exit(0);
    if (!strcmp(how, "forks"))
        for (int child = 0; child < 2 && fork(); child++)
            ;
    for (;;) {
        int client = accept(listener, NULL, NULL);
        pthread_t thread;
        if (client < 0)
            continue;
        if (!strcmp(how, "silent"))
            continue;
        pthread_create(&thread, NULL, serve, (void *)(long)client);
        pthread_detach(thread);
    }
}
