package app;

import chaos.Work;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Serves chaos.Work until its standard input ends or a signal comes: {@code WorkProvider PORT FILE [OPTIONS]}.
 *
 * <p>FILE gets a line with the id of each call when it begins. Prints {@code READY <port>} when calls are answered.
 */
public final class WorkProvider {
    private WorkProvider() {}

    public static void main(String[] args) throws IOException {
        int port = Integer.parseInt(args[0]);
        FileChannel record =
                FileChannel.open(Path.of(args[1]), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        Dubbo dubbo = new Dubbo();
        dubbo.export(Work.class, new Counting(record), port, Options.parse(args.length > 2 ? args[2] : ""));
        System.out.println("READY " + port);
        System.out.flush();
        while (System.in.read() >= 0) {
            continue; // only the end of the input matters
        }
        dubbo.close();
        System.exit(0);
    }

    private static final class Counting implements Work {
        private final FileChannel record;
        private volatile int slower = 1;

        Counting(FileChannel record) {
            this.record = record;
        }

        @Override
        public long once(long id, int holdMs) {
            return work(id, holdMs);
        }

        @Override
        public long again(long id, int holdMs) {
            return work(id, holdMs);
        }

        @Override
        public int behave(int slower, int failingPercent) {
            this.slower = slower;
            return (int) ProcessHandle.current().pid();
        }

        private long work(long id, int holdMs) {
            try {
                // One write: after it the line survives whatever happens to this process.
                record.write(ByteBuffer.wrap((id + "\n").getBytes(StandardCharsets.US_ASCII)));
                Thread.sleep((long) holdMs * slower);
            } catch (IOException trouble) {
                throw new UncheckedIOException(trouble);
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            }
            return id;
        }
    }
}
