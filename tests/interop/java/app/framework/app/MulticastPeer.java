package app;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.dubbo.common.URL;
import org.apache.dubbo.registry.multicast.MulticastRegistry;

/**
 * A member of a multicast group until its standard input ends: {@code MulticastPeer multicast://GROUP:PORT}.
 *
 * <p>Lines of its input are {@code register URL}, {@code unregister URL} and {@code subscribe URL}; each is answered
 * with {@code DONE}. Whatever a subscription is told is printed as {@code NOTIFIED URL URL…}.
 */
public final class MulticastPeer {
    private MulticastPeer() {}

    public static void main(String[] args) throws IOException {
        System.setProperty("dubbo.application.logger", "slf4j");
        MulticastRegistry registry = new MulticastRegistry(URL.valueOf(args[0] + "?file.cache=false"));
        say("READY 0");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = input.readLine()) != null) {
            String[] words = line.split(" ", 2);
            URL url = URL.valueOf(words[1]);
            switch (words[0]) {
                case "register":
                    registry.register(url);
                    break;
                case "unregister":
                    registry.unregister(url);
                    break;
                case "subscribe":
                    registry.subscribe(url, MulticastPeer::notified);
                    break;
                default:
                    throw new IllegalArgumentException(line);
            }
            say("DONE");
        }
        System.exit(0);
    }

    private static void notified(List<URL> urls) {
        say("NOTIFIED " + urls.stream().map(URL::toFullString).collect(Collectors.joining(" ")));
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
