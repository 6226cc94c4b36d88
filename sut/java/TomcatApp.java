import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.logging.StreamHandler;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.coyote.AbstractProtocol;
import org.apache.coyote.http11.AbstractHttp11Protocol;

/**
 * A system under test on embedded Tomcat, the web server in the 2023 study's Spring Boot application.
 *
 * <p>{@code java TomcatApp [ADDRESS:]PORT} listens on the port, or on any free port if it is 0. The default address is
 * 127.0.0.1. The program prints {@code listening ADDRESS:PORT}. Like the study's application, it answers {@code /} with a short
 * text and logs a line. The log goes to /dev/null, so that no other process has to read it. SIGTERM ends the program.
 */
public final class TomcatApp {
    private static final byte[] BODY = "Hello World!".getBytes(StandardCharsets.UTF_8);
    private static final Logger LOGGER = Logger.getLogger("system-under-test");

    private TomcatApp() {}

    private static final class Hello extends HttpServlet {
        private static final long serialVersionUID = 1L;

        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
            LOGGER.log(Level.INFO, "Hello World was called.");
            response.setContentType("text/plain;charset=UTF-8");
            response.setContentLength(BODY.length);
            response.getOutputStream().write(BODY);
        }
    }

    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1) {
            System.err.println("usage: java TomcatApp [ADDRESS:]PORT");
            System.exit(2);
        }
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
        logTo(new File("/dev/null"));
        // Tomcat reports its failures as exceptions; its other messages are of no use here.
        Logger.getLogger("org.apache").setLevel(Level.WARNING);
        Tomcat tomcat = new Tomcat();
        File base = Files.createTempDirectory("tomcat").toFile();
        tomcat.setBaseDir(base.getPath());
        Connector connector = new Connector("org.apache.coyote.http11.Http11NioProtocol");
        connector.setPort(socket.getPort());
        connector.setThrowOnFailure(true);
        AbstractProtocol<?> protocol = (AbstractProtocol<?>) connector.getProtocolHandler();
        protocol.setAddress(socket.getAddress());
        // By default, Tomcat closes a connection after 100 requests. The first answer of a new connection has no kernel stamps.
        ((AbstractHttp11Protocol<?>) protocol).setMaxKeepAliveRequests(-1);
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", base.getPath());
        Tomcat.addServlet(context, "hello", new Hello()).addMapping("/");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(base)));
        try {
            tomcat.start();
        } catch (LifecycleException error) {
            System.err.println("cannot listen on " + arguments[0] + ": " + root(error).getMessage() + "; give a free port, or 0");
            System.exit(1);
        }
        System.out.println("listening " + socket.getAddress().getHostAddress() + ":" + connector.getLocalPort());
        System.out.flush();
        tomcat.getServer().await();
    }

    private static void logTo(File file) throws IOException {
        LOGGER.setUseParentHandlers(false);
        LOGGER.addHandler(new StreamHandler(new FileOutputStream(file), new SimpleFormatter()) {
            @Override
            public synchronized void publish(java.util.logging.LogRecord record) {
                super.publish(record);
                flush();
            }
        });
    }

    private static Throwable root(Throwable error) {
        return error.getCause() == null ? error : root(error.getCause());
    }

    private static void remove(File file) {
        File[] within = file.listFiles();
        if (within != null) {
            for (File inner : within) {
                remove(inner);
            }
        }
        file.delete();
    }
}
