package app;

import java.util.List;

/** What a scenario gets: the peer, how to talk to it, and where to report. */
final class Session {
    final Dubbo dubbo;
    final List<String> peers;
    final Options options;
    final Checks checks = new Checks();

    Session(Dubbo dubbo, List<String> peers, Options options) {
        this.dubbo = dubbo;
        this.peers = peers;
        this.options = options;
    }

    <T> T refer(Class<T> type, String... oneway) {
        return dubbo.refer(type, peers, options, oneway);
    }

    Dubbo.Generic generic(Class<?> type) {
        return dubbo.generic(type.getName(), peers, options);
    }
}
