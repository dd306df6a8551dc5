package oracle;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * A hessian-lite codec that answers questions: one JSON object a line in, one a line out.
 *
 * <pre>
 * {"op": "encode", "values": [...]}             -> {"hex": "..."}
 * {"op": "sample", "name": "..."}               -> {"values": [...], "hex": "..."}
 * {"op": "samples"}                             -> {"names": [...]}
 * {"op": "decode", "hex": "...", "types": [..]} -> {"values": [...]}
 * {"op": "roundtrip", "hex": "..."}             -> {"values": [...], "hex": "..."}
 * </pre>
 *
 * Values are in the notation of {@code tests/wire/hessian/README.md}; {@code types} (optional) are the declared
 * Java types, in source form, that the values are read as. Trouble is answered as {@code {"error": "...",
 * "class": "..."}}. The program ends with its input. With the arguments {@code record FILE ORIGIN} it writes
 * the fixture file instead.
 */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        if (args.length == 3 && args[0].equals("record")) {
            Fixture.write(Path.of(args[1]), args[2]);
            return;
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.US_ASCII);
        System.setOut(System.err); // a chatty library must not get between our lines
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(ascii(answer(line)));
        }
    }

    /** JSON text with every character outside ASCII escaped: lone surrogates survive any stream encoding. */
    static String ascii(JsonElement json) {
        String text = json.toString();
        StringBuilder escaped = new StringBuilder(text.length());
        for (int index = 0; index < text.length(); index++) {
            char unit = text.charAt(index);
            if (unit < 0x7f) {
                escaped.append(unit);
            } else {
                escaped.append(String.format("\\u%04x", (int) unit));
            }
        }
        return escaped.toString();
    }

    private static JsonObject answer(String line) {
        try {
            JsonObject request = JsonParser.parseString(line).getAsJsonObject();
            switch (request.get("op").getAsString()) {
                case "encode":
                    return answer(null, Codec.encode(Build.all(request.getAsJsonArray("values"))));
                case "sample":
                    List<?> sample = Samples.all().get(request.get("name").getAsString());
                    return answer(sample, Codec.encode(sample));
                case "samples":
                    return names(Samples.all());
                case "decode":
                    return answer(Codec.decode(hex(request), types(request)), null);
                case "roundtrip":
                    List<Object> values = Codec.decode(hex(request), types(request));
                    return answer(values, Codec.encode(values));
                default:
                    throw new IllegalArgumentException("unknown op");
            }
        } catch (Exception | StackOverflowError trouble) {
            JsonObject error = new JsonObject();
            error.addProperty("error", String.valueOf(trouble.getMessage()));
            error.addProperty("class", trouble.getClass().getName());
            return error;
        }
    }

    private static JsonObject answer(List<?> values, byte[] bytes) {
        JsonObject answer = new JsonObject();
        if (values != null) {
            answer.add("values", Describe.all(values));
        }
        if (bytes != null) {
            answer.addProperty("hex", HexFormat.of().formatHex(bytes));
        }
        return answer;
    }

    private static JsonObject names(Map<String, List<?>> samples) {
        JsonArray names = new JsonArray();
        samples.keySet().forEach(names::add);
        JsonObject answer = new JsonObject();
        answer.add("names", names);
        return answer;
    }

    private static byte[] hex(JsonObject request) {
        return HexFormat.of().parseHex(request.get("hex").getAsString());
    }

    private static List<Class<?>> types(JsonObject request) throws ClassNotFoundException {
        List<Class<?>> types = new ArrayList<>();
        if (request.has("types")) {
            for (JsonElement name : request.getAsJsonArray("types")) {
                types.add(Build.type(name.getAsString()));
            }
        }
        return types;
    }
}
