package app;

import demo.Report;
import demo.ReportListener;
import demo.ReportUnwanted;
import demo.Reports;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Writes a page in 20 ms, in the thread of the call, which goes on when the caller has given up. */
final class MemoryReports implements Reports {
    private static final long PAGE_MS = 20;

    private final Map<String, ReportListener> listeners = new ConcurrentHashMap<>();

    @Override
    public Report build(String ticket, String title, int pages, ReportListener listener) throws ReportUnwanted {
        listeners.put(ticket, listener);
        for (int page = 1; page <= pages; page++) {
            pause();
            ReportListener told = listeners.get(ticket);
            if (told != null) {
                told.progressed(ticket, page);
            }
        }
        Report report = new Report();
        report.setTicket(ticket);
        report.setTitle(title);
        report.setPages(pages);
        ReportListener told = listeners.remove(ticket);
        if (told != null) {
            told.finished(report);
        }
        return report;
    }

    @Override
    public boolean forget(ReportListener listener) {
        return listeners.values().removeIf(each -> each == listener);
    }

    private static void pause() {
        try {
            Thread.sleep(PAGE_MS);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }
}
