package app;

import demo.Report;
import demo.ReportListener;
import demo.ReportUnwanted;
import demo.Reports;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Callbacks: the service calls an object of this program, during a call and after it. */
final class ReportsScenario {
    /** What a registry tells of the provider: Dubbo 3 asks for the methods before it looks at their arguments. */
    private static final String CALLBACKS =
            "build.3.callback=true&forget.0.callback=false&callbacks=10&methods=build,forget";
    private static final long PATIENCE_S = 10;
    private static final int MANY_PAGES = 60;

    private ReportsScenario() {}

    static void run(Session session) {
        Reports reports = refer(session, session.options);
        Listener listener = new Listener("");
        session.checks.same("a report", report("j1", 3), () -> reports.build("j1", "Sales", 3, listener));
        session.checks.same("every page was told", List.of("j1 1", "j1 2", "j1 3"), () -> listener.pages);
        session.checks.same("and the report", report("j1", 3), listener::next);
        session.checks.same("the same listener again", report("j2", 1), () -> reports.build("j2", "Sales", 1, listener));
        session.checks.same("is told again", report("j2", 1), listener::next);

        Listener tired = new Listener("j3");
        ReportUnwanted unwanted = session.checks.raises(
                "an exception of the listener", ReportUnwanted.class, () -> reports.build("j3", "Sales", 3, tired));
        session.checks.same("arrives with its fields", "j3", () -> unwanted == null ? null : unwanted.getTicket());
    }

    /** The call is given up before the report is done, which comes all the same. */
    static void runLong(Session session) {
        Reports reports = refer(session, session.options.with("timeout=300"));
        Listener listener = new Listener("");
        Throwable late = session.checks.fails("no answer in time", () -> reports.build("k1", "Sales", MANY_PAGES, listener));
        session.checks.isTrue("which the service did not say", () -> Dubbo.code(late) != null);
        session.checks.same("the report comes later", report("k1", MANY_PAGES), listener::next);

        Listener dropped = new Listener("");
        session.checks.fails("once more", () -> reports.build("k2", "Sales", MANY_PAGES, dropped));
        session.checks.isTrue("the listener is taken back", () -> reports.forget(dropped));
        session.checks.isTrue("and told no more", () -> dropped.pages.size() < MANY_PAGES);
    }

    /** Without a registry the arguments that are callbacks are configured here; else it is left to what that tells. */
    private static Reports refer(Session session, Options options) {
        boolean isTold = options.get("registry") != null;
        return session.dubbo.refer(Reports.class, session.peers, isTold ? options : options.with(CALLBACKS));
    }

    private static Report report(String ticket, int pages) {
        Report report = new Report();
        report.setTicket(ticket);
        report.setTitle("Sales");
        report.setPages(pages);
        return report;
    }

    /** Keeps what it is told, and wants nothing of one ticket. */
    private static final class Listener implements ReportListener {
        final List<String> pages = new CopyOnWriteArrayList<>();
        private final BlockingQueue<Report> reports = new LinkedBlockingQueue<>();
        private final String unwanted;

        Listener(String unwanted) {
            this.unwanted = unwanted;
        }

        @Override
        public int progressed(String ticket, int page) throws ReportUnwanted {
            if (ticket.equals(unwanted)) {
                ReportUnwanted failure = new ReportUnwanted("no " + ticket);
                failure.setTicket(ticket);
                throw failure;
            }
            pages.add(ticket + " " + page);
            return pages.size();
        }

        @Override
        public void finished(Report report) {
            reports.add(report);
        }

        Report next() throws InterruptedException {
            return reports.poll(PATIENCE_S, TimeUnit.SECONDS);
        }
    }
}
