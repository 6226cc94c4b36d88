/* A statically linked server, into which no object can be preloaded. It serves one connection at a time and answers every read
 * with the same bytes.  server PORT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

int main(int count, char **words)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (count != 2)
        return 2;
    address.sin_port = htons((unsigned short)atoi(words[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) {
        perror("listen");
        return 1;
    }
    for (;;) {
        char buffer[4096];
        int client = accept(listener, NULL, NULL);
        while (client >= 0 && read(client, buffer, sizeof buffer) > 0)
            if (write(client, answer, sizeof answer - 1) < 0)
                break;
        close(client);
    }
}
