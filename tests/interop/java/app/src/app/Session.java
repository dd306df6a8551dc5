package app;

import java.io.BufferedReader;
import java.util.List;

/** What a scenario gets: the peer, how to talk to it, where to report, and what the test says meanwhile. */
final class Session {
    final Dubbo dubbo;
    final List<String> peers;
    final Options options;
    final BufferedReader input;
    final Checks checks = new Checks();

    Session(Dubbo dubbo, List<String> peers, Options options, BufferedReader input) {
        this.dubbo = dubbo;
        this.peers = peers;
        this.options = options;
        this.input = input;
    }

    <T> T refer(Class<T> type, String... oneway) {
        return dubbo.refer(type, peers, options, oneway);
    }

    Dubbo.Generic generic(Class<?> type) {
        return dubbo.generic(type.getName(), peers, options);
    }
}
