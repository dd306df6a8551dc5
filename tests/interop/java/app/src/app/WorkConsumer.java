package app;

import chaos.Work;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Calls chaos.Work with several threads: {@code WorkConsumer URLS FILE}, and commands on standard input until that ends.
 *
 * <p>{@code calls NUMBER OPTIONS} makes so many calls, {@code load CALLERS OPTIONS} calls until the next line; OPTIONS are
 * URL parameters such as {@code cluster=failover&loadbalance=random}. FILE gets a line for each call: {@code once} or
 * {@code again}, its id, and {@code ok}, the id that was answered instead, or what went wrong. Prints {@code READY 0} to
 * begin with, {@code calling} when each thread was answered, and {@code done} after each command.
 */
public final class WorkConsumer {
    private static final int HOLD_MS = 10;
    private static final int PAUSE_MS = 5;

    private final List<String> peers;
    private final PrintWriter record;
    private final AtomicLong ids = new AtomicLong();
    private volatile boolean ending;

    private WorkConsumer(List<String> peers, PrintWriter record) {
        this.peers = peers;
        this.record = record;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        WorkConsumer consumer =
                new WorkConsumer(List.of(args[0].split(",")), new PrintWriter(args[1], StandardCharsets.UTF_8));
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        say("READY 0");
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] command = line.split(" ");
            Options options = Options.parse(command.length > 2 ? command[2] : "");
            int number = Integer.parseInt(command[1]);
            Dubbo dubbo = new Dubbo();
            Work work = dubbo.refer(Work.class, consumer.peers, options);
            if (command[0].equals("calls")) {
                for (int call = 0; call < number; call++) {
                    consumer.call(work, 0);
                }
            } else {
                consumer.load(work, number, input);
            }
            consumer.record.flush();
            dubbo.close();
            say("done");
        }
        System.exit(0);
    }

    private void load(Work work, int callers, BufferedReader input) throws IOException, InterruptedException {
        ending = false;
        List<Thread> threads = new ArrayList<>();
        for (int caller = 0; caller < callers; caller++) {
            Thread thread = new Thread(() -> callAllTheTime(work));
            threads.add(thread);
            thread.start();
        }
        long wanted = ids.get() + 2L * callers;
        while (ids.get() < wanted) {
            Thread.sleep(PAUSE_MS);
        }
        say("calling");
        input.readLine();
        ending = true;
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void callAllTheTime(Work work) {
        while (!ending) {
            call(work, HOLD_MS);
            try {
                Thread.sleep(PAUSE_MS);
            } catch (InterruptedException ended) {
                return;
            }
        }
    }

    private void call(Work work, int holdMs) {
        long id = ids.incrementAndGet();
        boolean again = id % 2 == 1;
        String outcome;
        try {
            Long answer = again ? (Long) work.again(id, holdMs) : (Long) work.once(id, holdMs);
            outcome = answer == null ? "null" : answer == id ? "ok" : "got " + answer;
        } catch (NullPointerException nothing) {
            outcome = "null"; // failsafe and others give null where a number is expected
        } catch (RuntimeException trouble) {
            Integer code = Dubbo.code(trouble);
            outcome = "code-" + code + ": " + String.valueOf(trouble.getMessage()).replaceAll("\\s+", " ");
        }
        synchronized (record) {
            record.println((again ? "again " : "once ") + id + " " + outcome);
        }
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
