package app;

import demo.Types;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Attachments of calls, and of answers. */
final class AttachmentsScenario {
    private AttachmentsScenario() {}

    static void run(Session session) {
        Types types = refer(session);
        Map<String, String> attachments = new LinkedHashMap<>();
        attachments.put("plain", "value");
        attachments.put("X-Mixed-Case", "Mixed Value");
        attachments.put("dotted.key_1", "1");
        attachments.put("empty", "");
        attachments.put("unicode", "\u8336 \uD83D\uDE00 \t\n");
        attachments.put("cl\u00E9", "accent");
        attachments.put("long", "v".repeat(40_000));
        attachments.forEach((key, value) -> session.checks.same("attachment " + Same.text(key), value, () -> {
            Dubbo.attach(key, value);
            return types.echoAttachments(key);
        }));
        session.checks.same("several at once", "two", () -> {
            Dubbo.attach("first", "one");
            Dubbo.attach("second", "two");
            return types.echoAttachments("second");
        });
        session.checks.same("an attachment is sent once", null, () -> types.echoAttachments("first"));
        session.checks.same("an absent attachment", null, () -> types.echoAttachments("absent"));
    }

    /** What a header field can carry, by which Dubbo's hessian:// sends attachments. */
    static void runFields(Session session) {
        Types types = refer(session);
        for (String key : new String[] {"plain", "X-Mixed-Case", "dotted.key_1"}) {
            session.checks.same("attachment " + key, "Mixed Value", () -> {
                Dubbo.attach(key, "Mixed Value");
                return types.echoAttachments(key);
            });
        }
        session.checks.same("an attachment is sent once", null, () -> types.echoAttachments("plain"));
    }

    /** echoAttachments sends an attachment that it found back beside the answer, too. */
    static void runReplies(Session session) {
        Types types = refer(session);
        session.checks.same("attachment of the answer", "Mixed Value", () -> {
            Dubbo.attach("X-Mixed-Case", "Mixed Value");
            types.echoAttachments("X-Mixed-Case");
            return Dubbo.replied("X-Mixed-Case");
        });
        session.checks.same("the next answer has its own", null, () -> {
            types.echoNothing();
            return Dubbo.replied("X-Mixed-Case");
        });
    }

    /**
     * The same peer twice: Dubbo 2.7 clears what was sent, and shows what came back, only in the interceptors of its
     * cluster, and it makes a cluster for two addresses or more (by default one that needs a registry).
     */
    private static Types refer(Session session) {
        List<String> peers = new ArrayList<>(session.peers);
        peers.addAll(session.peers);
        return session.dubbo.refer(Types.class, peers, session.options.with("cluster=failover"));
    }
}
