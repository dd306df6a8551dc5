package app;

import demo.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;

/**
 * Values that Java has and the service's contract has not: each is refused by the gateway, not by the service and not by
 * silence, and the connection goes on.
 */
final class RefusalsScenario {
    private RefusalsScenario() {}

    static void run(Session session) {
        Checks checks = session.checks;
        Types types = session.refer(Types.class);
        refused(checks, "null for a text", () -> types.echoString(null));
        refused(checks, "null for a list", () -> types.echoStringList(null));
        refused(checks, "null inside a list", () -> types.echoIntList(new ArrayList<>(Arrays.asList(1, null))));
        refused(checks, "null for a bean", () -> types.echoStruct(null));
        refused(checks, "null for a field that must be there", () -> types.echoStruct(new demo.Maker()));
        refused(checks, "a time in nanoseconds", () -> types.echoTime(LocalTime.of(1, 2, 3, 1)));
        refused(checks, "an instant in nanoseconds", () -> types.echoDatetime(Instant.ofEpochSecond(0, 1)));
        refused(checks, "a duration in nanoseconds", () -> types.echoDuration(Duration.ofNanos(1)));
        refused(checks, "a day before the year 1", () -> types.echoDate(LocalDate.of(-44, 3, 15)));
        refused(checks, "a day after the year 9999", () -> types.echoDate(LocalDate.MAX));
        refused(checks, "a date after the year 9999", () -> types.echoJavaDate(new Date(Long.MAX_VALUE)));
        checks.same("and the connection is still good", "yes", () -> types.echoString("yes"));
    }

    private static void refused(Checks checks, String name, Checks.Step<?> call) {
        Throwable raised = checks.fails(name, call);
        checks.isTrue("... is refused by name", () -> {
            Integer code = Dubbo.code(raised);
            if (code != null && code != BasicScenario.TIMEOUT_CODE && raised.getMessage().contains("args[0]")) {
                return true;
            }
            throw raised;
        });
    }
}
