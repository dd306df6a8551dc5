package app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import demo.Maker;
import demo.Product;
import demo.Status;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/** Uses demo.Catalog and demo.Types over http:// with the JDK's HttpClient: {@code HttpClientPeer BASE_URL SCENARIO,…}. */
public final class HttpClientPeer {
    private static final int CONCURRENT = 100;
    private static final String EXCEPTION = "urn:polyport:exception:";
    private static final String REFUSAL = "urn:polyport:error:";
    private static final String CATALOG = "demo.Catalog/";
    private static final String TYPES = "demo.Types/";
    private static final ObjectMapper JSON = Jackson.contractNames();

    /** With its defaults, so that its first request offers an upgrade to HTTP/2. */
    private final HttpClient client = HttpClient.newHttpClient();

    private final Checks checks = new Checks();
    private final String base;

    private HttpClientPeer(String base) {
        this.base = base;
    }

    public static void main(String[] args) {
        HttpClientPeer peer = new HttpClientPeer(args[0]);
        Map<String, Runnable> scenarios = Map.of(
                "basic", peer::basic,
                "values", peer::values,
                "errors", peer::errors,
                "headers", peer::headers,
                "concurrent", peer::concurrent);
        for (String name : args[1].split(",")) {
            System.out.println("scenario " + name);
            scenarios.get(name).run();
        }
        peer.checks.summary();
    }

    private void basic() {
        long[] before = new long[1];
        checks.isTrue("count by GET", () -> (before[0] = get(CATALOG + "count", Long.class)) >= 3);
        Product product = product();
        checks.isTrue("put gives an id", () -> {
            product.setId(call(CATALOG + "put", Map.of("product", product), Long.class));
            return product.getId() > 0;
        });
        Map<String, Object> byId = Map.of("product_id", product.getId());
        checks.same("count has grown", before[0] + 1, () -> call(CATALOG + "count", Map.of(), Long.class));
        checks.same("find by id, named", product, () -> call(CATALOG + "find", byId, Product.class));
        checks.same("find by id, in a query", product, () -> get(CATALOG + "find?product_id=" + product.getId(), Product.class));
        checks.same("find by name, the other overload", product,
                () -> call(CATALOG + "find", Map.of("name", product.getName()), Product.class));
        checks.same("search, in order", List.of(product), () -> Arrays.asList(
                call(CATALOG + "search", Arrays.asList(product.getName(), 5, null), Product[].class)));
        String name = URLEncoder.encode(product.getName(), StandardCharsets.UTF_8);
        String tag = URLEncoder.encode("\u8336", StandardCharsets.UTF_8);
        checks.same("search, a list in a query", List.of(product), () -> Arrays.asList(
                get(CATALOG + "search?text=" + name + "&tags=interop&tags=" + tag, Product[].class)));
        checks.same("price history", Map.of(LocalDate.of(2024, 1, 2), new BigDecimal("12.3400")),
                () -> JSON.readValue(
                        answer(CATALOG + "price_history", byId), new TypeReference<Map<LocalDate, BigDecimal>>() {}));
        checks.same("reserve", 5, () -> call(CATALOG + "reserve", List.of(product.getId(), "north", 2), Integer.class));
        checks.same("reserve too many", List.of(EXCEPTION + "demo.OutOfStock", 422, "north", 95), () -> {
            JsonNode said = problem(CATALOG + "reserve", List.of(product.getId(), "north", 100));
            JsonNode exception = said.get("exception");
            return List.of(said.get("type").asText(), said.get("status").asInt(),
                    exception.get("warehouse").asText(), exception.get("missing").asInt());
        });
        checks.same("find unknown", List.of(EXCEPTION + "demo.ProductNotFound", -5L), () -> {
            JsonNode said = problem(CATALOG + "find", Map.of("product_id", -5));
            return List.of(said.get("type").asText(), said.get("exception").get("product_id").asLong());
        });
        checks.same("touch has no answer", "", () -> answer(CATALOG + "touch", byId));
        checks.isTrue("touch had an effect", () -> {
            while (call(CATALOG + "find", byId, Product.class).getUpdatedAt() == null) {
                continue;
            }
            return true;
        });
        checks.same("remove", true, () -> call(CATALOG + "remove", byId, Boolean.class));
        checks.same("remove again", false, () -> call(CATALOG + "remove", byId, Boolean.class));
        checks.same("slow", "slept 30 ms", () -> call(CATALOG + "slow", Map.of("millis", 30), String.class));
        checks.same("slow beyond the deadline", List.of(REFUSAL + "deadline-exceeded", 504), () -> {
            JsonNode said = problem(CATALOG + "slow", Map.of("millis", 5000), "Polyport-Timeout", "0.2");
            return List.of(said.get("type").asText(), said.get("status").asInt());
        });
        checks.same("and the connection is still good", before[0], () -> call(CATALOG + "count", Map.of(), Long.class));
    }

    private void values() {
        for (long number : new long[] {(1L << 53) + 1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            checks.same("i64 " + number, number, () -> call(TYPES + "echo_i64", Map.of("value", number), Long.class));
        }
        for (String text : List.of("1.20", "-0.000", "123456789012345678901234567890.5")) {
            BigDecimal number = new BigDecimal(text);
            checks.same("decimal " + text, number,
                    () -> call(TYPES + "echo_decimal", Map.of("value", number), BigDecimal.class));
        }
        for (double number : new double[] {0.1, Double.MIN_VALUE, Double.NaN, Double.NEGATIVE_INFINITY}) {
            checks.same("f64 " + number, number, () -> call(TYPES + "echo_f64", Map.of("value", number), Double.class));
        }
        String text = "\u8336 \uD83D\uDE00 \t\n\0\"";
        checks.same("text", text, () -> call(TYPES + "echo_string", Map.of("value", text), String.class));
        byte[] bytes = {0, -1, 16};
        checks.same("bytes", bytes, () -> call(TYPES + "echo_bytes", Map.of("value", bytes), byte[].class));
        Map<String, Object> none = new HashMap<>();
        none.put("value", null);
        checks.same("null", null, () -> call(TYPES + "echo_nullable", none, String.class));
        checks.same("nothing", "", () -> answer(TYPES + "echo_nothing", Map.of()));
    }

    private void errors() {
        checks.same("no such service", REFUSAL + "no-such-service",
                () -> problem("demo.Nothing/find", Map.of()).get("type").asText());
        checks.same("no such method", REFUSAL + "no-such-method",
                () -> problem(CATALOG + "nothing", Map.of()).get("type").asText());
        checks.same("a number for a text", List.of(REFUSAL + "bad-request", 400, "args[0].parent.name"), () -> {
            Map<String, Object> maker = Map.of("name", "", "parent", Map.of("name", 5));
            JsonNode said = problem(TYPES + "echo_struct", Map.of("value", maker));
            return List.of(said.get("type").asText(), said.get("status").asInt(), said.get("path").asText());
        });
        checks.same("declared exception", List.of(EXCEPTION + "demo.TypesFailure", "why \u8336", 42, "Acme"), () -> {
            JsonNode said = problem(TYPES + "fail_declared", Map.of("message", "why \u8336"));
            JsonNode exception = said.get("exception");
            return List.of(said.get("type").asText(), exception.get("message").asText(), exception.get("code").asInt(),
                    exception.get("culprit").get("name").asText());
        });
        checks.same("undeclared exception", 500,
                () -> problem(TYPES + "fail_undeclared", Map.of("message", "because")).get("status").asInt());
    }

    private void headers() {
        checks.same("attachments both ways", List.of("Mixed Value \u8336", "Mixed Value \u8336"), () -> {
            String name = "Polyport-Attachment-X.key_1";
            Map<String, Object> arguments = Map.of("key", "X.key_1");
            HttpResponse<String> answer = post(TYPES + "echo_attachments", arguments, name, "Mixed%20Value%20%E8%8C%B6");
            String back = answer.headers().firstValue(name).orElseThrow();
            return List.of(JSON.readValue(answer.body(), String.class), URLDecoder.decode(back, StandardCharsets.UTF_8));
        });
        checks.same("traceparent", "\"alone\"", () -> post(TYPES + "echo_string", List.of("alone"),
                "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").body());
    }

    private void concurrent() {
        List<Integer> numbers = IntStream.range(0, CONCURRENT).boxed().toList();
        checks.same(CONCURRENT + " calls at once", numbers, () -> {
            List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
            for (int number : numbers) {
                answers.add(client.sendAsync(request(TYPES + "echo_i32", List.of(number)), BodyHandlers.ofString()));
            }
            return answers.stream().map(each -> Integer.valueOf(each.join().body())).toList();
        });
    }

    private HttpRequest request(String path, Object arguments, String... headers) throws JsonProcessingException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + "/" + path))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(JSON.writeValueAsString(arguments)));
        return (headers.length == 0 ? request : request.headers(headers)).build();
    }

    private HttpResponse<String> post(String path, Object arguments, String... headers)
            throws IOException, InterruptedException {
        return client.send(request(path, arguments, headers), BodyHandlers.ofString());
    }

    private String answer(String path, Object arguments) throws IOException, InterruptedException {
        return body(post(path, arguments));
    }

    private <T> T call(String path, Object arguments, Class<T> type) throws IOException, InterruptedException {
        return JSON.readValue(answer(path, arguments), type);
    }

    private <T> T get(String path, Class<T> type) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + "/" + path)).build();
        return JSON.readValue(body(client.send(request, BodyHandlers.ofString())), type);
    }

    private static String body(HttpResponse<String> answer) {
        if (answer.statusCode() >= 300) {
            throw new AssertionError(answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    /** What a refused request says (RFC 9457), checked for its form. */
    private JsonNode problem(String path, Object arguments, String... headers) throws IOException, InterruptedException {
        HttpResponse<String> answer = post(path, arguments, headers);
        JsonNode said = JSON.readTree(answer.body());
        if (!answer.headers().firstValue("Content-Type").orElse("").equals("application/problem+json")
                || said.path("status").asInt() != answer.statusCode()) {
            throw new AssertionError("no problem: " + answer + " " + answer.body());
        }
        return said;
    }

    /** A product that no other client has. */
    static Product product() {
        Maker owner = new Maker();
        owner.setName("Owner");
        owner.setCountry("DE");
        Maker maker = new Maker();
        maker.setName("Maker");
        maker.setParent(owner);
        Product product = new Product();
        product.setName("Teekanne \u8336 \uD83D\uDE00 " + System.nanoTime());
        product.setPrice(new BigDecimal("12.3400"));
        product.setTags(List.of("interop", "\u8336"));
        product.setCreatedAt(Instant.parse("2024-01-02T03:04:05.678901Z"));
        product.setStock(Map.of("north", 7, "south", 0));
        product.setStatus(Status.PREORDER);
        product.setMaker(maker);
        return product;
    }
}
