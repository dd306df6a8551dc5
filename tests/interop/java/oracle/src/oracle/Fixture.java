package oracle;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.BufferedWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/** Writes every sample, its bytes and hessian-lite's own reading of them as a fixture file. */
final class Fixture {
    /** Longer records are compressed, so that the file stays readable and small. */
    private static final int MAX_PLAIN_CHARS = 16_384;

    private Fixture() {}

    static void write(Path file, String origin) throws IOException {
        try (BufferedWriter out = Files.newBufferedWriter(file, StandardCharsets.US_ASCII)) {
            for (Map.Entry<String, List<?>> sample : Samples.all().entrySet()) {
                String body = Main.ascii(record(sample.getValue()));
                JsonObject line = new JsonObject();
                line.addProperty("name", sample.getKey());
                line.addProperty("origin", origin);
                if (body.length() > MAX_PLAIN_CHARS) {
                    line.addProperty("zlib", compress(body));
                    out.write(Main.ascii(line));
                } else {
                    String head = Main.ascii(line);
                    out.write(head.substring(0, head.length() - 1) + "," + body.substring(1));
                }
                out.write("\n");
            }
        }
    }

    private static JsonObject record(List<?> values) {
        JsonObject record = new JsonObject();
        JsonArray described = Describe.all(values);
        record.add("values", described);
        byte[] bytes;
        try {
            bytes = Codec.encode(values);
        } catch (Exception refused) {
            record.addProperty("encode_error", refused.toString());
            return record;
        }
        record.addProperty("hex", HexFormat.of().formatHex(bytes));
        try {
            JsonArray decoded = Describe.all(Codec.decode(bytes, List.of()));
            if (!decoded.equals(described)) {
                record.add("decoded", decoded);
            }
        } catch (Exception refused) {
            record.addProperty("decode_error", refused.toString());
        }
        return record;
    }

    private static String compress(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflated = new DeflaterOutputStream(bytes, new Deflater(9))) {
            deflated.write(text.getBytes(StandardCharsets.US_ASCII));
        }
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }
}
