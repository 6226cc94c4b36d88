import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/**
 * A system under test on the JDK's own HTTP server.
 *
 * <p>{@code java HttpServerApp.java [ADDRESS:]PORT} listens on the port, or on any free port if it is 0. The default address
 * is 127.0.0.1. The program prints {@code listening ADDRESS:PORT} and answers every request with status 200 and a short text.
 * SIGTERM ends it.
 */
public final class HttpServerApp {
    private static final byte[] BODY = "Hello, world!\n\n\n".getBytes(StandardCharsets.US_ASCII);

    private HttpServerApp() {}

    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1) {
            System.err.println("usage: java HttpServerApp.java [ADDRESS:]PORT");
            System.exit(2);
        }
        // Without this property, the body waits up to 40 ms for the delayed acknowledgement of the head.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        int colon = arguments[0].lastIndexOf(':');
        String address = colon < 0 ? "127.0.0.1" : arguments[0].substring(0, colon);
        InetSocketAddress socket;
        try {
            int port = Integer.parseInt(arguments[0].substring(colon + 1));
            socket = new InetSocketAddress(InetAddress.getByName(address), port);
        } catch (IllegalArgumentException error) {
            System.err.println("cannot listen on " + arguments[0] + ": the port is a number from 0 to 65535");
            System.exit(2);
            return;
        }
        HttpServer server;
        try {
            server = HttpServer.create(socket, 0);
        } catch (IOException error) {
            System.err.println("cannot listen on " + arguments[0] + ": " + error.getMessage() + "; give a free port, or 0");
            System.exit(1);
            return;
        }
        server.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().set("Content-Type", "text/plain");
            exchange.sendResponseHeaders(200, BODY.length);
            try (OutputStream body = exchange.getResponseBody()) {
                body.write(BODY);
            }
        });
        server.start();
        InetSocketAddress bound = server.getAddress();
        System.out.println("listening " + bound.getAddress().getHostAddress() + ":" + bound.getPort());
        System.out.flush();
    }
}
