package app;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.UUID;
import net.razorvine.pickle.IObjectConstructor;
import net.razorvine.pickle.Opcodes;
import net.razorvine.pickle.Pickler;
import net.razorvine.pickle.Unpickler;
import net.razorvine.pickle.objects.TimeDelta;

/**
 * Pickles of net.razorvine:pickle, which knows most of what the gateway speaks. What it does not know, and what would lose
 * microseconds, is registered the way the library means it.
 */
final class RmiPickles {
    static {
        Unpickler.registerConstructor("datetime", "timezone", arguments -> {
            TimeDelta offset = (TimeDelta) arguments[0];
            return ZoneOffset.ofTotalSeconds(offset.days * 86_400 + offset.seconds);
        });
        Unpickler.registerConstructor("datetime", "datetime", (IObjectConstructor) RmiPickles::dateTime);
        Unpickler.registerConstructor("uuid", "UUID", arguments -> UUID.fromString((String) arguments[0]));
        Pickler.registerCustomPickler(Instant.class, RmiPickles::writeInstant);
        Pickler.registerCustomPickler(UUID.class, (value, out, pickler) -> {
            name(out, "uuid", "UUID");
            pickler.save(value.toString());
            out.write(Opcodes.TUPLE1);
            out.write(Opcodes.REDUCE);
        });
    }

    private RmiPickles() {}

    static byte[] write(Object value) throws IOException {
        return new Pickler().dumps(value);
    }

    static Object read(byte[] data) throws IOException {
        return new Unpickler().loads(data);
    }

    /** Ten bytes, and a zone where it is an instant. */
    private static Object dateTime(Object[] arguments) {
        byte[] raw = (byte[]) arguments[0];
        int micros = (raw[7] & 0xFF) << 16 | (raw[8] & 0xFF) << 8 | raw[9] & 0xFF;
        int year = (raw[0] & 0xFF) << 8 | raw[1] & 0xFF;
        LocalDateTime local = LocalDateTime.of(year, raw[2], raw[3], raw[4], raw[5], raw[6], micros * 1000);
        return arguments.length == 1 ? local : local.toInstant((ZoneOffset) arguments[1]);
    }

    private static void writeInstant(Object value, OutputStream out, Pickler pickler) throws IOException {
        LocalDateTime utc = LocalDateTime.ofInstant((Instant) value, ZoneOffset.UTC);
        name(out, "datetime", "datetime");
        out.write(Opcodes.MARK);
        for (int part : new int[] {
            utc.getYear(), utc.getMonthValue(), utc.getDayOfMonth(), utc.getHour(), utc.getMinute(), utc.getSecond(),
            utc.getNano() / 1000
        }) {
            pickler.save(part);
        }
        name(out, "datetime", "timezone");
        pickler.save(new TimeDelta(0, 0, 0));
        out.write(Opcodes.TUPLE1);
        out.write(Opcodes.REDUCE);
        out.write(Opcodes.TUPLE);
        out.write(Opcodes.REDUCE);
    }

    private static void name(OutputStream out, String module, String name) throws IOException {
        out.write(Opcodes.GLOBAL);
        out.write((module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
    }
}
