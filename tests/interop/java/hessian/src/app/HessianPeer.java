package app;

import com.caucho.hessian.client.HessianProxyFactory;
import com.caucho.hessian.client.HessianRuntimeException;
import com.caucho.hessian.io.Hessian2Input;
import com.caucho.hessian.io.Hessian2Output;
import demo.Catalog;
import demo.Everything;
import demo.OutOfStock;
import demo.Product;
import demo.ProductNotFound;
import demo.Types;
import demo.TypesFailure;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.net.MalformedURLException;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Uses demo.Catalog and demo.Types with Caucho's own client: {@code HessianPeer BASE_URL SCENARIO,…}.
 *
 * <p>{@code mixed} is the client as it is when nobody says otherwise, {@code hessian2} and {@code hessian1} are the two
 * other ways it can speak; {@code attribute} asks for the interface first; {@code refused} has no password;
 * {@code codec} proves what its own codec does to values, without a peer.
 */
public final class HessianPeer {
    private static final boolean LOSES_DECIMALS = losesDecimals();

    private final Checks checks = new Checks();
    private final String base;

    private HessianPeer(String base) {
        this.base = base;
    }

    public static void main(String[] args) throws Exception {
        HessianPeer peer = new HessianPeer(args[0]);
        for (String name : args[1].split(",")) {
            System.out.println("scenario " + name);
            peer.run(name);
        }
        peer.checks.summary();
    }

    private void run(String name) throws Exception {
        HessianProxyFactory factory = new HessianProxyFactory();
        factory.setHessian2Request(name.equals("hessian2"));
        factory.setHessian2Reply(!name.equals("hessian1"));
        switch (name) {
            case "mixed":
            case "hessian2":
                catalog(factory);
                types(factory);
                break;
            case "hessian1":
                old(factory);
                break;
            case "overloads":
                factory.setOverloadEnabled(true);
                catalog(factory);
                break;
            case "chunked":
                factory.setChunkedPost(true);
                types(factory);
                break;
            case "password":
                factory.setUser("shop");
                factory.setPassword("secret");
                catalog(factory);
                break;
            case "refused":
                checks.fails("no password", service(factory, Catalog.class)::count);
                break;
            case "attribute":
                Object found = factory.create(base + "/" + Catalog.class.getName());
                checks.isTrue("the interface is known", () -> found instanceof Catalog);
                checks.isTrue("and can be called", () -> ((Catalog) found).count() >= 3);
                break;
            case "codec":
                codec();
                break;
            default:
                throw new IllegalArgumentException(name);
        }
    }

    private <T> T service(HessianProxyFactory factory, Class<T> type) throws MalformedURLException {
        return type.cast(factory.create(type, base + "/" + type.getName()));
    }

    private void catalog(HessianProxyFactory factory) throws MalformedURLException {
        Catalog catalog = service(factory, Catalog.class);
        checks.isTrue("count", () -> catalog.count() >= 3);
        Product[] first = new Product[1];
        checks.isTrue("find by id", () -> (first[0] = catalog.find(1L)).getId() == 1);
        checks.same("find by name", first[0], () -> catalog.find(first[0].getName()));
        checks.isTrue("its instant", () -> first[0].getCreatedAt() != null);
        checks.isTrue("its enum", () -> first[0].getStatus() != null);
        checks.isTrue("its decimal", () -> (first[0].getPrice().signum() == 0) == LOSES_DECIMALS);
        checks.same("search", List.of(first[0]), () -> catalog.search(first[0].getName(), 1, null));
        checks.same("find nothing", List.of(), () -> catalog.search("no such product", 10, null));
        checks.isTrue("price history", () -> {
            Map<LocalDate, BigDecimal> history = catalog.priceHistory(1L);
            return !history.isEmpty() && history.keySet().iterator().next().getYear() > 2000;
        });
        OutOfStock empty =
                checks.raises("reserve too many", OutOfStock.class, () -> catalog.reserve(1, "berlin", 1_000_000));
        checks.isTrue("... its fields", () -> empty.getMissing() > 0 && empty.getWarehouse().equals("berlin"));
        ProductNotFound missing = checks.raises("find unknown", ProductNotFound.class, () -> catalog.find(-5L));
        checks.same("... its field", -5L, missing::getProductId);
        checks.isTrue("... its message", () -> missing.getMessage().contains("-5"));
        checks.raises("find an unknown name", ProductNotFound.class, () -> catalog.find("no such product"));
        checks.same("remove nothing", false, () -> catalog.remove(-5));
        checks.isTrue("touch", () -> {
            catalog.touch(1);
            return true;
        });
        checks.same("slow", "slept 50 ms", () -> catalog.slow(50));
    }

    /** Every edge of every type that the peer's own codec can send. */
    private void types(HessianProxyFactory factory) throws MalformedURLException {
        Types types = service(factory, Types.class);
        Arrays.stream(Types.class.getMethods())
                .filter(method -> method.getName().startsWith("echo") && method.getParameterCount() == 1)
                .filter(method -> !method.getName().equals("echoAttachments"))
                .sorted(Comparator.comparing(Method::getName))
                .forEach(method -> echo(method, types));
        Everything blank = new Everything();
        checks.same("echoEverything with unset fields", blank, () -> types.echoEverything(blank));
        checks.same("nothing", null, () -> {
            types.echoNothing();
            return null;
        });
        TypesFailure declared =
                checks.raises("declared exception", TypesFailure.class, () -> types.failDeclared("why \u8336 <&>"));
        checks.same("... its message", "why \u8336 <&>", declared::getMessage);
        checks.isTrue("... its fields", () -> declared.getCode() != 0);
        Throwable undeclared = checks.fails("undeclared exception", () -> types.failUndeclared("because"));
        checks.isTrue("... its message", () -> undeclared.getMessage().contains("because"));
    }

    private void echo(Method method, Types types) {
        Type type = method.getGenericParameterTypes()[0];
        List<Object> values = type == Object.class ? Edges.anything() : Edges.of(type);
        for (int index = 0; index < values.size(); index++) {
            Object value = values.get(index);
            if (value != null && !keeps(value)) {
                continue;
            }
            String name = method.getName() + " #" + index + " " + Same.text(value);
            checks.same(name, value, () -> call(method, types, value));
        }
    }

    /**
     * Calls and replies in Hessian 1. The client reads replies with its reader of Hessian 2, so only what both write
     * alike arrives; and it cannot read faults.
     */
    private void old(HessianProxyFactory factory) throws MalformedURLException {
        Types types = service(factory, Types.class);
        for (int number : new int[] {0, -1, 1 << 20, Integer.MIN_VALUE}) {
            checks.same("echoI32 " + number, number, () -> types.echoI32(number));
        }
        checks.same("echoI64", Long.MIN_VALUE, () -> types.echoI64(Long.MIN_VALUE));
        checks.same("echoF64", 0.1, () -> types.echoF64(0.1));
        checks.same("echoBool", true, () -> types.echoBool(true));
        checks.same("echoString", "\u8336 \uD83D\uDE00 \0", () -> types.echoString("\u8336 \uD83D\uDE00 \0"));
        checks.same("echoNullable", null, () -> types.echoNullable(null));
    }

    private void codec() {
        checks.same("loses the sign of zero", "0.0", () -> String.valueOf(copy(-0.0)));
        checks.raises("cannot write java.time", StackOverflowError.class, () -> copy(LocalDate.EPOCH));
        checks.isTrue("cannot read what it writes of List.of", () -> !keeps(List.of(1, 2)));
        checks.same("decimals", LOSES_DECIMALS ? "0.00" : "1.20", () -> copy(new BigDecimal("1.20")).toString());
    }

    private static Object call(Method method, Types types, Object value) throws Throwable {
        try {
            return method.invoke(types, value);
        } catch (InvocationTargetException raised) {
            throw raised.getCause() instanceof HessianRuntimeException && raised.getCause().getCause() != null
                    ? raised.getCause().getCause()
                    : raised.getCause();
        }
    }

    /** Whether the peer's own codec gives the value back. */
    private static boolean keeps(Object value) {
        if (LOSES_DECIMALS && value instanceof BigDecimal) {
            return false; // 0 comes back as 0 by chance
        }
        try {
            return Same.equal(value, copy(value)) || value instanceof Character || value instanceof Float;
        } catch (IOException | RuntimeException | StackOverflowError lost) {
            return false;
        }
    }

    private static boolean losesDecimals() {
        try {
            return !copy(BigDecimal.ONE).equals(BigDecimal.ONE);
        } catch (IOException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static Object copy(Object value) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Hessian2Output output = new Hessian2Output(bytes);
        output.writeObject(value);
        output.flush();
        return new Hessian2Input(new ByteArrayInputStream(bytes.toByteArray())).readObject();
    }
}
