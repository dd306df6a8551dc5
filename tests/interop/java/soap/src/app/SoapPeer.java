package app;

import jakarta.xml.soap.SOAPFault;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.Service;
import jakarta.xml.ws.WebServiceException;
import jakarta.xml.ws.soap.SOAPFaultException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.net.URL;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.xml.datatype.DatatypeConfigurationException;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.datatype.Duration;
import javax.xml.datatype.XMLGregorianCalendar;
import javax.xml.namespace.QName;
import soap.catalog.Catalog;
import soap.catalog.MapOfDateToDecimal;
import soap.catalog.MapOfStringToInt;
import soap.catalog.OutOfStockFault;
import soap.catalog.Product;
import soap.catalog.ProductNotFoundFault;
import soap.catalog.SetOfString;
import soap.catalog.Status;
import soap.types.Maker;
import soap.types.MapOfStringToLong;
import soap.types.Types;
import soap.types.TypesFailureFault;

/**
 * Uses demo.Catalog and demo.Types by the classes that wsimport made of their WSDL:
 * {@code SoapPeer BASE_URL VERSION,…}.
 *
 * <p>The WSDL is read once more when the program runs, from the service itself, and with it the address. Which
 * implementation of Jakarta XML Web Services does the work depends on the class path alone.
 */
public final class SoapPeer {
    static final soap.catalog.ObjectFactory CATALOG = new soap.catalog.ObjectFactory();
    static final soap.types.ObjectFactory TYPES = new soap.types.ObjectFactory();

    private static final String NAMESPACE = "http://demo/";
    private static final List<String> FAILED = List.of("Server", "Receiver");
    private static final DatatypeFactory DATATYPES = datatypes();

    private final Checks checks = new Checks();
    private final String base;

    private SoapPeer(String base) {
        this.base = base;
    }

    public static void main(String[] args) throws Exception {
        SoapPeer peer = new SoapPeer(args[0]);
        for (String version : args[1].split(",")) {
            System.out.println("version " + version);
            String suffix = version.equals("1.2") ? "12" : "";
            peer.catalog(peer.port("Catalog", suffix, Catalog.class));
            peer.types(peer.port("Types", suffix, Types.class));
        }
        peer.checks.summary();
    }

    private <T> T port(String name, String suffix, Class<T> type) throws Exception {
        URL wsdl = URI.create(base + "/demo." + name + "?wsdl").toURL();
        Service service = Service.create(wsdl, new QName(NAMESPACE, name + "Service"));
        return service.getPort(new QName(NAMESPACE, name + "Port" + suffix), type);
    }

    private void catalog(Catalog catalog) throws Exception {
        checks.same("count", 3L, catalog::count);
        Product lamp = catalog.find(1);
        checks.same("find", "Desk lamp", lamp::getName);
        checks.same("a decimal", new BigDecimal("49.90"), lamp::getPrice);
        checks.same("an instant", time("2026-01-02T08:30:00Z"), lamp::getCreatedAt);
        checks.same("a Date that may be null", time("2026-02-01T08:30:00.250Z"), () -> lamp.getUpdatedAt().getValue());
        checks.same("an enum", Status.ACTIVE, lamp::getStatus);
        checks.same("a list", List.of("light", "office"), lamp::getTags);
        checks.same("a map", Map.of("berlin", 12, "oslo", 0), () -> stock(lamp));
        soap.catalog.Maker owner = lamp.getMaker().getValue().getParent().getValue();
        checks.same("structs in structs", "SE", () -> owner.getCountry().getValue());
        Product wall = catalog.find(3);
        checks.same("text beyond ASCII", "Wandleuchte \u201eGr\u00fcn\u201c \ud83c\udf3f", wall::getName);
        checks.same("null", true, () -> wall.getMaker() == null && wall.getUpdatedAt() == null);
        checks.same("an empty list", List.of(), wall::getTags);
        checks.same("find by name", 1L, () -> catalog.findByName("Desk lamp").getId());

        ProductNotFoundFault missing = checks.raises("declared", ProductNotFoundFault.class, () -> catalog.find(-5));
        checks.same("its text", "no product -5", missing::getMessage);
        checks.same("its field", -5L, () -> missing.getFaultInfo().getProductId());
        checks.same("its text, once more", "no product -5", () -> missing.getFaultInfo().getMessage().getValue());
        OutOfStockFault empty =
                checks.raises("another", OutOfStockFault.class, () -> catalog.reserve(1, "berlin", 1_000_000));
        checks.same("its fields", 999_988, () -> empty.getFaultInfo().getMissing());
        checks.same("its other field", "berlin", () -> empty.getFaultInfo().getWarehouse());
        Throwable negative = checks.fails("undeclared", () -> catalog.reserve(1, "berlin", -1));
        checks.isTrue("its text", () -> fault(negative).getFaultString().contains("quantity is negative"));
        checks.isTrue("its code", () -> FAILED.contains(fault(negative).getFaultCodeAsQName().getLocalPart()));

        checks.same("search by defaults", List.of(1L, 2L), () -> ids(catalog.search("desk", null, null)));
        checks.same("search with a limit", List.of(1L), () -> ids(catalog.search("desk", 1, null)));
        SetOfString tags = new SetOfString();
        tags.getItem().add("light");
        checks.same("search with a set", List.of(1L), () -> ids(catalog.search("", 10, tags)));
        checks.same("search finds nothing", List.of(), () -> catalog.search("no such thing", null, null));
        Map<String, BigDecimal> prices =
                Map.of("2025-10-04", new BigDecimal("54.90"), "2026-01-02", new BigDecimal("49.90"));
        checks.same("a map of dates", prices, () -> history(catalog));

        Product chair = new Product();
        chair.setName("Chair");
        chair.setPrice(new BigDecimal("0.10"));
        chair.setCreatedAt(time("2026-08-14T11:26:53.589793+02:00"));
        chair.setStatus(Status.PREORDER);
        long number = catalog.put(chair);
        Product put = catalog.find(number);
        checks.same("put", new BigDecimal("0.10"), put::getPrice);
        checks.same("its instant", time("2026-08-14T09:26:53.589793Z"), put::getCreatedAt);
        checks.same("its enum", Status.PREORDER, put::getStatus);
        checks.isTrue("its null", () -> put.getMaker() == null);
        checks.isTrue("oneway", () -> {
            catalog.touch(number);
            return true;
        });
        checks.isTrue("remove", () -> catalog.remove(number));
        checks.same("remove nothing", false, () -> catalog.remove(number));
    }

    private void types(Types types) {
        for (boolean each : new boolean[] {true, false}) {
            checks.same("echoBool", each, () -> types.echoBool(each));
        }
        for (Boolean each : new Boolean[] {true, null}) {
            checks.same("echoBoxedBool", each, () -> types.echoBoxedBool(each));
        }
        for (byte each : new byte[] {Byte.MIN_VALUE, Byte.MAX_VALUE}) {
            checks.same("echoI8", each, () -> types.echoI8(each));
        }
        for (short each : new short[] {Short.MIN_VALUE, Short.MAX_VALUE}) {
            checks.same("echoI16", each, () -> types.echoI16(each));
        }
        for (Integer each : new Integer[] {Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            checks.same("echoI32", each, () -> types.echoI32(each));
        }
        for (Long each : new Long[] {Long.MIN_VALUE, Long.MAX_VALUE, null}) {
            checks.same("echoBoxedI64", each, () -> types.echoBoxedI64(each));
        }
        for (float each : new float[] {Float.MIN_VALUE, Float.MAX_VALUE, 0.1f, Float.NaN}) {
            checks.same("echoF32", each, () -> types.echoF32(each));
        }
        for (double each : new double[] {Double.MIN_VALUE, Double.MAX_VALUE, 0.1, Double.NEGATIVE_INFINITY}) {
            checks.same("echoF64", each, () -> types.echoF64(each));
        }
        checks.same("echoF64 -0.0", "-0.0", () -> String.valueOf(types.echoF64(-0.0)));
        BigInteger big = BigInteger.TWO.pow(200).negate();
        checks.same("echoBigint", big, () -> types.echoBigint(big));
        for (String each : new String[] {"1.10", "-0.0000001", "100"}) {
            checks.same("echoDecimal " + each, new BigDecimal(each), () -> types.echoDecimal(new BigDecimal(each)));
        }
        checks.same("echoChar", 0xFFFF, () -> types.echoChar(0xFFFF));
        String markup = "\u8336 \ud83d\ude00 <&>]]>\"'";
        for (String each : new String[] {"", " a\tb\n ", markup, "\r\n", "x".repeat(100_000)}) {
            checks.same("echoString", each, () -> types.echoString(each));
        }
        byte[] bytes = new byte[256];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        checks.same("echoBytes", bytes, () -> types.echoBytes(bytes));
        checks.same("no bytes", new byte[0], () -> types.echoBytes(new byte[0]));
        checks.same("echoDate", time("2026-08-14"), () -> types.echoDate(time("2026-08-14")));
        checks.same("echoTime", time("09:26:53.589793"), () -> types.echoTime(time("09:26:53.589793")));
        XMLGregorianCalendar instant = time("2026-08-14T09:26:53.589793Z");
        checks.same("echoDatetime", instant, () -> types.echoDatetime(instant));
        XMLGregorianCalendar local = time("2026-08-14T09:26:53.5");
        checks.same("echoLocalDatetime", local, () -> types.echoLocalDatetime(local));
        Duration duration = DATATYPES.newDuration("-P1DT2H3.000004S");
        checks.same("echoDuration", 0, () -> types.echoDuration(duration).compare(duration));
        String uuid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
        checks.same("echoUuid", uuid, () -> types.echoUuid(uuid));
        checks.same("echoIntList", List.of(1, 2, 3), () -> types.echoIntList(List.of(1, 2, 3)));
        checks.same("echoStringList", List.of("", "b"), () -> types.echoStringList(List.of("", "b")));
        MapOfStringToLong map = new MapOfStringToLong();
        map.getEntry().add(entry("a", 1L));
        map.getEntry().add(entry("", Long.MIN_VALUE));
        checks.same("echoStringMap", Map.of("a", 1L, "", Long.MIN_VALUE), () -> echoed(types.echoStringMap(map)));
        for (soap.types.Status each : soap.types.Status.values()) {
            checks.same("echoEnum", each, () -> types.echoEnum(each));
        }
        Maker maker = new Maker();
        maker.setName("m");
        checks.same("echoStruct", "m", () -> types.echoStruct(maker).getName());
        checks.same("echoNullable", null, () -> types.echoNullable(null));
        checks.same("echoNullable", "", () -> types.echoNullable(""));
        checks.isTrue("echoNothing", () -> {
            types.echoNothing();
            return true;
        });
        for (Object each : new Object[] {3, 4L, "text", true, 0.5, new BigDecimal("1.50"), time("2026-08-14")}) {
            checks.same("echoAny " + each.getClass().getSimpleName(), each, () -> types.echoAny(each));
        }
        checks.same("echoAny of a struct", "m", () -> ((Maker) types.echoAny(maker)).getName());
        TypesFailureFault declared =
                checks.raises("failDeclared", TypesFailureFault.class, () -> types.failDeclared("why \u8336"));
        checks.same("its text", "why \u8336", declared::getMessage);
        checks.same("its fields", 42, () -> declared.getFaultInfo().getCode());
        checks.same("a struct in it", "Acme", () -> declared.getFaultInfo().getCulprit().getValue().getName());
        Throwable undeclared = checks.fails("failUndeclared", () -> types.failUndeclared("because"));
        checks.isTrue("its text", () -> fault(undeclared).getFaultString().contains("because"));
        String nothing = base + "/demo.Nothing";
        ((BindingProvider) types).getRequestContext().put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, nothing);
        Throwable lost = checks.fails("no such service", () -> types.echoBool(true));
        checks.isTrue("what it is", () -> lost instanceof WebServiceException);
    }

    static XMLGregorianCalendar time(String text) {
        return DATATYPES.newXMLGregorianCalendar(text);
    }

    private static List<Long> ids(List<Product> products) {
        return products.stream().map(Product::getId).toList();
    }

    private static Map<String, Integer> stock(Product product) {
        Map<String, Integer> stock = new TreeMap<>();
        for (MapOfStringToInt.Entry each : product.getStock().getEntry()) {
            stock.put(each.getKey(), each.getValue());
        }
        return stock;
    }

    private static Map<String, BigDecimal> history(Catalog catalog) throws ProductNotFoundFault {
        Map<String, BigDecimal> history = new TreeMap<>();
        for (MapOfDateToDecimal.Entry each : catalog.priceHistory(1).getEntry()) {
            history.put(each.getKey().toXMLFormat(), each.getValue());
        }
        return history;
    }

    private static Map<String, Long> echoed(MapOfStringToLong map) {
        Map<String, Long> echoed = new TreeMap<>();
        for (MapOfStringToLong.Entry each : map.getEntry()) {
            echoed.put(each.getKey(), each.getValue());
        }
        return echoed;
    }

    private static SOAPFault fault(Throwable raised) {
        return ((SOAPFaultException) raised).getFault();
    }

    private static MapOfStringToLong.Entry entry(String key, long value) {
        MapOfStringToLong.Entry entry = new MapOfStringToLong.Entry();
        entry.setKey(key);
        entry.setValue(value);
        return entry;
    }

    private static DatatypeFactory datatypes() {
        try {
            return DatatypeFactory.newInstance();
        } catch (DatatypeConfigurationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
